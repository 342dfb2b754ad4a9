/*
 * intel-dsa: CRC Generation and Copy with CRC (DSA sections 8.3.12, 8.3.13).
 *
 * The register is kept in the reflected form that ISA-L's CRC-32C uses: bit 0
 * is the highest power. Then the usual case needs no reflection at all, and
 * each bypass flag is one reversal at the edge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "op.h"

#include <isa-l/crc.h>

#define PIECE 1024      /* bytes reflected at a time */

/* Reverse the bits of each byte, eight bytes at a time */
static void reflect_bytes(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t i;

    for (i = 0; i + 8 <= len; i += 8) {
        /* revbit64() also reverses the bytes: put them back */
        stq_he_p(to + i, bswap64(revbit64(ldq_he_p(from + i))));
    }
    for (; i < len; i++) {
        to[i] = revbit8(from[i]);
    }
}

uint32_t dsa_crc32c(uint32_t reg, const uint8_t *buf, size_t len,
                    bool raw_data)
{
    uint8_t piece[PIECE];
    size_t n;

    if (!raw_data) {
        for (; len; buf += n, len -= n) {
            /* ISA-L takes the length as int and does not write to the data */
            n = MIN(len, INT_MAX / 2 + 1);
            reg = crc32_iscsi((unsigned char *)buf, n, reg);
        }
        return reg;
    }
    for (; len; buf += n, len -= n) {
        n = MIN(len, PIECE);
        reflect_bytes(piece, buf, n);
        reg = crc32_iscsi(piece, n, reg);
    }
    return reg;
}

static uint32_t from_seed(const DSAOp *op, uint32_t seed)
{
    return op->d.flags & DSA_FLAG_CRC_RAW ? revbit32(seed) : ~seed;
}

uint32_t dsa_op_crc_value(const DSAOp *op)
{
    return op->d.flags & DSA_FLAG_CRC_RAW ? revbit32(op->crc) : ~op->crc;
}

/* Take the seed from the descriptor or from memory */
static bool fetch_seed(DSAOp *op, DSAMem *mem)
{
    uint8_t seed[4];

    if (op->stage) {
        return true;
    }
    stl_le_p(seed, op->d.op[0]);
    if ((op->d.flags & DSA_FLAG_CRC_SEED_MEM) &&
        !dsa_op_read(op, mem, op->d.op[1], seed, sizeof(seed),
                     DSA_OPERAND_ADDR3)) {
        return false;
    }
    op->crc = from_seed(op, ldl_le_p(seed));
    op->stage = 1;
    return true;
}

DSAStep dsa_op_step_crc(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = MIN(op->d.size - op->done, *budget);
    DSAWindow src;

    if (!fetch_seed(op, mem) ||
        !dsa_op_window(op, mem, op->d.addr1 + op->done, n, false,
                       DSA_OPERAND_ADDR1, &src)) {
        return DSA_STEP_MISS;
    }
    op->crc = dsa_crc32c(op->crc, src.host, src.len,
                         op->d.flags & DSA_FLAG_CRC_RAW_DATA);
    return dsa_op_advance(op, src.len, budget);
}

DSAStep dsa_op_step_copy_crc(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = MIN(op->d.size - op->done, *budget);
    DSAWindow src, dst;

    if (!fetch_seed(op, mem) ||
        !dsa_op_window(op, mem, op->d.addr1 + op->done, n, false,
                       DSA_OPERAND_ADDR1, &src) ||
        !dsa_op_window(op, mem, op->d.addr2 + op->done, n, true,
                       DSA_OPERAND_ADDR2, &dst)) {
        return DSA_STEP_MISS;
    }
    n = MIN(src.len, dst.len);
    memmove(dst.host, src.host, n);
    mem->wrote(mem, &dst, n);
    /* Of the copy: a guest that writes the source meanwhile gets its CRC */
    op->crc = dsa_crc32c(op->crc, dst.host, n,
                         op->d.flags & DSA_FLAG_CRC_RAW_DATA);
    return dsa_op_advance(op, n, budget);
}
