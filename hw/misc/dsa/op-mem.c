/*
 * intel-dsa: operations that move, fill and compare memory (DSA section 8.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "op.h"

#define BLOCK 4096      /* a pattern is laid out in pieces of this size */

/* Where the next part of an operand of the transfer size is */
static uint64_t next_addr(const DSAOp *op, uint64_t base)
{
    return op->backward ? base + op->d.size - op->done : base + op->done;
}

bool dsa_op_window(DSAOp *op, DSAMem *mem, uint64_t addr, uint64_t len,
                   bool write, DSAOperand operand, DSAWindow *win)
{
    if (mem->window(mem, addr, len, write, op->backward, win)) {
        return true;
    }
    op->miss = (DSAMiss) {
        .addr = op->backward ? addr - 1 : addr,
        .first = op->backward ? addr - len : addr,
        .len = len,
        .write = write,
        .operand = operand,
    };
    return false;
}

bool dsa_op_read(DSAOp *op, DSAMem *mem, uint64_t addr, void *buf,
                 uint64_t len, DSAOperand operand)
{
    DSAWindow win;
    uint64_t at;

    for (at = 0; at < len; at += win.len) {
        if (!dsa_op_window(op, mem, addr + at, len - at, false, operand,
                           &win)) {
            return false;
        }
        memcpy((uint8_t *)buf + at, win.host, win.len);
    }
    return true;
}

bool dsa_op_write(DSAOp *op, DSAMem *mem, uint64_t addr, const void *buf,
                  uint64_t len, DSAOperand operand)
{
    DSAWindow win;
    uint64_t at;

    /* Nothing is written before all of it can be */
    for (at = 0; at < len; at += win.len) {
        if (!dsa_op_window(op, mem, addr + at, len - at, true, operand,
                           &win)) {
            return false;
        }
    }
    for (at = 0; at < len; at += win.len) {
        if (!dsa_op_window(op, mem, addr + at, len - at, true, operand,
                           &win)) {
            return false;
        }
        memcpy(win.host, (const uint8_t *)buf + at, win.len);
        mem->wrote(mem, &win, win.len);
    }
    return true;
}

/* A window of an operand of the transfer size */
static bool operand(DSAOp *op, DSAMem *mem, uint64_t base, uint64_t len,
                    bool write, DSAOperand which, DSAWindow *win)
{
    return dsa_op_window(op, mem, next_addr(op, base), len, write, which, win);
}

DSAStep dsa_op_advance(DSAOp *op, uint64_t n, uint64_t *budget)
{
    op->done += n;
    *budget -= n;
    if (op->done < op->d.size) {
        return DSA_STEP_MORE;
    }
    op->status = DSA_ST_SUCCESS;
    return DSA_STEP_DONE;
}

static uint64_t left(const DSAOp *op, uint64_t budget)
{
    return MIN(op->d.size - op->done, budget);
}

/*
 * Windows of different lengths end together at the operands' next byte when
 * the operation works backward: skip what is not used of the longer one.
 */
static void clip(const DSAOp *op, DSAWindow *win, uint64_t n)
{
    if (op->backward) {
        win->host += win->len - n;
        win->offset += win->len - n;
    }
    win->len = n;
}

/* DSA 8.3.4 */
static DSAStep step_memmove(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = left(op, *budget);
    DSAWindow src, dst;

    if (!operand(op, mem, op->d.addr1, n, false, DSA_OPERAND_ADDR1, &src) ||
        !operand(op, mem, op->d.addr2, n, true, DSA_OPERAND_ADDR2, &dst)) {
        return DSA_STEP_MISS;
    }
    n = MIN(src.len, dst.len);
    clip(op, &src, n);
    clip(op, &dst, n);
    memmove(dst.host, src.host, n);
    mem->wrote(mem, &dst, n);
    return dsa_op_advance(op, n, budget);
}

/* DSA 8.3.9 */
static DSAStep step_dualcast(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = left(op, *budget);
    DSAWindow src, dst, dst2;

    if (!operand(op, mem, op->d.addr1, n, false, DSA_OPERAND_ADDR1, &src) ||
        !operand(op, mem, op->d.addr2, n, true, DSA_OPERAND_ADDR2, &dst) ||
        !operand(op, mem, op->d.op[0], n, true, DSA_OPERAND_ADDR3, &dst2)) {
        return DSA_STEP_MISS;
    }
    n = MIN(src.len, MIN(dst.len, dst2.len));
    /* memmove: different addresses may still reach the same memory */
    memmove(dst.host, src.host, n);
    memmove(dst2.host, src.host, n);
    mem->wrote(mem, &dst, n);
    mem->wrote(mem, &dst2, n);
    return dsa_op_advance(op, n, budget);
}

/* Lay out @period bytes of pattern, turned by @phase, over @n bytes */
static void lay_pattern(uint8_t *buf, uint64_t n, const uint8_t *pattern,
                        unsigned period, unsigned phase)
{
    uint64_t have = MIN(n, period);
    unsigned i;

    for (i = 0; i < have; i++) {
        buf[i] = pattern[(phase + i) % period];
    }
    while (have < n) {
        uint64_t more = MIN(have, n - have);

        memcpy(buf + have, buf, more);
        have += more;
    }
}

/* DSA 8.3.5 */
static DSAStep step_fill(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    unsigned period = op->d.flags & DSA_FLAG_FILL_16 ? 16 : 8;
    uint64_t n = left(op, *budget);
    uint8_t pattern[16], block[BLOCK];
    uint64_t i;
    DSAWindow dst;

    if (!operand(op, mem, op->d.addr2, n, true, DSA_OPERAND_ADDR2, &dst)) {
        return DSA_STEP_MISS;
    }
    n = dst.len;
    stq_le_p(pattern, op->d.addr1);
    stq_le_p(pattern + 8, op->d.op[0]);
    if (!memcmp(pattern, pattern + 1, period - 1)) {
        memset(dst.host, pattern[0], n);
    } else {
        lay_pattern(block, MIN(n, BLOCK), pattern, period, op->done % period);
        for (i = 0; i < n; i += BLOCK) {
            memcpy(dst.host + i, block, MIN(n - i, BLOCK));
        }
    }
    mem->wrote(mem, &dst, n);
    return dsa_op_advance(op, n, budget);
}

/*
 * The end of a comparison: Result says whether the operands differ, and with
 * Check Result it is held against the expected one (DSA 8.3.6).
 */
static DSAStep compared(DSAOp *op, bool differ)
{
    op->result = differ;
    op->status = DSA_ST_SUCCESS;
    if ((op->d.flags & DSA_FLAG_CR) &&
        op->result != extract64(op->d.op[0], 0, 8)) {
        op->status = DSA_ST_PREDICATE;
    }
    return DSA_STEP_DONE;
}

static DSAStep compare_advance(DSAOp *op, uint64_t same, uint64_t n,
                               uint64_t *budget)
{
    DSAStep step;

    if (same < n) {
        /* All of it was looked at */
        *budget -= MIN(*budget, n);
        op->done += same;
        return compared(op, true);
    }
    step = dsa_op_advance(op, n, budget);
    return step == DSA_STEP_DONE ? compared(op, false) : step;
}

/*
 * How many leading bytes are equal. A guest may write meanwhile: what one
 * look called different the next may call equal, hence the bound.
 */
static uint64_t equal_prefix(const uint8_t *a, const uint8_t *b, uint64_t n)
{
    uint64_t at = 0, piece;

    if (!memcmp(a, b, n)) {
        return n;
    }
    for (piece = BLOCK; piece; piece /= 16) {
        while (n - at >= piece && !memcmp(a + at, b + at, piece)) {
            at += piece;
        }
    }
    return at;
}

/* DSA 8.3.6 */
static DSAStep step_compare(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = left(op, *budget);
    DSAWindow a, b;

    if (!operand(op, mem, op->d.addr1, n, false, DSA_OPERAND_ADDR1, &a) ||
        !operand(op, mem, op->d.addr2, n, false, DSA_OPERAND_ADDR2, &b)) {
        return DSA_STEP_MISS;
    }
    n = MIN(a.len, b.len);
    return compare_advance(op, equal_prefix(a.host, b.host, n), n, budget);
}

/* DSA 8.3.7 */
static DSAStep step_compval(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = left(op, *budget), at, same = 0;
    uint8_t pattern[8], block[BLOCK];
    DSAWindow src;

    if (!operand(op, mem, op->d.addr1, n, false, DSA_OPERAND_ADDR1, &src)) {
        return DSA_STEP_MISS;
    }
    n = src.len;
    stq_le_p(pattern, op->d.addr2);
    lay_pattern(block, MIN(n, BLOCK), pattern, 8, op->done % 8);
    for (at = 0; at < n && same == at; at += BLOCK) {
        same += equal_prefix(src.host + at, block, MIN(n - at, BLOCK));
    }
    return compare_advance(op, same, n, budget);
}

/*
 * DSA 8.3.16. The host's caches are coherent with all that a guest can reach,
 * so only the addresses are touched.
 */
static DSAStep step_cflush(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    uint64_t n = left(op, *budget);
    DSAWindow win;

    if (!operand(op, mem, op->d.addr2, n, false, DSA_OPERAND_ADDR2, &win)) {
        return DSA_STEP_MISS;
    }
    return dsa_op_advance(op, win.len, budget);
}

/*
 * DSA 8.3.3, after the earlier descriptors are done: read back through the
 * given addresses, which pushes writes out on a bus that posts them.
 */
static DSAStep step_drain(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    DSAWindow win;

    if (op->stage == 0) {
        if ((op->d.flags & DSA_FLAG_DRAIN_RB1) &&
            !dsa_op_window(op, mem, op->d.addr1, 1, false, DSA_OPERAND_ADDR1,
                           &win)) {
            return DSA_STEP_MISS;
        }
        op->stage = 1;
    }
    if ((op->d.flags & DSA_FLAG_DRAIN_RB2) &&
        !dsa_op_window(op, mem, op->d.addr2, 1, false, DSA_OPERAND_ADDR2,
                       &win)) {
        return DSA_STEP_MISS;
    }
    op->status = DSA_ST_SUCCESS;
    return DSA_STEP_DONE;
}

static DSAStep step_noop(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    op->status = DSA_ST_SUCCESS;
    return DSA_STEP_DONE;
}

typedef DSAStep DSAStepFn(DSAOp *op, DSAMem *mem, uint64_t *budget);

static DSAStepFn *const step_fns[] = {
    [DSA_OP_NOOP] = step_noop,
    [DSA_OP_DRAIN] = step_drain,
    [DSA_OP_MEMMOVE] = step_memmove,
    [DSA_OP_FILL] = step_fill,
    [DSA_OP_COMPARE] = step_compare,
    [DSA_OP_COMPVAL] = step_compval,
    [DSA_OP_CREATE_DELTA] = dsa_op_step_create_delta,
    [DSA_OP_APPLY_DELTA] = dsa_op_step_apply_delta,
    [DSA_OP_DUALCAST] = step_dualcast,
    [DSA_OP_CRCGEN] = dsa_op_step_crc,
    [DSA_OP_COPY_CRC] = dsa_op_step_copy_crc,
    [DSA_OP_DIF_CHECK] = dsa_op_step_dif,
    [DSA_OP_DIF_INSERT] = dsa_op_step_dif,
    [DSA_OP_DIF_STRIP] = dsa_op_step_dif,
    [DSA_OP_DIF_UPDATE] = dsa_op_step_dif,
    [DSA_OP_CFLUSH] = step_cflush,
};

void dsa_op_init(DSAOp *op, const DSADesc *d)
{
    *op = (DSAOp) { .d = *d };
    /*
     * DSA 8.3.4: a destination that starts inside the source is written from
     * its end, so that no source byte is lost before it is read.
     */
    op->backward = d->opcode == DSA_OP_MEMMOVE && d->addr1 != d->addr2 &&
                   d->addr2 - d->addr1 < d->size;
}

DSAStep dsa_op_step(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    if (op->d.opcode >= ARRAY_SIZE(step_fns) || !step_fns[op->d.opcode]) {
        op->status = DSA_ST_OPCODE;
        return DSA_STEP_DONE;
    }
    if (!*budget) {
        return DSA_STEP_MORE;
    }
    return step_fns[op->d.opcode](op, mem, budget);
}

uint64_t dsa_op_total(const DSAOp *op)
{
    return op->d.opcode == DSA_OP_APPLY_DELTA ? (uint32_t)op->d.op[0]
                                              : op->d.size;
}

bool dsa_op_progress_ok(const DSAOp *op)
{
    if (op->done && op->done >= dsa_op_total(op)) {
        return false;
    }
    switch (op->d.opcode) {
    case DSA_OP_CREATE_DELTA:
        return op->done % DSA_DELTA_UNIT == 0 &&
               op->record % DSA_DELTA_ENTRY == 0 &&
               op->record <= (uint32_t)op->d.op[1] &&
               op->result <= DSA_DELTA_OVERFLOW;
    case DSA_OP_APPLY_DELTA:
        return op->done % DSA_DELTA_ENTRY == 0;
    case DSA_OP_DIF_CHECK:
    case DSA_OP_DIF_INSERT:
    case DSA_OP_DIF_STRIP:
    case DSA_OP_DIF_UPDATE:
        return op->done % dsa_dif_src_step(&op->d) == 0;
    }
    return true;
}

void dsa_op_fill_record(const DSAOp *op, uint8_t *cr)
{
    if (!op->stage) {
        return;         /* it did not start */
    }
    switch (op->d.opcode) {
    case DSA_OP_CREATE_DELTA:
        stl_le_p(cr + DSA_CR_DELTA_SIZE, op->record);
        break;
    case DSA_OP_CRCGEN:
    case DSA_OP_COPY_CRC:
        stq_le_p(cr + DSA_CR_CRC, dsa_op_crc_value(op));
        break;
    case DSA_OP_DIF_CHECK:
    case DSA_OP_DIF_INSERT:
    case DSA_OP_DIF_STRIP:
    case DSA_OP_DIF_UPDATE:
        dsa_op_dif_record(op, cr);
        break;
    }
}
