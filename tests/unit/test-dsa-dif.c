/*
 * intel-dsa: the DIF operations on scattered pages that become known one by
 * one, against a model that works on flat memory and divides bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "../../hw/misc/dsa/op.h"

#define PAGES 160
#include "dsa-paged.h"

#define SRC 0
#define DST (SPACE / 2)
static const unsigned block_sizes[] = { 512, 520, 4096, 4104 };

/* The descriptor's own bytes, as a program would write them */
typedef struct DifDesc {
    uint8_t src_flags, dst_flags, flags;
    uint32_t src_ref, dst_ref;
    uint16_t src_mask, src_app, dst_mask, dst_app;
} DifDesc;

static DSADesc make_desc(uint8_t opcode, const DifDesc *f, uint32_t size)
{
    uint8_t raw[64] = { 0 };
    DSADesc d;

    raw[7] = opcode;
    stq_le_p(raw + 0x10, SRC);
    stq_le_p(raw + 0x18, DST);
    stl_le_p(raw + 0x20, size);
    raw[0x28] = f->src_flags;
    raw[0x29] = f->dst_flags;
    raw[0x2a] = f->flags;
    stl_le_p(raw + 0x30, f->src_ref);
    stw_le_p(raw + 0x34, f->src_mask);
    stw_le_p(raw + 0x36, f->src_app);
    stl_le_p(raw + 0x38, f->dst_ref);
    stw_le_p(raw + 0x3c, f->dst_mask);
    stw_le_p(raw + 0x3e, f->dst_app);
    dsa_desc_decode(&d, raw);
    return d;
}

/* The remainder of the data times x^16 by the polynomial, bit by bit */
static uint16_t guard_of(const uint8_t *data, unsigned len, uint8_t flags)
{
    uint16_t rem = flags & 4 ? 0xffff : 0;
    unsigned i, bit;

    for (i = 0; i < len; i++) {
        for (bit = 8; bit-- > 0; ) {
            bool carry = (rem >> 15) ^ ((data[i] >> bit) & 1);

            rem = rem << 1 ^ (carry ? 0x8bb7 : 0);
        }
    }
    return flags & 8 ? rem ^ 0xffff : rem;
}

static void put_tags(uint8_t *at, uint16_t guard, uint16_t app, uint32_t ref)
{
    unsigned i;

    at[0] = guard >> 8;
    at[1] = guard;
    at[2] = app >> 8;
    at[3] = app;
    for (i = 0; i < 4; i++) {
        at[4 + i] = ref >> (24 - 8 * i);
    }
}

/* Tags of block @n: what the source must have, what the destination gets */
static uint32_t src_ref(const DifDesc *f, unsigned n)
{
    return f->src_ref + (f->src_flags & 0x80 ? 0 : n);
}

static uint16_t src_app(const DifDesc *f, unsigned n)
{
    return f->src_app + (f->src_flags & 0x10 ? n : 0);
}

static uint32_t dst_ref(const DifDesc *f, unsigned n)
{
    return f->dst_ref + (f->dst_flags & 0x80 ? 0 : n);
}

static uint16_t dst_app(const DifDesc *f, unsigned n)
{
    return f->dst_app + (f->dst_flags & 0x10 ? n : 0);
}

static void random_desc(DifDesc *f, uint8_t opcode)
{
    *f = (DifDesc) {
        .src_flags = g_test_rand_int() & 0xf0,
        .dst_flags = g_test_rand_int() & (opcode == DSA_OP_DIF_INSERT ? 0x90
                                                                      : 0xf8),
        .flags = g_test_rand_int() & 0x0f,
        .src_ref = g_test_rand_int(), .dst_ref = g_test_rand_int(),
        .src_app = g_test_rand_int(), .dst_app = g_test_rand_int(),
    };
    if (g_test_rand_bit()) {
        f->src_mask = g_test_rand_int();
        f->dst_mask = g_test_rand_int();
    }
    if (g_test_rand_bit()) {    /* tags that overflow */
        f->src_ref |= 0xfffffffe;
        f->src_app |= 0xfffe;
        f->dst_ref |= 0xfffffffe;
        f->dst_app |= 0xfffe;
    }
}

static void put_source(PagedMem *m, uint8_t *flat, uint64_t at,
                       const uint8_t *data, unsigned len)
{
    unsigned i;

    for (i = 0; i < len; i++) {
        flat[at + i] = *byte_at(m, at + i) = data[i];
    }
}

/* A source of @n blocks that passes the checks of @f */
static void good_source(PagedMem *m, uint8_t *flat, const DifDesc *f,
                        unsigned block, unsigned n)
{
    uint8_t tags[8];
    unsigned i;

    for (i = 0; i < n; i++) {
        uint64_t at = SRC + i * (block + 8);
        uint16_t app = src_app(f, i) ^ (g_test_rand_int() & f->src_mask);

        put_tags(tags, guard_of(flat + at, block, f->flags), app,
                 src_ref(f, i));
        if (f->src_flags & 0x20) {
            tags[g_test_rand_bit()] ^= 0x41;
        }
        if (f->src_flags & 0x40) {
            tags[4 + g_test_rand_int_range(0, 4)] ^= 0x11;
        }
        put_source(m, flat, at + block, tags, 8);
    }
}

/* The model: block @i of the operation on flat memory */
static void model(uint8_t *flat, uint8_t opcode, const DifDesc *f,
                  unsigned block, unsigned i)
{
    bool insert = opcode == DSA_OP_DIF_INSERT;
    uint8_t *src = flat + SRC + i * (block + (insert ? 0 : 8));
    uint8_t *dst = flat + DST + i * (block + (opcode == DSA_OP_DIF_STRIP ? 0
                                                                          : 8));
    uint8_t tags[8];

    if (opcode == DSA_OP_DIF_CHECK) {
        return;
    }
    memcpy(dst, src, block);
    if (opcode == DSA_OP_DIF_STRIP) {
        return;
    }
    put_tags(tags, guard_of(src, block, f->flags), dst_app(f, i) & ~f->dst_mask,
             dst_ref(f, i));
    if (!insert && (f->dst_flags & 0x20)) {
        memcpy(tags, src + block, 2);
    }
    if (!insert && (f->dst_flags & 0x08)) {
        memcpy(tags + 2, src + block + 2, 2);
    }
    if (!insert && (f->dst_flags & 0x40)) {
        memcpy(tags + 4, src + block + 4, 4);
    }
    memcpy(dst + block, tags, 8);
}

/* The tags to go on with are in the record, and nothing where none belong */
static void check_record(const DSAOp *op, const DifDesc *f, unsigned n)
{
    bool src = op->d.opcode != DSA_OP_DIF_INSERT;
    bool dst = op->d.opcode == DSA_OP_DIF_INSERT ||
               op->d.opcode == DSA_OP_DIF_UPDATE;
    uint8_t cr[32] = { 0 };
    unsigned i;

    dsa_op_fill_record(op, cr);
    for (i = 0; i < 16; i++) {
        g_assert_cmphex(cr[i], ==, 0);
    }
    g_assert_cmphex((uint32_t)ldl_le_p(cr + 0x10), ==, src ? src_ref(f, n) : 0);
    g_assert_cmphex(lduw_le_p(cr + 0x14), ==, src ? f->src_mask : 0);
    g_assert_cmphex(lduw_le_p(cr + 0x16), ==, src ? src_app(f, n) : 0);
    g_assert_cmphex((uint32_t)ldl_le_p(cr + 0x18), ==, dst ? dst_ref(f, n) : 0);
    g_assert_cmphex(lduw_le_p(cr + 0x1c), ==, dst ? f->dst_mask : 0);
    g_assert_cmphex(lduw_le_p(cr + 0x1e), ==, dst ? dst_app(f, n) : 0);
}

typedef struct Round {
    uint8_t flat[SPACE], before[SPACE];
    PagedMem *m;
    DifDesc f;
    DSADesc d;
    unsigned block, n, src_step;
} Round;

static Round *round_new(uint8_t opcode, int i)
{
    Round *r = g_new0(Round, 1);

    r->m = mem_new(r->flat);
    random_desc(&r->f, opcode);
    r->f.flags = (r->f.flags & 0x0c) | i % 4;
    r->block = block_sizes[i % 4];
    r->src_step = r->block + (opcode == DSA_OP_DIF_INSERT ? 0 : 8);
    r->n = g_test_rand_int_range(1, SPACE / 2 / (r->block + 8) + 1);
    if (opcode != DSA_OP_DIF_INSERT) {
        good_source(r->m, r->flat, &r->f, r->block, r->n);
    }
    memcpy(r->before, r->flat, SPACE);
    r->d = make_desc(opcode, &r->f, r->n * r->src_step);
    return r;
}

static void round_free(Round *r)
{
    g_free(r->m);
    g_free(r);
}

static const uint8_t opcodes[] = {
    DSA_OP_DIF_CHECK, DSA_OP_DIF_INSERT, DSA_OP_DIF_STRIP, DSA_OP_DIF_UPDATE,
};

static void test_good(gconstpointer data)
{
    uint8_t opcode = *(const uint8_t *)data;
    unsigned k;
    int i;

    for (i = 0; i < 120; i++) {
        Round *r = round_new(opcode, i);
        DSAOp op;

        for (k = 0; k < r->n; k++) {
            model(r->flat, opcode, &r->f, r->block, k);
        }
        dsa_op_init(&op, &r->d);
        g_assert(paged_run(r->m, &op, r->src_step));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        g_assert_cmphex(op.result, ==, 0);
        g_assert_cmpuint(op.done, ==, r->d.size);
        check_same(r->m, r->flat, r->before);
        check_record(&op, &r->f, r->n);
        round_free(r);
    }
}

/*
 * A page that cannot be reached: whole blocks are done and the rest is
 * untouched, and both ways to go on lead to the same: the same operation
 * elsewhere, and a new descriptor made from the record.
 */
static void test_fault(gconstpointer data)
{
    uint8_t opcode = *(const uint8_t *)data;
    unsigned k, bad;
    int i;

    for (i = 0; i < 120; i++) {
        Round *r = round_new(opcode, i);
        bool at_dst = opcode != DSA_OP_DIF_CHECK && g_test_rand_bit();
        uint64_t len = at_dst ? (uint64_t)r->n * r->block : r->d.size;
        uint8_t cr[32] = { 0 };
        unsigned done;
        DSAOp op;

        bad = ((at_dst ? DST : SRC) + g_test_rand_int_range(0, len)) / PAGE;
        r->m->forbidden[bad] = true;
        dsa_op_init(&op, &r->d);
        g_assert(!paged_run(r->m, &op, r->src_step));
        g_assert_cmpuint(op.miss.addr / PAGE, ==, bad);
        g_assert_cmpuint(op.miss.write, ==, at_dst);
        done = op.done / r->src_step;
        g_assert_cmpuint(done, <, r->n);
        for (k = 0; k < done; k++) {
            model(r->flat, opcode, &r->f, r->block, k);
        }
        check_same(r->m, r->flat, r->before);
        check_record(&op, &r->f, done);

        r->m->forbidden[bad] = false;
        if (i % 8 < 4) {
            paged_move(&op, &r->d);
        } else {
            dsa_op_fill_record(&op, cr);
            r->d.addr1 += op.done;
            r->d.addr2 += done * (r->block +
                                  (opcode == DSA_OP_DIF_STRIP ? 0 : 8));
            r->d.size -= op.done;
            r->d.op[1] = ldq_le_p(cr + 0x10);
            r->d.op[2] = ldq_le_p(cr + 0x18);
            dsa_op_init(&op, &r->d);
        }
        for (; k < r->n; k++) {
            model(r->flat, opcode, &r->f, r->block, k);
        }
        g_assert(paged_run(r->m, &op, r->src_step));
        g_assert_cmphex(op.status, ==, DSA_ST_SUCCESS);
        check_same(r->m, r->flat, r->before);
        round_free(r);
    }
}

/* Each check finds what it is for, and only that, in the block that has it */
static void test_errors(void)
{
    static const struct { unsigned byte; uint8_t off, status; } flips[] = {
        { 0, 0x20, 1 }, { 1, 0x20, 1 }, { 2, 0, 2 }, { 3, 0, 2 },
        { 4, 0x40, 4 }, { 5, 0x40, 4 }, { 6, 0x40, 4 }, { 7, 0x40, 4 },
    };
    unsigned o, i, k;

    for (o = 0; o < ARRAY_SIZE(opcodes); o++) {
        if (opcodes[o] == DSA_OP_DIF_INSERT) {
            continue;
        }
        for (i = 0; i < 4 * ARRAY_SIZE(flips) * 2; i++) {
            Round *r = round_new(opcodes[o], i % 4);
            unsigned flip = i / 4 % ARRAY_SIZE(flips), block;
            bool off = i / (4 * ARRAY_SIZE(flips));
            uint8_t mask = 1 << g_test_rand_int_range(0, 8), byte;
            uint8_t want = flips[flip].status;
            uint64_t at;
            DSAOp op;

            r->f.src_flags &= ~0x60;
            r->f.src_mask = 0;
            good_source(r->m, r->flat, &r->f, r->block, r->n);
            block = g_test_rand_int_range(0, r->n);
            at = SRC + block * (r->block + 8) + r->block + flips[flip].byte;
            byte = r->flat[at] ^ mask;
            put_source(r->m, r->flat, at, &byte, 1);
            memcpy(r->before, r->flat, SPACE);
            if (off) {          /* with that check off */
                r->f.src_flags |= flips[flip].off;
                if (want == 2) {
                    r->f.src_mask = mask << (flips[flip].byte == 2 ? 8 : 0);
                }
                want = 0;
                block = r->n;
            }
            for (k = 0; k < block; k++) {
                model(r->flat, opcodes[o], &r->f, r->block, k);
            }
            r->d = make_desc(opcodes[o], &r->f, r->n * r->src_step);
            dsa_op_init(&op, &r->d);
            g_assert(paged_run(r->m, &op, r->src_step));
            g_assert_cmphex(op.status, ==, want ? DSA_ST_DIF : DSA_ST_SUCCESS);
            g_assert_cmphex(op.result, ==, want);
            g_assert_cmpuint(op.done, ==, block * r->src_step);
            check_same(r->m, r->flat, r->before);
            check_record(&op, &r->f, block);
            round_free(r);
        }
    }
}

static uint8_t status_of(uint8_t src_flags, uint16_t guard, uint16_t app,
                         uint32_t ref, uint16_t mask)
{
    DifDesc f = { .src_flags = src_flags, .src_mask = mask };
    DSADesc d = make_desc(DSA_OP_DIF_CHECK, &f, 520);
    uint8_t flat[SPACE], tags[8];
    PagedMem *m = mem_new(flat);
    DSAOp op;

    put_tags(tags, guard, app, ref);
    put_source(m, flat, SRC + 512, tags, 8);
    if (guard_of(flat + SRC, 512, 0) == guard) {
        flat[SRC] ^= 1;
        *byte_at(m, SRC) ^= 1;
    }
    dsa_op_init(&op, &d);
    g_assert(paged_run(m, &op, 520));
    g_assert_cmphex(op.status, ==, op.result ? DSA_ST_DIF : DSA_ST_SUCCESS);
    g_free(m);
    return op.result;
}

/* Tags of ones exempt a block from the checks where flags say so */
static void test_f_detect(void)
{
    static const struct {
        uint16_t guard, app;
        uint32_t ref;
    } tags[] = {
        { 0xffff, 0xffff, 0xffffffff }, { 0x1234, 0xffff, 0xffffffff },
        { 0x1234, 0xffff, 1 }, { 0xffff, 1, 0xffffffff }, { 0xffff, 0xffff, 1 },
    };
    /* which of the above each of the flags 1 to 3 exempts */
    static const bool exempts[3][5] = {
        { true, false, false, false, false },
        { true, true, true, false, true },
        { true, true, false, false, false },
    };
    unsigned flags, i, bit;

    for (flags = 0; flags < 16; flags++) {
        for (i = 0; i < ARRAY_SIZE(tags); i++) {
            uint8_t want = 7;

            for (bit = 1; bit < 4; bit++) {
                if ((flags & 1 << bit) && exempts[bit - 1][i]) {
                    want = 0;
                }
            }
            if ((flags & 3) == 3 && i == 0) {
                want = 8;
            }
            g_assert_cmphex(status_of(flags, tags[i].guard, tags[i].app,
                                      tags[i].ref, 0), ==, want);
        }
    }
    /* A mask of ones turns the application tag's check off */
    g_assert_cmphex(status_of(0x60, 1, 0x5555, 9, 0xffff), ==, 0);
    g_assert_cmphex(status_of(0x60, 1, 0x5555, 9, 0xfffe), ==, 2);
    g_assert_cmphex(status_of(0x60, 1, 0x5554, 9, 0xfffe), ==, 0);
}

/* The published check value of the CRC, in a block that begins with zeros */
static void test_vector(void)
{
    DifDesc f = { .dst_ref = 0x01020304, .dst_app = 0x0506 };
    DSADesc d = make_desc(DSA_OP_DIF_INSERT, &f, 512);
    static const uint8_t want[8] = { 0xd0, 0xdb, 5, 6, 1, 2, 3, 4 };
    uint8_t flat[SPACE];
    PagedMem *m = mem_new(flat);
    unsigned i;
    DSAOp op;

    for (i = 0; i < 512; i++) {
        *byte_at(m, SRC + i) = i < 503 ? 0 : '1' + (i - 503);
    }
    dsa_op_init(&op, &d);
    g_assert(paged_run(m, &op, 512));
    for (i = 0; i < 8; i++) {
        g_assert_cmphex(*byte_at(m, DST + 512 + i), ==, want[i]);
    }
    g_free(m);
}

static void test_progress(void)
{
    DifDesc f = { .flags = 2 };
    DSADesc d = make_desc(DSA_OP_DIF_STRIP, &f, 3 * 4104);
    DSAOp op;

    dsa_op_init(&op, &d);
    g_assert(dsa_op_progress_ok(&op));
    op.done = 2 * 4104;
    g_assert(dsa_op_progress_ok(&op));
    op.done++;
    g_assert(!dsa_op_progress_ok(&op));
    op.done = 3 * 4104;
    g_assert(!dsa_op_progress_ok(&op));
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "check", "insert", "strip", "update" };
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
        g_autofree char *good = g_strdup_printf("/dsa/dif/%s", names[i]);
        g_autofree char *fault = g_strdup_printf("/dsa/dif/%s-fault", names[i]);

        g_test_add_data_func(good, &opcodes[i], test_good);
        g_test_add_data_func(fault, &opcodes[i], test_fault);
    }
    g_test_add_func("/dsa/dif/errors", test_errors);
    g_test_add_func("/dsa/dif/f-detect", test_f_detect);
    g_test_add_func("/dsa/dif/vector", test_vector);
    g_test_add_func("/dsa/dif/progress", test_progress);
    return g_test_run();
}
