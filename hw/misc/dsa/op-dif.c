/*
 * intel-dsa: DIF Check, Insert, Strip and Update (DSA sections 8.3.14 to
 * 8.3.17).
 *
 * A Data Integrity Field follows each block of data: a guard, which is the
 * CRC-16 of the data by the polynomial of T10, an application tag and a
 * reference tag, all most significant byte first. The tags of a block follow
 * from those of the descriptor and the block's number, so how many bytes are
 * done is all the state there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "op.h"

#include <isa-l/crc.h>

/* A block's tags, in host byte order */
typedef struct Dif {
    uint16_t guard, app;
    uint32_t ref;
} Dif;

/* Both have the layout of descriptor and completion record */
#define TAGS_REF(tags) extract64(tags, 0, 32)
#define TAGS_MASK(tags) extract64(tags, 32, 16)
#define TAGS_APP(tags) extract64(tags, 48, 16)

static uint64_t blocks_done(const DSAOp *op)
{
    return op->done / dsa_dif_src_step(&op->d);
}

/* The tags for the next block, from those of the first */
static uint64_t advance_tags(const DSAOp *op, uint64_t tags, bool app_inc,
                             bool ref_fixed)
{
    uint64_t n = blocks_done(op);

    if (!ref_fixed) {
        tags = deposit64(tags, 0, 32, TAGS_REF(tags) + n);
    }
    if (app_inc) {
        tags = deposit64(tags, 48, 16, TAGS_APP(tags) + n);
    }
    return tags;
}

static uint64_t src_tags(const DSAOp *op)
{
    return advance_tags(op, op->d.op[1], op->d.op[0] & DSA_SRC_DIF_APP_INC,
                        op->d.op[0] & DSA_SRC_DIF_REF_FIXED);
}

static uint64_t dst_tags(const DSAOp *op)
{
    return advance_tags(op, op->d.op[2], op->d.op[0] & DSA_DST_DIF_APP_INC,
                        op->d.op[0] & DSA_DST_DIF_REF_FIXED);
}

void dsa_op_dif_record(const DSAOp *op, uint8_t *cr)
{
    if (op->d.opcode != DSA_OP_DIF_INSERT) {
        stq_le_p(cr + DSA_CR_SRC_TAGS, src_tags(op));
    }
    if (op->d.opcode == DSA_OP_DIF_INSERT ||
        op->d.opcode == DSA_OP_DIF_UPDATE) {
        stq_le_p(cr + DSA_CR_DST_TAGS, dst_tags(op));
    }
}

static uint16_t compute_guard(const DSADesc *d, const uint8_t *data)
{
    uint16_t seed = d->op[0] & DSA_DIF_INVERT_SEED ? 0xffff : 0;
    uint16_t crc = crc16_t10dif(seed, data, dsa_dif_block(d));

    return d->op[0] & DSA_DIF_INVERT_GUARD ? ~crc : crc;
}

static Dif get_dif(const uint8_t *at)
{
    return (Dif) { lduw_be_p(at), lduw_be_p(at + 2), ldl_be_p(at + 4) };
}

static void put_dif(uint8_t *at, const Dif *dif)
{
    stw_be_p(at, dif->guard);
    stw_be_p(at + 2, dif->app);
    stl_be_p(at + 4, dif->ref);
}

/* DSA 8.3.14: F Detect conditions exempt a block from the checks */
static bool exempt(uint64_t flags, const Dif *dif)
{
    bool app = dif->app == 0xffff, ref = dif->ref == 0xffffffff;

    return ((flags & DSA_SRC_DIF_APP_F) && app) ||
           ((flags & DSA_SRC_DIF_APP_REF_F) && app && ref) ||
           ((flags & DSA_SRC_DIF_ALL_F) && app && ref && dif->guard == 0xffff);
}

/*
 * Check the source's DIF; returns DIF Status. Implementation choice: bits of
 * the application tag that are set in the mask are not compared, in either.
 */
static uint8_t check_dif(const DSAOp *op, uint16_t guard, const Dif *dif)
{
    const uint64_t all_f = DSA_SRC_DIF_ALL_F | DSA_SRC_DIF_ALL_F_ERROR;
    uint64_t flags = op->d.op[0], tags = src_tags(op);
    uint8_t bad = 0;

    if ((flags & all_f) == all_f && dif->guard == 0xffff &&
        dif->app == 0xffff && dif->ref == 0xffffffff) {
        return DSA_DIF_BAD_ALL_F;
    }
    if (exempt(flags, dif)) {
        return 0;
    }
    if (!(flags & DSA_SRC_DIF_NO_GUARD) && dif->guard != guard) {
        bad |= DSA_DIF_BAD_GUARD;
    }
    if ((dif->app ^ TAGS_APP(tags)) & ~TAGS_MASK(tags) & 0xffff) {
        bad |= DSA_DIF_BAD_APP;
    }
    if (!(flags & DSA_SRC_DIF_NO_REF) && dif->ref != TAGS_REF(tags)) {
        bad |= DSA_DIF_BAD_REF;
    }
    return bad;
}

/* The destination's DIF; @src is the source's, for what passes through */
static Dif make_dif(const DSAOp *op, uint16_t guard, const Dif *src)
{
    uint64_t flags = op->d.op[0], tags = dst_tags(op);

    return (Dif) {
        .guard = flags & DSA_DST_DIF_GUARD_PASS ? src->guard : guard,
        .app = flags & DSA_DST_DIF_APP_PASS
               ? src->app : TAGS_APP(tags) & ~TAGS_MASK(tags),
        .ref = flags & DSA_DST_DIF_REF_PASS ? src->ref : TAGS_REF(tags),
    };
}

/* Tell how much of the operand will be needed behind this block */
static DSAStep miss_ahead(DSAOp *op, uint64_t operand, uint64_t size)
{
    op->miss.len = operand + size - op->miss.first;
    return DSA_STEP_MISS;
}

DSAStep dsa_op_step_dif(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    const DSADesc *d = &op->d;
    uint32_t block = dsa_dif_block(d);
    uint32_t src_step = dsa_dif_src_step(d), dst_step = dsa_dif_dst_step(d);
    uint64_t at = blocks_done(op) * dst_step;
    uint8_t data[DSA_DIF_BLOCK_MAX + DSA_DIF_SIZE];
    uint16_t guard;
    Dif dif = { 0 };

    op->stage = 1;
    if (!dsa_op_read(op, mem, d->addr1 + op->done, data, src_step,
                     DSA_OPERAND_ADDR1)) {
        return miss_ahead(op, d->addr1, d->size);
    }
    guard = compute_guard(d, data);
    if (d->opcode != DSA_OP_DIF_INSERT) {
        dif = get_dif(data + block);
        op->result = check_dif(op, guard, &dif);
        if (op->result) {
            op->status = DSA_ST_DIF;
            return DSA_STEP_DONE;
        }
    }
    if (d->opcode == DSA_OP_DIF_INSERT || d->opcode == DSA_OP_DIF_UPDATE) {
        dif = make_dif(op, guard, &dif);
        put_dif(data + block, &dif);
    }
    if (d->opcode != DSA_OP_DIF_CHECK &&
        !dsa_op_write(op, mem, d->addr2 + at, data, dst_step,
                      DSA_OPERAND_ADDR2)) {
        return miss_ahead(op, d->addr2, (uint64_t)d->size / src_step *
                                        dst_step);
    }
    op->done += src_step;
    *budget -= MIN(*budget, src_step);
    if (op->done < d->size) {
        return DSA_STEP_MORE;
    }
    op->status = DSA_ST_SUCCESS;
    return DSA_STEP_DONE;
}
