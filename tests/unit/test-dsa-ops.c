/*
 * intel-dsa: the memory operations on scattered pages that become known one
 * by one, against models that handle one byte at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../../hw/misc/dsa/op.h"
#include "dsa-paged.h"

/* Run to the end or to a forbidden page; false in the latter case */
static bool run(PagedMem *m, DSAOp *op, const DSADesc *d)
{
    dsa_op_init(op, d);
    for (;;) {
        uint64_t budget = g_test_rand_int_range(1, 2000), given = budget;
        uint64_t done = op->done;
        DSAStep step = dsa_op_step(op, &m->mem, &budget);

        if (step == DSA_STEP_DONE) {
            return true;
        } else if (step == DSA_STEP_MORE) {
            g_assert_cmpuint(op->done - done, ==, given - budget);
            g_assert_cmpuint(op->done, >, done);
        } else {
            g_assert_cmpuint(op->done, ==, done);
            g_assert_cmpuint(op->miss.addr, >=, op->miss.first);
            g_assert_cmpuint(op->miss.addr - op->miss.first, <, op->miss.len);
            g_assert(!m->known[op->miss.addr / PAGE]);
            if (m->forbidden[op->miss.addr / PAGE]) {
                return false;
            }
            m->known[op->miss.addr / PAGE] = true;
        }
    }
}

static void test_memmove(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 300; round++) {
        uint32_t size = g_test_rand_int_range(1, round % 2 ? 64 : 6000);
        uint64_t src = g_test_rand_int_range(0, SPACE - size);
        uint64_t dst = g_test_rand_int_range(0, SPACE - size);
        PagedMem *m = mem_new(flat);
        uint8_t copy[6000];
        DSAOp op;
        DSADesc d;
        unsigned i;

        if (round % 3 == 0) {   /* near each other: overlapping */
            dst = MIN(src + g_test_rand_int_range(0, 40), SPACE - size);
        }
        d = (DSADesc) { .opcode = DSA_OP_MEMMOVE, .addr1 = src, .addr2 = dst,
                        .size = size };
        memcpy(before, flat, SPACE);
        for (i = 0; i < size; i++) {
            copy[i] = flat[src + i];
        }
        for (i = 0; i < size; i++) {
            flat[dst + i] = copy[i];
        }
        g_assert(run(m, &op, &d));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        g_assert_cmpuint(op.done, ==, size);
        g_assert_cmpint(op.backward, ==, dst > src && dst - src < size);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* What was done before a fault can be continued as software does */
static void test_memmove_fault(void)
{
    uint8_t flat[SPACE], before[SPACE], copy[3000];
    int round;

    for (round = 0; round < 200; round++) {
        uint32_t size = 3000;
        uint64_t src = g_test_rand_int_range(0, SPACE - size);
        uint64_t dst = round % 2 ? g_test_rand_int_range(0, SPACE - size)
                                 : MIN(src + 500, SPACE - size);
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_MEMMOVE, .addr1 = src, .addr2 = dst,
                      .size = size };
        unsigned bad = (round % 4 < 2 ? src : dst) / PAGE +
                       g_test_rand_int_range(0, size / PAGE);
        unsigned i;
        DSAOp op;

        memcpy(before, flat, SPACE);
        memcpy(copy, flat + src, size);
        memcpy(flat + dst, copy, size);
        m->forbidden[bad] = true;
        g_assert(!run(m, &op, &d));
        g_assert_cmpuint(op.miss.addr / PAGE, ==, bad);
        g_assert_cmpuint(op.done, <, size);
        /* exactly the bytes done are written */
        for (i = 0; i < size; i++) {
            uint64_t at = op.backward ? size - 1 - i : i;

            if (i < op.done) {
                g_assert_cmphex(*byte_at(m, dst + at), ==, copy[at]);
            } else {
                g_assert_cmphex(*byte_at(m, dst + at), ==, before[dst + at]);
            }
        }
        if (!op.backward) {
            d.addr1 += op.done;
            d.addr2 += op.done;
        }
        d.size -= op.done;
        m->forbidden[bad] = false;
        g_assert(run(m, &op, &d));
        check_same(m, flat, before);
        g_free(m);
    }
}

static void test_fill(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 200; round++) {
        uint32_t size = g_test_rand_int_range(1, round % 2 ? 64 : 9000);
        uint64_t dst = g_test_rand_int_range(0, SPACE - size);
        bool wide = round % 5 == 0;
        uint64_t lo = (uint64_t)g_test_rand_int() << 32 | g_test_rand_int();
        uint64_t hi = (uint64_t)g_test_rand_int() << 32 | g_test_rand_int();
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_FILL, .addr2 = dst, .size = size,
                      .flags = wide ? DSA_FLAG_FILL_16 : 0 };
        unsigned i;
        DSAOp op;

        if (round % 7 == 0) {
            lo = hi = 0x5a5a5a5a5a5a5a5a;
        }
        d.addr1 = lo;
        d.op[0] = wide ? hi : 0;
        memcpy(before, flat, SPACE);
        for (i = 0; i < size; i++) {
            unsigned k = i % (wide ? 16 : 8);

            flat[dst + i] = k < 8 ? lo >> (8 * k) : hi >> (8 * (k - 8));
        }
        g_assert(run(m, &op, &d));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        check_same(m, flat, before);
        g_free(m);
    }
}

static void check_compare(const DSAOp *op, uint32_t size, uint32_t equal,
                          uint32_t flags, uint8_t want)
{
    bool differ = equal < size;

    g_assert_cmpuint(op->done, ==, equal);
    g_assert_cmpuint(op->result, ==, differ);
    if ((flags & DSA_FLAG_CR) && want != differ) {
        g_assert_cmphex(op->status, ==, DSA_ST_PREDICATE);
    } else {
        g_assert_cmphex(op->status, ==, DSA_ST_SUCCESS);
    }
}

static void test_compare(void)
{
    uint8_t flat[SPACE];
    int round;

    for (round = 0; round < 300; round++) {
        uint32_t size = g_test_rand_int_range(1, round % 2 ? 64 : 6000);
        uint64_t a = g_test_rand_int_range(0, SPACE / 2 - size);
        uint64_t b = g_test_rand_int_range(SPACE / 2, SPACE - size);
        uint32_t equal = round % 3 ? g_test_rand_int_range(0, size) : size;
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_COMPARE, .addr1 = a, .addr2 = b,
                      .size = size, .flags = round % 2 ? DSA_FLAG_CR : 0,
                      .op = { round % 5 == 0 } };
        unsigned i;
        DSAOp op;

        for (i = 0; i < size; i++) {
            *byte_at(m, b + i) = *byte_at(m, a + i);
        }
        if (equal < size) {
            *byte_at(m, b + equal) ^= 1 << (round % 8);
        }
        g_assert(run(m, &op, &d));
        check_compare(&op, size, equal, d.flags, round % 5 == 0);
        g_free(m);
    }
}

static void test_compval(void)
{
    uint8_t flat[SPACE];
    int round;

    for (round = 0; round < 300; round++) {
        uint32_t size = g_test_rand_int_range(1, round % 2 ? 64 : 9000);
        uint64_t a = g_test_rand_int_range(0, SPACE - size);
        uint64_t pattern = (uint64_t)g_test_rand_int() << 32 |
                           g_test_rand_int();
        uint32_t equal = round % 3 ? g_test_rand_int_range(0, size) : size;
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_COMPVAL, .addr1 = a, .addr2 = pattern,
                      .size = size, .flags = round % 2 ? DSA_FLAG_CR : 0,
                      .op = { round % 5 == 0 } };
        unsigned i;
        DSAOp op;

        for (i = 0; i < size; i++) {
            *byte_at(m, a + i) = pattern >> (8 * (i % 8));
        }
        if (equal < size) {
            *byte_at(m, a + equal) ^= 1 << (round % 8);
        }
        g_assert(run(m, &op, &d));
        check_compare(&op, size, equal, d.flags, round % 5 == 0);
        g_free(m);
    }
}

static void test_dualcast(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 100; round++) {
        uint32_t size = g_test_rand_int_range(1, SPACE / 4);
        uint64_t src = 0, dst = SPACE / 4, dst2 = SPACE / 2;
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_DUALCAST, .addr1 = src, .addr2 = dst,
                      .op = { dst2 }, .size = size };
        unsigned i;
        DSAOp op;

        memcpy(before, flat, SPACE);
        for (i = 0; i < size; i++) {
            flat[dst + i] = flat[dst2 + i] = flat[src + i];
        }
        g_assert(run(m, &op, &d));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        check_same(m, flat, before);
        g_free(m);
    }
}

static void test_copy_crc(void)
{
    uint8_t flat[SPACE], before[SPACE];
    int round;

    for (round = 0; round < 100; round++) {
        uint32_t size = g_test_rand_int_range(1, SPACE / 2);
        uint64_t src = 0, dst = SPACE / 2;
        PagedMem *m = mem_new(flat);
        DSADesc d = { .opcode = DSA_OP_COPY_CRC, .addr1 = src, .addr2 = dst,
                      .size = size };
        uint32_t crc = ~0;
        unsigned i, bit;
        DSAOp op;

        memcpy(before, flat, SPACE);
        for (i = 0; i < size; i++) {
            flat[dst + i] = flat[src + i];
            crc ^= flat[src + i];
            for (bit = 0; bit < 8; bit++) {
                crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
            }
        }
        g_assert(run(m, &op, &d));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        g_assert_cmphex(dsa_op_crc_value(&op), ==, ~crc);
        check_same(m, flat, before);
        g_free(m);
    }
}

/* Operations that write nothing reach exactly the pages of their operands */
static void test_touch(void)
{
    uint8_t flat[SPACE], before[SPACE];
    PagedMem *m = mem_new(flat);
    DSADesc d = { .opcode = DSA_OP_CFLUSH, .addr2 = PAGE + 10,
                  .size = 3 * PAGE };
    unsigned i;
    DSAOp op;

    memcpy(before, flat, SPACE);
    g_assert(run(m, &op, &d));
    g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
    for (i = 0; i < PAGES; i++) {
        g_assert_cmpint(m->known[i], ==, i >= 1 && i <= 4);
    }
    d = (DSADesc) { .opcode = DSA_OP_DRAIN, .addr1 = 10 * PAGE,
                    .addr2 = 12 * PAGE,
                    .flags = DSA_FLAG_DRAIN_RB1 | DSA_FLAG_DRAIN_RB2 };
    g_assert(run(m, &op, &d));
    g_assert(m->known[10] && !m->known[11] && m->known[12]);
    d = (DSADesc) { .opcode = DSA_OP_NOOP };
    g_assert(run(m, &op, &d));
    g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
    check_same(m, flat, before);
    for (i = 0; i < PAGES; i++) {
        g_assert(!m->dirty[i]);
    }
    g_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dsa/ops/memmove", test_memmove);
    g_test_add_func("/dsa/ops/memmove-fault", test_memmove_fault);
    g_test_add_func("/dsa/ops/fill", test_fill);
    g_test_add_func("/dsa/ops/compare", test_compare);
    g_test_add_func("/dsa/ops/compval", test_compval);
    g_test_add_func("/dsa/ops/dualcast", test_dualcast);
    g_test_add_func("/dsa/ops/copy-crc", test_copy_crc);
    g_test_add_func("/dsa/ops/touch", test_touch);
    return g_test_run();
}
