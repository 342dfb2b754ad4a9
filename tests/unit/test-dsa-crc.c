/*
 * intel-dsa: CRC-32C with its bypass flags, against published vectors and
 * against long division bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../../hw/misc/dsa/op.h"

/* All memory is one window, cut short to exercise resumption */
typedef struct FlatMem {
    DSAMem mem;
    uint8_t *bytes;
    uint64_t size, cut;
} FlatMem;

static bool flat_window(DSAMem *mem, uint64_t addr, uint64_t len, bool write,
                        bool backward, DSAWindow *win)
{
    FlatMem *f = container_of(mem, FlatMem, mem);

    g_assert(!backward && len && addr < f->size && len <= f->size - addr);
    *win = (DSAWindow) { f->bytes + addr, MIN(len, f->cut) };
    return true;
}

static void flat_wrote(DSAMem *mem, const DSAWindow *win, uint64_t len)
{
}

static uint32_t run_crc(uint8_t *bytes, uint64_t size, uint64_t cut,
                        uint32_t len, uint32_t flags, uint32_t seed)
{
    FlatMem f = { { flat_window, flat_wrote }, bytes, size, cut };
    DSADesc d = { .opcode = DSA_OP_CRCGEN, .size = len, .flags = flags,
                  .op = { seed, 0, 0 } };
    uint64_t budget = UINT64_MAX;
    DSAStep step;
    DSAOp op;

    dsa_op_init(&op, &d);
    do {
        step = dsa_op_step(&op, &f.mem, &budget);
        g_assert_cmpint(step, !=, DSA_STEP_MISS);
    } while (step == DSA_STEP_MORE);
    g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
    return dsa_op_crc_value(&op);
}

static void test_vectors(void)
{
    uint8_t digits[] = "123456789", zeros[32] = { 0 }, ones[32];
    uint8_t ramp[32];
    unsigned i;

    memset(ones, 0xff, sizeof(ones));
    for (i = 0; i < 32; i++) {
        ramp[i] = i;
    }
    g_assert_cmphex(run_crc(digits, 9, 9, 9, 0, 0), ==, 0xe3069283);
    g_assert_cmphex(run_crc(zeros, 32, 32, 32, 0, 0), ==, 0x8a9136aa);
    g_assert_cmphex(run_crc(ones, 32, 32, 32, 0, 0), ==, 0x62a8ab43);
    /* RFC 3720 appendix B.4: 32 incrementing bytes */
    g_assert_cmphex(run_crc(ramp, 32, 32, 32, 0, 0), ==, 0x46dd794e);
}

/* Long division, most significant bit first, as section 8.3.12 describes it */
static uint32_t turn(uint32_t x)
{
    uint32_t r = 0;
    int i;

    for (i = 0; i < 32; i++) {
        r |= ((x >> i) & 1) << (31 - i);
    }
    return r;
}

static uint32_t model(const uint8_t *p, unsigned len, uint32_t flags,
                      uint32_t seed)
{
    uint32_t reg = flags & DSA_FLAG_CRC_RAW ? seed : turn(~seed);
    unsigned i;
    int bit;

    for (i = 0; i < len; i++) {
        for (bit = 0; bit < 8; bit++) {
            int from = flags & DSA_FLAG_CRC_RAW_DATA ? 7 - bit : bit;
            uint32_t in = (p[i] >> from) & 1;
            uint32_t out = reg >> 31;

            reg <<= 1;
            if (in ^ out) {
                reg ^= 0x1edc6f41;
            }
        }
    }
    return flags & DSA_FLAG_CRC_RAW ? reg : ~turn(reg);
}

static void test_model(void)
{
    enum { SIZE = 5000 };
    g_autofree uint8_t *bytes = g_malloc(SIZE);
    unsigned i, round;

    for (i = 0; i < SIZE; i++) {
        bytes[i] = g_test_rand_int();
    }
    for (round = 0; round < 400; round++) {
        uint32_t len = g_test_rand_int_range(1, round < 200 ? 40 : 4000);
        uint32_t at = g_test_rand_int_range(0, SIZE - len);
        uint32_t flags = (round % 4) << 17;
        uint32_t seed = g_test_rand_int();
        uint64_t cut = g_test_rand_int_range(1, 1500);

        g_assert_cmphex(run_crc(bytes + at, len, cut, len, flags, seed), ==,
                        model(bytes + at, len, flags, seed));
    }
}

/* A CRC continues from the one before it */
static void test_continue(void)
{
    uint8_t digits[] = "123456789";
    unsigned flags, cut;

    for (flags = 0; flags < 4; flags++) {
        uint32_t whole = run_crc(digits, 9, 9, 9, flags << 17, 0x1234567);

        for (cut = 1; cut < 9; cut++) {
            uint32_t first = run_crc(digits, 9, 9, cut, flags << 17, 0x1234567);

            g_assert_cmphex(run_crc(digits + cut, 9 - cut, 9, 9 - cut,
                                    flags << 17, first), ==, whole);
        }
    }
}

static void test_seed_from_memory(void)
{
    uint8_t bytes[64];
    FlatMem f = { { flat_window, flat_wrote }, bytes, 64, 2 };
    DSADesc d = { .opcode = DSA_OP_CRCGEN, .size = 9,
                  .flags = DSA_FLAG_CRC_SEED_MEM,
                  .op = { 0xffffffff, 33, 0 } };
    uint64_t budget = 1000;
    DSAOp op;

    memcpy(bytes, "123456789", 9);
    stl_le_p(bytes + 33, 0xcafe1234);
    dsa_op_init(&op, &d);
    while (dsa_op_step(&op, &f.mem, &budget) == DSA_STEP_MORE) {
        /* goes on */
    }
    g_assert_cmphex(dsa_op_crc_value(&op), ==,
                    model(bytes, 9, 0, 0xcafe1234));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dsa/crc/vectors", test_vectors);
    g_test_add_func("/dsa/crc/model", test_model);
    g_test_add_func("/dsa/crc/continue", test_continue);
    g_test_add_func("/dsa/crc/seed-from-memory", test_seed_from_memory);
    return g_test_run();
}
