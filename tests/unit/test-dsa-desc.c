/*
 * intel-dsa: legality of descriptors, against an expectation written down a
 * second time in another form.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../../hw/misc/dsa/desc.h"

/*
 * What an operation takes.
 * @flags: one letter per flag bit from bit 23 down to bit 0: '1' legal, '.'
 *         not, 'b' in a batch only, 'm' with memory cache control, 'f' with
 *         cache flush control, 'r' with destination readback, 'd' with drain
 *         readback, '2' in version 2
 * @bytes: 0x10 to 0x3f by words of 4: 'x' used, '1' first byte used, 's' the
 *         first and third, 'd' the second and third, 'b' all three, '.'
 *         reserved
 * @shaped: sizes follow rules of their own
 */
typedef struct Expected {
    uint8_t opcode;
    const char *flags;
    const char *bytes;
    bool size, count, child, shaped;
} Expected;

static const Expected expected[] = {
    /*                     23   19   15   11   7    3                        */
    { DSA_OP_NOOP,        ".... .... ...1 .... ..11 11.b", "............",
      false, false, true },
    { DSA_OP_BATCH,       ".... .... ...1 ..1. ..11 111.", "xx..x.......",
      false, true, false },
    { DSA_OP_DRAIN,       ".... 11dd ...1 .11. ..11 11..", "xxxx........",
      false, false, false },
    { DSA_OP_MEMMOVE,     ".... .... 1r11 .11m ..11 111b", "xxxxx.......",
      true, false, true },
    { DSA_OP_FILL,        ".... ...2 1r11 .1.m ..11 111b", "xxxxx.......",
      true, false, true },
    { DSA_OP_COMPARE,     ".... .... ...1 .11. 1.11 111b", "xxxxx.1.....",
      true, false, true },
    { DSA_OP_COMPVAL,     ".... .... ...1 ..1. 1.11 111b", "xxxxx.1.....",
      true, false, true },
    { DSA_OP_DUALCAST,    ".... ...1 1r11 111m ..11 111b", "xxxxx.xx....",
      true, false, true },
    { DSA_OP_CRCGEN,      ".... .111 ...1 1.1. ..11 111b", "xx..x.x.xx..",
      true, false, true },
    { DSA_OP_COPY_CRC,    ".... .111 1r11 111m ..11 111b", "xxxxx.x.xx..",
      true, false, true },
    { DSA_OP_CFLUSH,      ".... .... ...1 .1.f ..11 111b", "..xxx.......",
      true, false, true },
    { DSA_OP_CREATE_DELTA, ".... .... 1r11 111m 1.11 111b", "xxxxx.xxx.1.",
      true, false, true, true },
    { DSA_OP_APPLY_DELTA, ".... .... 1r11 .11m ..11 111b", "xxxxx.x.....",
      true, false, true, true },
    { DSA_OP_DIF_CHECK,   ".... .... ...1 ..1. ..11 111b", "xx..x.s.xx..",
      true, false, true, true },
    { DSA_OP_DIF_INSERT,  ".... .... 1r11 .11m ..11 111b", "xxxxx.d...xx",
      true, false, true, true },
    { DSA_OP_DIF_STRIP,   ".... .... 1r11 .11m ..11 111b", "xxxxx.s.xx..",
      true, false, true, true },
    { DSA_OP_DIF_UPDATE,  ".... .... 1r11 .11m ..11 111b", "xxxxx.b.xxxx",
      true, false, true, true },
};

static const uint64_t all_ops[4] = { ~0ULL, ~0ULL, ~0ULL, ~0ULL };
static const uint64_t v1_ops[4] = { 0x3f03ff, 0, 0, 0x0 };

#define ALL_CAPS (0x30fULL | 31ULL << 16 | 10ULL << 21)

typedef struct Case {
    uint8_t raw[DSA_DESC_SIZE_FIELD + 32];
    DSADescRules rules;
    uint32_t invalid;
} Case;

QEMU_BUILD_BUG_ON(sizeof(((Case *)0)->raw) != 64);

static void put_flags(Case *c, uint8_t opcode, uint32_t flags)
{
    stl_le_p(c->raw + 4, flags | (uint32_t)opcode << 24);
}

/* A descriptor of this opcode that breaks no rule */
static void good(Case *c, const Expected *e)
{
    memset(c, 0, sizeof(*c));
    c->rules = (DSADescRules) {
        .gencap = ALL_CAPS, .opcap = all_ops, .op_config = all_ops,
        .xfer_shift = 20, .batch_shift = 8,
    };
    put_flags(c, e->opcode, DSA_FLAG_CRAV);
    stq_le_p(c->raw + 8, 0x1000);
    if (e->bytes[0] == 'x') {
        stq_le_p(c->raw + 0x10, 0x10000);
    }
    if (e->bytes[2] == 'x') {
        stq_le_p(c->raw + 0x18, 0x20000);
    }
    if (e->bytes[4] == 'x') {
        stl_le_p(c->raw + 0x20, 64);
    }
    switch (e->opcode) {
    case DSA_OP_CREATE_DELTA:
        stl_le_p(c->raw + 0x30, 80);
        /* fall through */
    case DSA_OP_DUALCAST:
        stq_le_p(c->raw + 0x28, 0x30000);
        break;
    case DSA_OP_APPLY_DELTA:
        stl_le_p(c->raw + 0x28, 10);
        break;
    case DSA_OP_DIF_INSERT:
        stl_le_p(c->raw + 0x20, 512);
        break;
    case DSA_OP_DIF_CHECK:
    case DSA_OP_DIF_STRIP:
    case DSA_OP_DIF_UPDATE:
        stl_le_p(c->raw + 0x20, 520);
        break;
    }
}

static const Expected *row(uint8_t opcode)
{
    unsigned i;

    for (i = 0; expected[i].opcode != opcode; i++) {
        g_assert(i + 1 < ARRAY_SIZE(expected));
    }
    return &expected[i];
}

static DSAStatus check(Case *c)
{
    DSADesc d;

    dsa_desc_decode(&d, c->raw);
    return dsa_desc_check(&d, c->raw, &c->rules, &c->invalid);
}

static char flag_letter(const Expected *e, unsigned bit)
{
    unsigned at = 23 - bit;

    return e->flags[at + at / 4];
}

static bool letter_legal(char letter, const Case *c)
{
    switch (letter) {
    case '1':
        return true;
    case 'b':
        return c->rules.in_batch;
    case 'm':
        return c->rules.gencap & BIT(2);
    case 'f':
        return c->rules.gencap & BIT(3);
    case 'r':
        return c->rules.gencap & BIT(8);
    case 'd':
        return c->rules.gencap & BIT(9);
    case '2':
        return c->rules.opcap[0] & BIT(10);
    default:
        return false;
    }
}

static void one_flag(const Expected *e, unsigned bit, uint64_t gencap,
                     bool in_batch, bool v2)
{
    bool legal, hidden;
    Case c;

    good(&c, e);
    c.rules.gencap = gencap;
    c.rules.in_batch = in_batch;
    c.rules.opcap = v2 ? all_ops : v1_ops;
    put_flags(&c, e->opcode, DSA_FLAG_CRAV | BIT(bit));
    /* CFLUSH is beyond the first word of the version 1 set */
    hidden = (in_batch && !e->child) || (!v2 && e->opcode > 0x1f);
    legal = letter_legal(flag_letter(e, bit), &c);
    if (hidden) {
        g_assert_cmphex(check(&c), ==, DSA_ST_OPCODE);
        g_assert_cmphex(c.invalid, ==, 0);
    } else if (legal) {
        g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
        g_assert_cmphex(c.invalid, ==, 0);
    } else {
        g_assert_cmphex(check(&c), ==, DSA_ST_FLAGS);
        g_assert_cmphex(c.invalid, ==, BIT(bit));
    }
}

static void test_flags(void)
{
    static const uint64_t caps[] = {
        ALL_CAPS, ALL_CAPS & ~BIT_ULL(2), ALL_CAPS & ~BIT_ULL(3),
        ALL_CAPS & ~BIT_ULL(8), ALL_CAPS & ~BIT_ULL(9),
    };
    unsigned i, bit, cap;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        for (bit = 0; bit < 24; bit++) {
            for (cap = 0; cap < ARRAY_SIZE(caps); cap++) {
                one_flag(&expected[i], bit, caps[cap], false, true);
                one_flag(&expected[i], bit, caps[cap], true, true);
                one_flag(&expected[i], bit, caps[cap], false, false);
            }
        }
    }
}

/* Request Completion Record needs an address; all bad flags are named */
static void test_flag_sets(void)
{
    Case c;

    good(&c, &expected[3]);
    put_flags(&c, DSA_OP_MEMMOVE, DSA_FLAG_RCR);
    g_assert_cmphex(check(&c), ==, DSA_ST_FLAGS);
    g_assert_cmphex(c.invalid, ==, DSA_FLAG_RCR);
    put_flags(&c, DSA_OP_MEMMOVE, DSA_FLAG_CRAV | DSA_FLAG_RCR | BIT(6) |
              BIT(7) | BIT(23));
    g_assert_cmphex(check(&c), ==, DSA_ST_FLAGS);
    g_assert_cmphex(c.invalid, ==, BIT(6) | BIT(7) | BIT(23));
}

static bool byte_used(const Expected *e, unsigned at)
{
    char letter = e->bytes[(at - 0x10) / 4];

    if (at == 0x24 || at == 0x25) {
        return true;            /* the interrupt handle */
    }
    switch (at % 4) {
    case 0:
        return strchr("x1sb", letter);
    case 1:
        return strchr("xdb", letter);
    case 2:
        return strchr("xsdb", letter);
    default:
        return letter == 'x';
    }
}

static void test_reserved(void)
{
    unsigned i, at;
    Case c;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        for (at = 0x10; at < 64; at++) {
            good(&c, &expected[i]);
            c.rules.xfer_shift = 31;
            if (byte_used(&expected[i], at)) {
                continue;
            }
            c.raw[at] = 0x80;
            g_assert_cmphex(check(&c), ==, DSA_ST_RESERVED);
        }
        /* bits 30:20 of the first word */
        for (at = 20; at < 31; at++) {
            good(&c, &expected[i]);
            stl_le_p(c.raw, BIT(at));
            g_assert_cmphex(check(&c), ==, DSA_ST_RESERVED);
        }
        good(&c, &expected[i]);
        stl_le_p(c.raw, 0x800fffff);
        g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
    }
}

/* Reserved bits of bytes that have others in use */
static void test_reserved_bits(void)
{
    static const struct { uint8_t opcode, at, rsvd; } bits[] = {
        { DSA_OP_CREATE_DELTA, 0x38, 0xf8 },
        { DSA_OP_DIF_CHECK, 0x28, 0x00 }, { DSA_OP_DIF_CHECK, 0x2a, 0xf0 },
        { DSA_OP_DIF_INSERT, 0x29, 0x6f }, { DSA_OP_DIF_INSERT, 0x2a, 0xf0 },
        { DSA_OP_DIF_STRIP, 0x28, 0x00 }, { DSA_OP_DIF_STRIP, 0x2a, 0xf0 },
        { DSA_OP_DIF_UPDATE, 0x28, 0x00 }, { DSA_OP_DIF_UPDATE, 0x29, 0x07 },
        { DSA_OP_DIF_UPDATE, 0x2a, 0xf0 },
    };
    unsigned i, bit;
    Case c;

    for (i = 0; i < ARRAY_SIZE(bits); i++) {
        for (bit = 0; bit < 8; bit++) {
            good(&c, row(bits[i].opcode));
            c.raw[bits[i].at] = 1 << bit;
            if (bits[i].rsvd & 1 << bit) {
                g_assert_cmphex(check(&c), ==, DSA_ST_RESERVED);
            } else {
                g_assert_cmphex(check(&c), !=, DSA_ST_RESERVED);
            }
        }
    }
}

/* Fields that flags bring into existence, or into use */
static void test_optional_fields(void)
{
    Case c;

    good(&c, &expected[2]);
    stq_le_p(c.raw + 0x10, 0x5000);
    stq_le_p(c.raw + 0x18, 0x5000);
    g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
    put_flags(&c, DSA_OP_DRAIN, DSA_FLAG_CRAV | DSA_FLAG_DRAIN_RB1 |
              DSA_FLAG_DRAIN_RB2);
    g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);

    good(&c, &expected[4]);
    stq_le_p(c.raw + 0x28, 1);
    g_assert_cmphex(check(&c), ==, DSA_ST_RESERVED);
    put_flags(&c, DSA_OP_FILL, DSA_FLAG_CRAV | DSA_FLAG_FILL_16);
    g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
}

static void test_sizes(void)
{
    static const struct { uint32_t n; bool size_ok, count_ok; } sizes[] = {
        { 0, false, false }, { 1, true, false }, { 2, true, true },
        { 3, true, true }, { 256, true, true }, { 257, true, false },
        { 1 << 20, true, false }, { (1 << 20) + 1, false, false },
        { 0x7fffffff, false, false }, { 0xffffffff, false, false },
    };
    unsigned i, k;
    Case c;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        const Expected *e = &expected[i];

        for (k = 0; k < ARRAY_SIZE(sizes); k++) {
            DSAStatus want = DSA_ST_SUCCESS;

            good(&c, e);
            stq_le_p(c.raw + 0x18, e->bytes[2] == 'x' ? 1ULL << 40 : 0);
            stq_le_p(c.raw + 0x28, e->bytes[6] == 'x' && e->bytes[7] == 'x' ?
                     1ULL << 41 : 0);
            if ((!e->size && !e->count) || e->shaped) {
                continue;
            }
            stl_le_p(c.raw + 0x20, sizes[k].n);
            if (e->size && !sizes[k].size_ok) {
                want = DSA_ST_SIZE;
            } else if (e->count && !sizes[k].count_ok) {
                want = DSA_ST_COUNT;
            }
            g_assert_cmphex(check(&c), ==, want);
        }
    }
    /* the device's limits hold where the queue's are higher */
    good(&c, &expected[3]);
    c.rules.xfer_shift = 31;
    c.rules.gencap = deposit64(ALL_CAPS, 16, 5, 5);
    g_assert_cmphex(check(&c), ==, DSA_ST_SIZE);
    good(&c, &expected[1]);
    c.rules.batch_shift = 15;
    c.rules.gencap = deposit64(ALL_CAPS, 21, 4, 15);
    stl_le_p(c.raw + 0x20, 1024);
    g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
    stl_le_p(c.raw + 0x20, 1025);
    g_assert_cmphex(check(&c), ==, DSA_ST_COUNT);
}

/* Whole blocks, with their DIF where the source has it */
static void test_dif_sizes(void)
{
    static const uint8_t ops[] = { DSA_OP_DIF_CHECK, DSA_OP_DIF_INSERT,
                                   DSA_OP_DIF_STRIP, DSA_OP_DIF_UPDATE };
    static const unsigned blocks[] = { 512, 520, 4096, 4104 };
    unsigned o, b, n;
    int off;
    Case c;

    for (o = 0; o < ARRAY_SIZE(ops); o++) {
        for (b = 0; b < ARRAY_SIZE(blocks); b++) {
            for (n = 0; n < 4; n++) {
                for (off = -8; off <= 8; off += 4) {
                    unsigned unit = blocks[b] + (ops[o] == DSA_OP_DIF_INSERT
                                                 ? 0 : 8);
                    uint32_t size = n * unit + off;

                    good(&c, row(ops[o]));
                    c.raw[0x2a] = b;
                    stl_le_p(c.raw + 0x20, size);
                    g_assert_cmphex(check(&c), ==,
                                    size && size % unit == 0 ? DSA_ST_SUCCESS
                                                             : DSA_ST_SIZE);
                }
            }
            good(&c, row(ops[o]));
            c.raw[0x2a] = b;
            c.rules.xfer_shift = 16;
            stl_le_p(c.raw + 0x20, ((1 << 16) / 4104 + 1) * 4112 * 520 * 8);
            g_assert_cmphex(check(&c), ==, DSA_ST_SIZE);
        }
    }
}

static DSAStatus delta(uint8_t opcode, uint32_t size, uint32_t record)
{
    Case c;

    good(&c, row(opcode));
    stq_le_p(c.raw + 0x10, 1ULL << 40);
    stq_le_p(c.raw + 0x18, 1ULL << 41);
    stl_le_p(c.raw + 0x20, size);
    stl_le_p(c.raw + (opcode == DSA_OP_CREATE_DELTA ? 0x30 : 0x28), record);
    return check(&c);
}

static void test_delta_sizes(void)
{
    static const uint8_t ops[] = { DSA_OP_CREATE_DELTA, DSA_OP_APPLY_DELTA };
    static const unsigned addrs[] = { 0x10, 0x18, 0x28 };
    unsigned o, i, a;
    Case c;

    for (o = 0; o < 2; o++) {
        bool create = ops[o] == DSA_OP_CREATE_DELTA;

        for (i = 0; i < 64; i++) {
            g_assert_cmphex(delta(ops[o], i, 80), ==,
                            i && i % 8 == 0 ? DSA_ST_SUCCESS : DSA_ST_SIZE);
        }
        g_assert_cmphex(delta(ops[o], 0x80000, 80), ==, DSA_ST_SUCCESS);
        g_assert_cmphex(delta(ops[o], 0x80008, 80), ==, DSA_ST_SIZE);
        for (i = 0; i < 200; i++) {
            bool ok = create ? i >= 80 : i && i % 10 == 0;

            g_assert_cmphex(delta(ops[o], 64, i), ==, ok ? DSA_ST_SUCCESS
                                                         : DSA_ST_DELTA_SIZE);
        }
        for (a = 0; a < (create ? 3 : 2); a++) {
            for (i = 0; i < 16; i++) {
                good(&c, row(ops[o]));
                c.raw[addrs[a]] += i;
                g_assert_cmphex(check(&c), ==, i % 8 ? DSA_ST_ADDR_ALIGN
                                                     : DSA_ST_SUCCESS);
            }
        }
    }
}

static void test_alignment(void)
{
    unsigned i, at;
    Case c;

    for (i = 0; i < ARRAY_SIZE(expected); i++) {
        for (at = 1; at < 32; at++) {
            good(&c, &expected[i]);
            stq_le_p(c.raw + 8, 0x1000 + at);
            g_assert_cmphex(check(&c), ==, DSA_ST_CR_ALIGN);
            put_flags(&c, expected[i].opcode, 0);
            g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
        }
    }
    for (at = 1; at < 64; at++) {
        good(&c, &expected[1]);
        stq_le_p(c.raw + 0x10, 0x10000 + at);
        g_assert_cmphex(check(&c), ==, DSA_ST_LIST_ALIGN);
    }
}

static DSAStatus ranges(uint8_t opcode, uint64_t a, uint64_t b, uint64_t c2,
                        uint32_t size, uint64_t gencap)
{
    Case c;

    good(&c, row(opcode));
    c.rules.gencap = gencap;
    stq_le_p(c.raw + 0x10, a);
    stq_le_p(c.raw + 0x18, b);
    if (opcode == DSA_OP_DUALCAST) {
        stq_le_p(c.raw + 0x28, c2);
    }
    stl_le_p(c.raw + 0x20, size);
    return check(&c);
}

static void test_overlap(void)
{
    static const struct { uint64_t a, b; bool overlap; } pairs[] = {
        { 0x1000, 0x2000, false }, { 0x1000, 0x1fff, true },
        { 0x2000, 0x1000, false }, { 0x1fff, 0x1000, true },
        { 0x1000, 0x1000, true }, { 0, ~0xfffULL, false },
        { 0, ~0xffeULL, true }, { ~0xffeULL, 0, true },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(pairs); i++) {
        DSAStatus want = pairs[i].overlap ? DSA_ST_OVERLAP : DSA_ST_SUCCESS;
        uint64_t a = pairs[i].a, b = pairs[i].b, far = 1ULL << 40;

        g_assert_cmphex(ranges(DSA_OP_MEMMOVE, a, b, 0, 0x1000, ALL_CAPS), ==,
                        DSA_ST_SUCCESS);
        g_assert_cmphex(ranges(DSA_OP_MEMMOVE, a, b, 0, 0x1000,
                               ALL_CAPS & ~BIT_ULL(1)), ==, want);
        g_assert_cmphex(ranges(DSA_OP_COPY_CRC, a, b, 0, 0x1000, ALL_CAPS), ==,
                        want);
        g_assert_cmphex(ranges(DSA_OP_COMPARE, a, b, 0, 0x1000, ALL_CAPS), ==,
                        DSA_ST_SUCCESS);
        g_assert_cmphex(ranges(DSA_OP_DUALCAST, a, b, far | (b & 0xfff),
                               0x1000, ALL_CAPS), ==, want);
        g_assert_cmphex(ranges(DSA_OP_DUALCAST, a, far | (b & 0xfff), b,
                               0x1000, ALL_CAPS), ==, want);
        g_assert_cmphex(ranges(DSA_OP_DUALCAST, far, a & ~0xfffULL,
                               a & ~0xfffULL, 0x1000, ALL_CAPS), ==,
                        DSA_ST_OVERLAP);
    }
    g_assert_cmphex(ranges(DSA_OP_DUALCAST, 0, 0x10008, 0x20010, 64,
                           ALL_CAPS), ==, DSA_ST_DUALCAST);
}

/* Operands of different sizes, at the last byte that they may not share */
static void test_unequal_overlap(void)
{
    static const struct {
        uint8_t opcode;
        unsigned addr, other;       /* offsets of the two addresses */
        unsigned size, other_size;
    } pairs[] = {
        { DSA_OP_CREATE_DELTA, 0x28, 0x10, 120, 160 },
        { DSA_OP_CREATE_DELTA, 0x28, 0x18, 120, 160 },
        { DSA_OP_APPLY_DELTA, 0x10, 0x18, 120, 160 },
        { DSA_OP_DIF_INSERT, 0x10, 0x18, 1536, 1560 },
        { DSA_OP_DIF_STRIP, 0x10, 0x18, 1560, 1536 },
        { DSA_OP_DIF_UPDATE, 0x10, 0x18, 1560, 1560 },
    };
    const uint64_t base = 1ULL << 40;
    unsigned i;
    int off;
    Case c;

    for (i = 0; i < ARRAY_SIZE(pairs); i++) {
        for (off = -2000; off <= 2000; off += 8) {
            bool apart = off >= (int)pairs[i].other_size ||
                         -off >= (int)pairs[i].size;

            good(&c, row(pairs[i].opcode));
            stq_le_p(c.raw + pairs[i].addr, base + off);
            stq_le_p(c.raw + pairs[i].other, base);
            if (pairs[i].opcode == DSA_OP_CREATE_DELTA) {
                stl_le_p(c.raw + 0x20, pairs[i].other_size);
                stl_le_p(c.raw + 0x30, pairs[i].size);
            } else if (pairs[i].opcode == DSA_OP_APPLY_DELTA) {
                stl_le_p(c.raw + 0x20, pairs[i].other_size);
                stl_le_p(c.raw + 0x28, pairs[i].size);
            } else {
                stl_le_p(c.raw + 0x20, pairs[i].size);
            }
            g_assert_cmphex(check(&c), ==, apart ? DSA_ST_SUCCESS
                                                 : DSA_ST_OVERLAP);
        }
    }
}

/* Strictly ordered writes travel in the completion record's traffic class */
static void test_traffic_classes(void)
{
    static const struct { uint8_t opcode; uint32_t dest; } ops[] = {
        { DSA_OP_MEMMOVE, DSA_FLAG_ADDR2_TC },
        { DSA_OP_DUALCAST, DSA_FLAG_ADDR2_TC | DSA_FLAG_ADDR3_TC },
        { DSA_OP_CREATE_DELTA, DSA_FLAG_ADDR3_TC },
        { DSA_OP_APPLY_DELTA, DSA_FLAG_ADDR2_TC },
        { DSA_OP_DIF_STRIP, DSA_FLAG_ADDR2_TC },
    };
    unsigned i, tcs;
    Case c;

    for (i = 0; i < ARRAY_SIZE(ops); i++) {
        for (tcs = 0; tcs < 16; tcs++) {
            uint32_t flags = tcs << 9 | DSA_FLAG_CRAV | DSA_FLAG_STORD;
            uint32_t want = flags & DSA_FLAG_CR_TC ? ops[i].dest : 0;

            if ((flags & DSA_FLAG_ADDR3_TC) && i != 1 && i != 2) {
                continue;       /* it has no third operand */
            }
            good(&c, row(ops[i].opcode));
            c.rules.tc_b = 1;
            put_flags(&c, ops[i].opcode, flags);
            g_assert_cmphex(check(&c), ==,
                            (flags & ops[i].dest) == want ? DSA_ST_SUCCESS
                                                          : DSA_ST_TC);
        }
    }
}

static void test_opcodes(void)
{
    uint64_t one[4], but[4];
    unsigned op, i;
    Case c;

    for (op = 0; op < 256; op++) {
        const Expected *e = NULL;

        for (i = 0; i < ARRAY_SIZE(expected); i++) {
            if (expected[i].opcode == op) {
                e = &expected[i];
            }
        }
        good(&c, e ? e : &expected[0]);
        put_flags(&c, op, DSA_FLAG_CRAV);
        g_assert_cmphex(check(&c), ==, e ? DSA_ST_SUCCESS : DSA_ST_OPCODE);
        g_assert_cmpint(dsa_opcode_known(op), ==, e != NULL);
        for (i = 0; i < 4; i++) {
            one[i] = op / 64 == i ? BIT_ULL(op % 64) : 0;
            but[i] = ~one[i];
        }
        c.rules.op_config = one;
        g_assert_cmphex(check(&c), ==, e ? DSA_ST_SUCCESS : DSA_ST_OPCODE);
        c.rules.op_config = but;
        g_assert_cmphex(check(&c), ==, DSA_ST_OPCODE);
        c.rules.op_config = all_ops;
        c.rules.opcap = but;
        g_assert_cmphex(check(&c), ==, DSA_ST_OPCODE);
    }
}

/* The order of the checks where several rules are broken */
static void test_order(void)
{
    Case c;

    good(&c, &expected[3]);
    c.rules.priv = true;
    c.rules.tc_b = 1;
    stq_le_p(c.raw + 8, 0x1001);
    put_flags(&c, 0xff, BIT(6) | DSA_FLAG_CRAV | DSA_FLAG_STORD |
              DSA_FLAG_CR_TC);
    c.raw[0x3f] = 1;
    stl_le_p(c.raw + 0x20, 0);
    g_assert_cmphex(check(&c), ==, DSA_ST_PRIV);
    c.rules.priv_ok = true;
    g_assert_cmphex(check(&c), ==, DSA_ST_CR_ALIGN);
    stq_le_p(c.raw + 8, 0x1000);
    g_assert_cmphex(check(&c), ==, DSA_ST_OPCODE);
    put_flags(&c, DSA_OP_MEMMOVE, BIT(6) | DSA_FLAG_CRAV | DSA_FLAG_STORD |
              DSA_FLAG_CR_TC);
    g_assert_cmphex(check(&c), ==, DSA_ST_RESERVED);
    c.raw[0x3f] = 0;
    g_assert_cmphex(check(&c), ==, DSA_ST_FLAGS);
    put_flags(&c, DSA_OP_MEMMOVE, DSA_FLAG_CRAV | DSA_FLAG_STORD |
              DSA_FLAG_CR_TC);
    g_assert_cmphex(check(&c), ==, DSA_ST_SIZE);
    stl_le_p(c.raw + 0x20, 1);
    g_assert_cmphex(check(&c), ==, DSA_ST_TC);
    put_flags(&c, DSA_OP_MEMMOVE, DSA_FLAG_CRAV | DSA_FLAG_STORD |
              DSA_FLAG_CR_TC | DSA_FLAG_ADDR2_TC);
    g_assert_cmphex(check(&c), ==, DSA_ST_SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dsa/desc/flags", test_flags);
    g_test_add_func("/dsa/desc/flag-sets", test_flag_sets);
    g_test_add_func("/dsa/desc/reserved", test_reserved);
    g_test_add_func("/dsa/desc/reserved-bits", test_reserved_bits);
    g_test_add_func("/dsa/desc/optional-fields", test_optional_fields);
    g_test_add_func("/dsa/desc/sizes", test_sizes);
    g_test_add_func("/dsa/desc/dif-sizes", test_dif_sizes);
    g_test_add_func("/dsa/desc/delta-sizes", test_delta_sizes);
    g_test_add_func("/dsa/desc/alignment", test_alignment);
    g_test_add_func("/dsa/desc/overlap", test_overlap);
    g_test_add_func("/dsa/desc/unequal-overlap", test_unequal_overlap);
    g_test_add_func("/dsa/desc/traffic-classes", test_traffic_classes);
    g_test_add_func("/dsa/desc/opcodes", test_opcodes);
    g_test_add_func("/dsa/desc/order", test_order);
    return g_test_run();
}
