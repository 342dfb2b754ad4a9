/*
 * intel-dsa: delta records, created and applied on scattered pages that become
 * known one by one, against a model on flat memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../../hw/misc/dsa/op.h"

#define PAGES 160
#include "dsa-paged.h"

#define SRC1 0
#define SRC2 (SPACE / 4)
#define RECORD (SPACE / 2)
#define AREA (SPACE / 4)

static DSADesc make_desc(uint8_t opcode, uint32_t size, uint32_t record_size,
                         uint8_t mask, bool check)
{
    bool create = opcode == DSA_OP_CREATE_DELTA;
    uint8_t raw[64] = { 0 };
    DSADesc d;

    stl_le_p(raw + 4, (check ? 1u << 7 : 0) | (uint32_t)opcode << 24);
    stq_le_p(raw + 0x10, create ? SRC1 : RECORD);
    stq_le_p(raw + 0x18, create ? SRC2 : SRC1);
    stl_le_p(raw + 0x20, size);
    if (create) {
        stq_le_p(raw + 0x28, RECORD);
        stl_le_p(raw + 0x30, record_size);
        raw[0x38] = mask;
    } else {
        stl_le_p(raw + 0x28, record_size);
    }
    dsa_desc_decode(&d, raw);
    return d;
}

typedef struct Model {
    uint32_t len, compared;
    uint8_t result;
} Model;

/* The record of flat memory, as far as it has room */
static Model model_create(uint8_t *flat, uint32_t size, uint32_t max)
{
    Model r = { 0 };
    uint32_t i, k;

    for (i = 0; i < size / 8; i++) {
        uint8_t *entry = flat + RECORD + r.len;

        for (k = 0; k < 8 && flat[SRC1 + i * 8 + k] == flat[SRC2 + i * 8 + k];
             k++) {
        }
        if (k == 8) {
            continue;
        }
        if (r.len + 10 > max) {
            r.result = 2;
            r.compared = i * 8;
            return r;
        }
        entry[0] = i;
        entry[1] = i >> 8;
        for (k = 0; k < 8; k++) {
            entry[2 + k] = flat[SRC2 + i * 8 + k];
        }
        r.len += 10;
        r.result = 1;
    }
    r.compared = size;
    return r;
}

/* Make the second source equal the first but for about 1 of @every words */
static void make_sources(PagedMem *m, uint8_t *flat, uint32_t size,
                         unsigned every)
{
    uint32_t i;

    for (i = 0; i < size; i++) {
        flat[SRC2 + i] = flat[SRC1 + i];
    }
    for (i = 0; every && i < size / 8; i++) {
        if (g_test_rand_int_range(0, every) == 0) {
            flat[SRC2 + i * 8 + g_test_rand_int_range(0, 8)] ^=
                1 << g_test_rand_int_range(0, 8);
        }
    }
    for (i = 0; i < size; i++) {
        *byte_at(m, SRC2 + i) = flat[SRC2 + i];
    }
}

static uint32_t record_len(const DSAOp *op)
{
    uint8_t cr[32] = { 0 };

    dsa_op_fill_record(op, cr);
    return ldl_le_p(cr + 0x10);
}

static uint32_t random_size(int round)
{
    return 8 * (round % 2 ? g_test_rand_int_range(1, 40)
                          : g_test_rand_int_range(1, AREA / 8));
}

static void test_create(void)
{
    static const unsigned rates[] = { 0, 1, 2, 10, 200 };
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 300; round++) {
        uint32_t size = random_size(round);
        uint32_t max = round % 3 ? 20000 : g_test_rand_int_range(80, 2000);
        uint8_t mask = g_test_rand_int_range(0, 8);
        bool check = g_test_rand_bit();
        DSADesc d = make_desc(DSA_OP_CREATE_DELTA, size, max, mask, check);
        PagedMem *m = mem_new(flat);
        bool expected;
        Model want;
        DSAOp op;

        make_sources(m, flat, size, rates[round % ARRAY_SIZE(rates)]);
        memcpy(before, flat, SPACE);
        want = model_create(flat, size, max);
        expected = !check || (mask & 1 << want.result);
        dsa_op_init(&op, &d);
        g_assert(paged_run(m, &op, 8));
        g_assert_cmphex(op.status, ==, expected ? DSA_ST_SUCCESS
                                                : DSA_ST_PREDICATE);
        g_assert_cmpuint(op.result, ==, want.result);
        g_assert_cmpuint(op.done, ==, want.compared);
        g_assert_cmpuint(record_len(&op), ==, want.len);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* Faults leave what was done; going on leads to the same record */
static void test_create_fault(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 200; round++) {
        uint32_t size = AREA - 8 * g_test_rand_int_range(0, 20);
        DSADesc d = make_desc(DSA_OP_CREATE_DELTA, size, 20000, 0, false);
        PagedMem *m = mem_new(flat);
        uint64_t at = round % 3 == 0 ? SRC1 : round % 3 == 1 ? SRC2 : RECORD;
        unsigned bad = at / PAGE + g_test_rand_int_range(0, 4);
        Model want;
        DSAOp op;

        make_sources(m, flat, size, 2);
        memcpy(before, flat, SPACE);
        m->forbidden[bad] = true;
        dsa_op_init(&op, &d);
        g_assert(!paged_run(m, &op, 8));
        g_assert_cmpuint(op.miss.addr / PAGE, ==, bad);
        g_assert_cmpuint(op.miss.operand, ==, round % 3 + 1);
        g_assert_cmpuint(op.miss.write, ==, round % 3 == 2);
        want = model_create(flat, op.done, 20000);
        g_assert_cmpuint(record_len(&op), ==, want.len);
        g_assert_cmpuint(op.result, ==, want.result);
        check_same(m, flat, before);

        paged_move(&op, &d);
        m->forbidden[bad] = false;
        want = model_create(flat, size, 20000);
        g_assert(paged_run(m, &op, 8));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        g_assert_cmpuint(op.result, ==, want.result);
        g_assert_cmpuint(record_len(&op), ==, want.len);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* A record of @n entries with offsets that increase; returns the last */
static uint32_t make_record(PagedMem *m, uint8_t *flat, unsigned n,
                            unsigned words)
{
    uint32_t offset = 0;
    unsigned i, k;

    for (i = 0; i < n; i++) {
        uint64_t at = RECORD + i * 10;

        offset += i ? 1 + g_test_rand_int_range(0, words / n) : 0;
        flat[at] = offset;
        flat[at + 1] = offset >> 8;
        for (k = 0; k < 10; k++) {
            *byte_at(m, at + k) = flat[at + k];
        }
    }
    return offset;
}

static void model_apply(uint8_t *flat, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        uint8_t *entry = flat + RECORD + i * 10;

        memcpy(flat + SRC1 + 8 * (entry[0] | entry[1] << 8), entry + 2, 8);
    }
}

static void test_apply(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 300; round++) {
        unsigned n = g_test_rand_int_range(1, round % 2 ? 8 : 600);
        PagedMem *m = mem_new(flat);
        uint32_t last = make_record(m, flat, n, 600);
        /* the last entry may write the last 8 bytes */
        DSADesc d = make_desc(DSA_OP_APPLY_DELTA, (last + 1) * 8, n * 10, 0,
                              false);
        DSAOp op;

        memcpy(before, flat, SPACE);
        model_apply(flat, n);
        dsa_op_init(&op, &d);
        g_assert(paged_run(m, &op, 10));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        g_assert_cmpuint(op.done, ==, n * 10);
        check_same(m, flat, before);
        g_free(m);
    }
}

static void test_apply_fault(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 200; round++) {
        unsigned n = 400, bad;
        PagedMem *m = mem_new(flat);
        uint32_t last = make_record(m, flat, n, 600);
        DSADesc d = make_desc(DSA_OP_APPLY_DELTA, (last + 1) * 8, n * 10, 0,
                              false);
        DSAOp op;

        bad = (round % 2 ? RECORD : SRC1) / PAGE +
              g_test_rand_int_range(0, n * 8 / PAGE);
        memcpy(before, flat, SPACE);
        m->forbidden[bad] = true;
        dsa_op_init(&op, &d);
        g_assert(!paged_run(m, &op, 10));
        g_assert_cmpuint(op.miss.addr / PAGE, ==, bad);
        model_apply(flat, op.done / 10);
        check_same(m, flat, before);

        paged_move(&op, &d);
        m->forbidden[bad] = false;
        model_apply(flat, n);
        g_assert(paged_run(m, &op, 10));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* Offsets that do not increase, or lead beyond the transfer size */
static void test_apply_errors(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 200; round++) {
        unsigned n = 400, bad = g_test_rand_int_range(1, n);
        PagedMem *m = mem_new(flat);
        uint32_t last = make_record(m, flat, n, 600), size = (last + 1) * 8;
        uint8_t *entry = flat + RECORD + bad * 10;
        DSAStatus want;
        DSADesc d;
        DSAOp op;

        if (round % 3 == 0) {           /* the same again */
            memcpy(entry, entry - 10, 2);
            want = DSA_ST_DELTA_ORDER;
        } else if (round % 3 == 1) {    /* back to the start */
            entry[0] = entry[1] = 0;
            want = DSA_ST_DELTA_ORDER;
        } else {                        /* one word too far */
            size = 8 * (entry[0] | entry[1] << 8);
            want = DSA_ST_DELTA_RANGE;
        }
        *byte_at(m, RECORD + bad * 10) = entry[0];
        *byte_at(m, RECORD + bad * 10 + 1) = entry[1];
        d = make_desc(DSA_OP_APPLY_DELTA, size, n * 10, 0, false);
        memcpy(before, flat, SPACE);
        model_apply(flat, bad);
        dsa_op_init(&op, &d);
        g_assert(paged_run(m, &op, 10));
        g_assert_cmphex(op.status, ==, want);
        g_assert_cmpuint(op.done, ==, bad * 10);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* What was created turns a copy of the first source into the second */
static void test_round_trip(void)
{
    uint8_t flat[SPACE];
    int round;

    for (round = 0; round < 100; round++) {
        uint32_t size = random_size(round), i;
        DSADesc d = make_desc(DSA_OP_CREATE_DELTA, size, 20000, 0, false);
        PagedMem *m = mem_new(flat);
        DSAOp op;

        make_sources(m, flat, size, 1 + round % 9);
        dsa_op_init(&op, &d);
        g_assert(paged_run(m, &op, 8));
        if (op.result) {
            d = make_desc(DSA_OP_APPLY_DELTA, size, record_len(&op), 0, false);
            dsa_op_init(&op, &d);
            g_assert(paged_run(m, &op, 10));
            g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        }
        for (i = 0; i < size; i++) {
            g_assert_cmphex(*byte_at(m, SRC1 + i), ==, *byte_at(m, SRC2 + i));
        }
        g_free(m);
    }
}

static void test_progress(void)
{
    DSADesc d = make_desc(DSA_OP_CREATE_DELTA, 800, 100, 0, false);
    DSAOp op;

    dsa_op_init(&op, &d);
    g_assert(dsa_op_progress_ok(&op));
    op.done = 792;
    op.record = 100;
    g_assert(dsa_op_progress_ok(&op));
    op.record = 110;
    g_assert(!dsa_op_progress_ok(&op));
    op.record = 95;
    g_assert(!dsa_op_progress_ok(&op));
    op.record = 90;
    op.done = 4;
    g_assert(!dsa_op_progress_ok(&op));
    op.done = 800;
    g_assert(!dsa_op_progress_ok(&op));

    d = make_desc(DSA_OP_APPLY_DELTA, 80, 100, 0, false);
    dsa_op_init(&op, &d);
    op.done = 90;
    g_assert(dsa_op_progress_ok(&op));
    op.done = 95;
    g_assert(!dsa_op_progress_ok(&op));
    op.done = 100;
    g_assert(!dsa_op_progress_ok(&op));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dsa/delta/create", test_create);
    g_test_add_func("/dsa/delta/create-fault", test_create_fault);
    g_test_add_func("/dsa/delta/apply", test_apply);
    g_test_add_func("/dsa/delta/apply-fault", test_apply_fault);
    g_test_add_func("/dsa/delta/apply-errors", test_apply_errors);
    g_test_add_func("/dsa/delta/round-trip", test_round_trip);
    g_test_add_func("/dsa/delta/progress", test_progress);
    return g_test_run();
}
