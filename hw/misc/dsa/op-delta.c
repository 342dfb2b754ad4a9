/*
 * intel-dsa: Create Delta Record and Apply Delta Record (DSA sections 8.3.8,
 * 8.3.9).
 *
 * A delta record is a row of entries, one for each 8 bytes that differ: the
 * offset in units of 8 bytes, in two bytes, and the 8 bytes of the second
 * source. Entries are not aligned and may lie across pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "op.h"

#define PIECE 2048              /* bytes compared at a time */
#define ENTRIES (PIECE / DSA_DELTA_UNIT)
/* What an entry that is applied counts for: it takes as long as a cache line */
#define APPLY_COST 64

/*
 * How much can be had at once of two operands' windows and of what is left of
 * a piece, in whole units; one unit if the windows end within it.
 */
static uint32_t whole_units(uint64_t a, uint64_t b, uint64_t piece,
                            uint32_t unit)
{
    uint64_t n = MIN(MIN(a, b), piece);

    return MAX(n - n % unit, unit);
}

/*
 * The end: with Check Result, the bit of Expected Result Mask that the result
 * selects tells whether it was expected.
 */
static DSAStep created(DSAOp *op)
{
    op->status = DSA_ST_SUCCESS;
    if ((op->d.flags & DSA_FLAG_CR) &&
        !extract64(op->d.op[2], op->result, 1)) {
        op->status = DSA_ST_PREDICATE;
    }
    return DSA_STEP_DONE;
}

typedef struct Deltas {
    uint8_t entry[ENTRIES * DSA_DELTA_ENTRY];
    uint32_t len;               /* bytes of entries */
    uint32_t compared;          /* bytes of the operands they speak of */
    bool overflow;              /* the next difference had no room */
} Deltas;

/* Compare a piece of @n bytes, with room for @room bytes of entries */
static void find_deltas(Deltas *out, const uint8_t *a, const uint8_t *b,
                        uint32_t n, uint32_t offset, uint32_t room)
{
    uint32_t at;

    out->len = 0;
    out->overflow = false;
    for (at = 0; at < n; at += DSA_DELTA_UNIT) {
        if (ldq_he_p(a + at) == ldq_he_p(b + at)) {
            continue;
        }
        if (room - out->len < DSA_DELTA_ENTRY) {
            out->overflow = true;
            break;
        }
        stw_le_p(out->entry + out->len, (offset + at) / DSA_DELTA_UNIT);
        memcpy(out->entry + out->len + 2, b + at, DSA_DELTA_UNIT);
        out->len += DSA_DELTA_ENTRY;
    }
    out->compared = at;
}

DSAStep dsa_op_step_create_delta(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    const DSADesc *d = &op->d;
    uint64_t src1 = d->addr1 + op->done, src2 = d->addr2 + op->done;
    uint64_t left = d->size - op->done;
    uint32_t max = d->op[1], n;
    uint8_t a[PIECE], b[PIECE];
    DSAWindow win1, win2;
    Deltas deltas;

    op->stage = 1;
    if (!dsa_op_window(op, mem, src1, left, false, DSA_OPERAND_ADDR1, &win1) ||
        !dsa_op_window(op, mem, src2, left, false, DSA_OPERAND_ADDR2, &win2)) {
        return DSA_STEP_MISS;
    }
    n = whole_units(win1.len, win2.len, PIECE, DSA_DELTA_UNIT);
    /* Copies: what the guest writes meanwhile is seen once or not at all */
    if (!dsa_op_read(op, mem, src1, a, n, DSA_OPERAND_ADDR1) ||
        !dsa_op_read(op, mem, src2, b, n, DSA_OPERAND_ADDR2)) {
        return DSA_STEP_MISS;
    }
    find_deltas(&deltas, a, b, n, op->done, max - op->record);
    if (deltas.len) {
        if (!dsa_op_write(op, mem, d->op[0] + op->record, deltas.entry,
                          deltas.len, DSA_OPERAND_ADDR3)) {
            return DSA_STEP_MISS;
        }
        op->result = DSA_DELTA_FITS;
        op->record += deltas.len;
    }
    op->done += deltas.compared;
    *budget -= MIN(*budget, deltas.compared);
    if (deltas.overflow) {
        op->result = DSA_DELTA_OVERFLOW;
    } else if (op->done < d->size) {
        return DSA_STEP_MORE;
    }
    return created(op);
}

/* Apply one entry. Returns false on a miss, which leaves it undone. */
static bool apply(DSAOp *op, DSAMem *mem, const uint8_t *entry)
{
    uint32_t offset = lduw_le_p(entry);
    uint64_t at = (uint64_t)offset * DSA_DELTA_UNIT;

    if (offset < op->next) {
        op->status = DSA_ST_DELTA_ORDER;
        return true;
    }
    if (at + DSA_DELTA_UNIT > op->d.size) {
        op->status = DSA_ST_DELTA_RANGE;
        return true;
    }
    if (!dsa_op_write(op, mem, op->d.addr2 + at, entry + 2, DSA_DELTA_UNIT,
                      DSA_OPERAND_ADDR2)) {
        return false;
    }
    op->next = offset + 1;
    op->done += DSA_DELTA_ENTRY;
    return true;
}

DSAStep dsa_op_step_apply_delta(DSAOp *op, DSAMem *mem, uint64_t *budget)
{
    const DSADesc *d = &op->d;
    uint64_t total = dsa_op_total(op), left = total - op->done;
    uint64_t record = d->addr1 + op->done;
    uint8_t entries[ENTRIES * DSA_DELTA_ENTRY];
    DSAWindow win;
    uint32_t n, at;

    if (!dsa_op_window(op, mem, record, left, false, DSA_OPERAND_ADDR1,
                       &win)) {
        return DSA_STEP_MISS;
    }
    n = whole_units(win.len, left, sizeof(entries), DSA_DELTA_ENTRY);
    if (!dsa_op_read(op, mem, record, entries, n, DSA_OPERAND_ADDR1)) {
        return DSA_STEP_MISS;
    }
    for (at = 0; at < n; at += DSA_DELTA_ENTRY) {
        if (!apply(op, mem, entries + at)) {
            return DSA_STEP_MISS;
        }
        if (op->status) {
            return DSA_STEP_DONE;
        }
        *budget -= MIN(*budget, APPLY_COST);
    }
    if (op->done < total) {
        return DSA_STEP_MORE;
    }
    op->status = DSA_ST_SUCCESS;
    return DSA_STEP_DONE;
}
