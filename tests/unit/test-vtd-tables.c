/*
 * intel-vtd: every reason why a request is blocked
 *
 * For each mode there is one valid set of tables. A row of the list below
 * damages one entry of it, or sends an unusual request, and names the reason
 * that VT-d section 7.1.3 gives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "vtd-flat.h"

#define SID         0x0a91
#define PASID       0x123
#define IOVA        0x00007f1234567000ULL
#define LOW_IOVA    0x0000003234567000ULL   /* fits 39 bits */
#define TABLE_GPA   0x40000000ULL           /* added to a table's address */
#define PAGE_GPA    0x60005000ULL
#define OUT         0x00abc000ULL
#define NOWHERE     0x8000000000ULL         /* below HAW, no memory there */
#define BEYOND      (1ULL << FLAT_HAW)

typedef enum Mode { LEGACY, SECOND, FIRST, NESTED, PASS, MODES } Mode;

/* The entries that a row can damage */
typedef enum Where {
    NOTHING, RTADDR, ROOT, CE0, CE1, CE2, CE3, PDE, PE0, PE1, PE2, PE3, PE7,
    FS_ROOT, FS_DIR, FS_LEAF,
    SS_ROOT, SS_DIR, SS_LEAF,       /* of the page */
    SS_FS_ROOT, SS_FS_LEAF,         /* the one that maps that table */
    WHERES,
} Where;

typedef struct World {
    Flat *f;
    FlatScalable s;
    uint64_t rtaddr;
    uint64_t at[WHERES];
    uint64_t iova;
    VTDFeatures features;
} World;

static void map_second(World *w, uint64_t root, unsigned levels, uint64_t gpa,
                       uint64_t out, Where leaf)
{
    uint64_t at = flat_map(w->f, root, levels, gpa, 1, SS_R | SS_W,
                           out | SS_R | SS_W);

    g_assert(at);
    if (leaf) {
        w->at[leaf] = at;
    }
}

static void build_second(World *w, unsigned levels, uint64_t input)
{
    uint64_t root = flat_page(w->f), next;

    map_second(w, root, levels, input, OUT, SS_LEAF);
    w->at[SS_ROOT] = root + ((input >> (12 + 9 * (levels - 1))) & 511) * 8;
    next = flat_get(w->f, w->at[SS_ROOT]) & ~0xfffULL;
    w->at[SS_DIR] = next + ((input >> (12 + 9 * (levels - 2))) & 511) * 8;
}

static uint64_t table_of(uint64_t at)
{
    return at & ~0xfffULL;
}

/* First stage for IOVA; with nesting its tables are at GPAs */
static void build_first(World *w, bool nested)
{
    uint64_t table = flat_page(w->f);

    for (unsigned level = 4; level; level--) {
        uint64_t at = table + ((IOVA >> (12 + 9 * (level - 1))) & 511) * 8;
        uint64_t next = level > 1 ? flat_page(w->f) : nested ? PAGE_GPA : OUT;
        uint64_t gpa = next + (nested && level > 1 ? TABLE_GPA : 0);

        w->at[level == 4 ? FS_ROOT : level == 1 ? FS_LEAF : FS_DIR] = at;
        flat_set(w->f, at, gpa | FS_P | FS_RW | FS_US);
        if (nested) {
            map_second(w, table_of(w->at[SS_ROOT]), 3,
                       table_of(at) + TABLE_GPA, table_of(at),
                       level == 4 ? SS_FS_ROOT : level == 1 ? SS_FS_LEAF
                                                            : NOTHING);
        }
        table = next;
    }
}

static void build_legacy(World *w)
{
    Flat *f = w->f;
    uint64_t root = flat_page(f), context = flat_page(f);

    build_second(w, 4, IOVA);
    w->at[ROOT] = root + (SID >> 8) * 16;
    w->at[CE0] = context + (SID & 0xff) * 16;
    w->at[CE1] = w->at[CE0] + 8;
    flat_set(f, w->at[ROOT], context | E_P);
    flat_set(f, w->at[CE0], table_of(w->at[SS_ROOT]) | E_TT(1) | E_P);
    flat_set(f, w->at[CE1], 2 | 7 << 8);
    w->rtaddr = root;
}

static void build_scalable(World *w, Mode mode)
{
    static const unsigned pgtt[] = {
        [SECOND] = PGTT_SECOND, [FIRST] = PGTT_FIRST,
        [NESTED] = PGTT_NESTED, [PASS] = PGTT_PASS,
    };
    Flat *f = w->f;
    uint64_t word0 = E_PGTT(pgtt[mode]) | E_P, word2 = E_SRE | E_ERE | E_WPE;

    flat_scalable(f, &w->s);
    if (mode == SECOND) {
        build_second(w, 4, IOVA);
        word0 |= E_AW(2) | table_of(w->at[SS_ROOT]);
    } else if (mode == NESTED) {
        build_second(w, 3, PAGE_GPA);
        word0 |= E_AW(1) | table_of(w->at[SS_ROOT]);
    }
    if (mode == FIRST || mode == NESTED) {
        build_first(w, mode == NESTED);
        word2 |= table_of(w->at[FS_ROOT]) + (mode == NESTED ? TABLE_GPA : 0);
    }
    flat_context(f, &w->s, SID, E_P | E_DTE | E_PASIDE | E_PRE | 2 << 9,
                 PASID);
    w->at[PE0] = flat_pasid(f, &w->s, PASID, word0, 7, word2);
    w->at[PE1] = w->at[PE0] + 8;
    w->at[PE2] = w->at[PE0] + 16;
    w->at[PE3] = w->at[PE0] + 24;
    w->at[PE7] = w->at[PE0] + 56;
    w->at[ROOT] = w->s.root + (SID >> 8) * 16 + 8;
    w->at[CE0] = w->s.context;
    w->at[CE1] = w->s.context + 8;
    w->at[CE2] = w->s.context + 16;
    w->at[CE3] = w->s.context + 24;
    w->at[PDE] = w->s.dir + (PASID >> 6) * 8;
    w->rtaddr = w->s.root | ROOT_SCALABLE;
}

static void build(World *w, Mode mode)
{
    *w = (World) { .f = flat_new(), .iova = IOVA, .features = flat_features };
    if (mode == LEGACY) {
        build_legacy(w);
    } else {
        build_scalable(w, mode);
    }
}

/* Kinds of requests */
enum {
    RD = 1, WR = 2, EX = 4, PRIV = 8,   /* what is wanted */
    P = 16,                             /* with PASID */
    ATS = 32, TRANSLATED = 64,
    PRQ = 128,                          /* a page request */
    HIGH = 256,                         /* an address with high bits */
    MSI = 512,                          /* an address in 0xfeexxxxx */
    BAD_PASID = 1024,
};

/* What the row does to the features */
typedef enum Lack {
    ALL, NO_DT, NO_PRS, NO_PASID, NO_SRS, NO_ERS, NO_EAFS, NO_SSADS, NO_NEST,
    NO_FS, NO_SS, NO_PT, NO_5LP, NO_1G, NO_2M, NO_SC, NO_48, NO_LEGACY,
    NO_SCALABLE, NARROW,
} Lack;

typedef struct Row {
    uint8_t reason;
    Mode mode;
    unsigned request;
    Where where;
    uint64_t clear, set;
    Lack lack;
    Where read_only;
} Row;

#define ADDR 0xffffffffff000ULL

static const Row rows[] = {
    /* Nothing wrong: the tables are valid, and all requests pass */
    { 0x00, LEGACY, RD | WR }, { 0x00, SECOND, RD | WR },
    { 0x00, FIRST, RD | WR }, { 0x00, NESTED, RD | WR }, { 0x00, PASS, RD },
    { 0x00, LEGACY, RD | ATS }, { 0x00, SECOND, RD | WR | P | ATS },
    { 0x00, FIRST, RD | WR | P | EX | PRIV }, { 0x00, NESTED, RD | P | EX },
    { 0x00, LEGACY, WR | TRANSLATED }, { 0x00, FIRST, WR | TRANSLATED },
    { 0x00, FIRST, PRQ }, { 0x00, FIRST, PRQ | P },
    /* Legacy mode */
    { 0x01, LEGACY, RD, ROOT, E_P },
    { 0x02, LEGACY, RD, CE0, E_P },
    { 0x03, LEGACY, RD, CE1, 7, 0 },
    { 0x03, LEGACY, RD, CE1, 7, 4 },
    { 0x03, LEGACY, RD, CE1, 7, 7 },
    { 0x03, LEGACY, RD, CE0, 0, E_TT(3) },
    { 0x03, LEGACY, RD, CE0, ADDR, NOWHERE },
    { 0x03, LEGACY, RD, NOTHING, .lack = NO_48 },
    { 0x03, LEGACY, RD, NOTHING, .lack = NO_DT },
    { 0x03, LEGACY, RD, CE0, E_TT(3), E_TT(2), .lack = NO_PT },
    { 0x04, LEGACY, RD | HIGH },
    { 0x04, LEGACY, RD, NOTHING, .lack = NARROW },
    { 0x04, LEGACY, RD, CE0, E_TT(3), E_TT(2) },
    { 0x04, LEGACY, RD | TRANSLATED | HIGH },
    { 0x05, LEGACY, WR, SS_LEAF, SS_W }, { 0x05, LEGACY, WR, SS_DIR, SS_W },
    { 0x05, LEGACY, WR, SS_LEAF, SS_W | SS_R },
    { 0x06, LEGACY, RD, SS_LEAF, SS_R }, { 0x06, LEGACY, RD, SS_DIR, SS_R },
    { 0x06, LEGACY, RD, SS_LEAF, SS_W | SS_R },
    { 0x06, LEGACY, RD | ATS, SS_LEAF, SS_W | SS_R },
    { 0x07, LEGACY, RD, SS_ROOT, ADDR, NOWHERE },
    { 0x08, LEGACY, RD, RTADDR, ADDR, NOWHERE },
    { 0x09, LEGACY, RD, ROOT, ADDR, NOWHERE },
    { 0x0a, LEGACY, RD, ROOT, 0, 0x800 }, { 0x0a, LEGACY, RD, ROOT, 0, BEYOND },
    { 0x0b, LEGACY, RD, CE0, 0, 0x10 }, { 0x0b, LEGACY, RD, CE0, 0, BEYOND },
    { 0x0b, LEGACY, RD, CE1, 0, 0x80 }, { 0x0b, LEGACY, RD, CE1, 0, 1 << 24 },
    { 0x0c, LEGACY, RD, SS_DIR, 0, SS_SNP },
    { 0x0c, LEGACY, RD, SS_ROOT, 0, PTE_PS },
    { 0x0c, LEGACY, RD, SS_LEAF, 0, BEYOND },
    { 0x0c, LEGACY, RD, SS_LEAF, 0, 1ULL << 62 },
    { 0x0c, LEGACY, RD, SS_LEAF, 0, SS_SNP, .lack = NO_SC },
    { 0x0d, LEGACY, RD | ATS, CE0, E_TT(3) },
    { 0x0d, LEGACY, RD | TRANSLATED, CE0, E_TT(3) },
    { 0x0d, LEGACY, RD | ATS, CE0, E_TT(3), E_TT(2) },
    { 0x0e, LEGACY, WR, SS_LEAF, ADDR, 0xfee01000 },
    { 0x0e, LEGACY, WR | TRANSLATED | MSI },
    /* Modes */
    { 0x30, LEGACY, RD, RTADDR, 0, 2 << 10 },
    { 0x30, LEGACY, RD, RTADDR, 0, 3 << 10 },
    { 0x30, LEGACY, RD, NOTHING, .lack = NO_LEGACY },
    { 0x30, FIRST, RD, NOTHING, .lack = NO_SCALABLE },
    { 0x31, LEGACY, RD | P }, { 0x31, LEGACY, RD | P | TRANSLATED },
    { 0x32, LEGACY, PRQ },
    /* Root and context */
    { 0x38, FIRST, RD, RTADDR, ADDR, NOWHERE },
    { 0x39, FIRST, RD, ROOT, E_P },
    { 0x3a, FIRST, RD, ROOT, 0, 2 }, { 0x3a, FIRST, RD, ROOT, 0, BEYOND },
    { 0x40, FIRST, RD, ROOT, ADDR, NOWHERE },
    { 0x41, FIRST, RD, CE0, E_P },
    { 0x42, FIRST, RD, CE0, 0, 0x20 }, { 0x42, FIRST, RD, CE0, 0, BEYOND },
    { 0x42, FIRST, RD, CE1, 0, 1 << 21 }, { 0x42, FIRST, RD, CE2, 0, 1 },
    { 0x42, FIRST, RD, CE3, 0, 1ULL << 63 },
    { 0x42, FIRST, RD, NOTHING, .lack = NO_DT },
    { 0x42, FIRST, RD, NOTHING, .lack = NO_PRS },
    { 0x42, FIRST, RD, NOTHING, .lack = NO_PASID },
    { 0x42, FIRST, RD, CE1, 0, 1 << 20, .lack = NO_SRS },
    { 0x44, FIRST, RD | ATS, CE0, E_DTE },
    { 0x44, FIRST, RD | P | ATS, CE0, E_DTE },
    { 0x44, FIRST, RD | TRANSLATED, CE0, E_DTE },
    { 0x45, FIRST, RD | P, CE0, E_PASIDE },
    { 0x46, FIRST, RD | P | BAD_PASID },
    { 0x47, FIRST, PRQ, CE0, E_PRE }, { 0x47, FIRST, PRQ | P, CE0, E_PRE },
    { 0x48, FIRST, RD, CE1, 0, 1 << 15 },
    /* PASID directory and table */
    { 0x50, FIRST, RD, CE0, ADDR, NOWHERE },
    { 0x51, FIRST, RD, PDE, E_P }, { 0x51, FIRST, RD | P | ATS, PDE, E_P },
    { 0x52, FIRST, RD, PDE, 0, 4 }, { 0x52, FIRST, RD, PDE, 0, BEYOND },
    { 0x58, FIRST, RD, PDE, ADDR, NOWHERE },
    { 0x59, FIRST, RD, PE0, E_P }, { 0x59, FIRST, RD | ATS, PE0, ~0ULL },
    { 0x59, FIRST, PRQ | P, PE0, E_P },
    { 0x5a, FIRST, RD, PE0, 0, 1 << 5 }, { 0x5a, FIRST, RD, PE0, 0, 1 << 11 },
    { 0x5a, FIRST, RD, PE1, 0, 1 << 16 }, { 0x5a, FIRST, RD, PE1, 0, 1 << 22 },
    { 0x5a, FIRST, RD, PE2, 0, 1 << 8 }, { 0x5a, FIRST, RD, PE2, 0, BEYOND },
    { 0x5a, FIRST, RD, PE3, 0, 1 }, { 0x5a, FIRST, RD, PE7, 0, 1ULL << 63 },
    { 0x5a, SECOND, RD, PE0, 0, BEYOND },
    { 0x5a, SECOND, RD, PE0, 0, E_SSADE, .lack = NO_SSADS },
    { 0x5a, FIRST, RD, NOTHING, .lack = NO_SRS },
    { 0x5a, FIRST, RD, NOTHING, .lack = NO_ERS },
    { 0x5a, FIRST, RD, PE2, 0, E_EAFE, .lack = NO_EAFS },
    { 0x5b, FIRST, RD, PE0, E_PGTT(7), E_PGTT(0) },
    { 0x5b, FIRST, RD, PE0, E_PGTT(7), E_PGTT(5) },
    { 0x5b, FIRST, RD, PE0, E_PGTT(7), E_PGTT(7) },
    { 0x5b, FIRST, RD, PE2, 0, E_FSPM(2) },
    { 0x5b, FIRST, RD, PE2, 0, E_FSPM(1), .lack = NO_5LP },
    { 0x5b, SECOND, RD, PE0, E_AW(7), E_AW(0) },
    { 0x5b, SECOND, RD, PE0, E_AW(7), E_AW(4) },
    { 0x5b, SECOND, RD, NOTHING, .lack = NO_48 },
    { 0x5b, SECOND, RD, NOTHING, .lack = NO_SS },
    { 0x5b, FIRST, RD, NOTHING, .lack = NO_FS },
    { 0x5b, NESTED, RD, NOTHING, .lack = NO_NEST },
    { 0x5b, PASS, RD, NOTHING, .lack = NO_PT },
    { 0x5c, FIRST, RD | P | EX, PE2, E_ERE },
    { 0x5d, FIRST, RD | P | PRIV, PE2, E_SRE },
    { 0x5d, FIRST, RD, CE1, 0, 0 }, /* replaced below: RID_PRIV, SRE clear */
    /* First stage */
    { 0x70, FIRST, RD, FS_ROOT, ADDR, NOWHERE },
    { 0x71, FIRST, RD, FS_ROOT, FS_P }, { 0x71, FIRST, RD, FS_LEAF, FS_P },
    { 0x71, FIRST, RD | P | ATS, FS_DIR, FS_P },
    { 0x72, FIRST, RD, FS_LEAF, 0, BEYOND },
    { 0x72, FIRST, RD, FS_ROOT, 0, PTE_PS },
    { 0x72, FIRST, RD, FS_ROOT, 0, 1ULL << 51 },
    { 0x72, NESTED, RD, FS_LEAF, 0, BEYOND },
    { 0x73, FIRST, RD, PE2, ADDR, NOWHERE },
    { 0x74, NESTED, RD, FS_LEAF, 0, NOWHERE },
    { 0x74, NESTED, RD, FS_ROOT, 0, NOWHERE },
    { 0x74, NESTED, RD, PE2, 0, NOWHERE },
    { 0x75, NESTED, RD, SS_FS_ROOT, SS_R },
    { 0x76, NESTED, RD, SS_FS_LEAF, SS_R },
    { 0x77, NESTED, RD, SS_FS_LEAF, SS_W },
    { 0x77, NESTED, RD, SS_FS_ROOT, SS_W },
    /* Second stage */
    { 0x78, SECOND, RD, SS_ROOT, ADDR, NOWHERE },
    { 0x78, NESTED, RD, SS_ROOT, ADDR, NOWHERE },
    { 0x79, SECOND, RD, SS_LEAF, SS_R | SS_W },
    { 0x79, SECOND, WR, SS_ROOT, SS_R | SS_W },
    { 0x79, SECOND, RD | ATS, SS_DIR, SS_R | SS_W },
    { 0x79, NESTED, RD, SS_LEAF, SS_R | SS_W },
    { 0x79, NESTED, RD, SS_FS_LEAF, SS_R | SS_W },
    { 0x7a, SECOND, RD, SS_LEAF, 0, BEYOND },
    { 0x7a, SECOND, RD, SS_DIR, 0, SS_SNP },
    { 0x7a, NESTED, RD, SS_FS_ROOT, 0, 1ULL << 62 },
    { 0x7b, SECOND, RD, PE0, ADDR, NOWHERE },
    { 0x7b, NESTED, RD, PE0, ADDR, NOWHERE },
    { 0x7d, SECOND, RD, PE0, 0, E_SSADE, .read_only = SS_LEAF },
    { 0x7d, SECOND, RD, PE0, 0, E_SSADE, .read_only = SS_ROOT },
    /* General */
    { 0x80, FIRST, RD | HIGH }, { 0x80, FIRST, RD | P | ATS | HIGH },
    { 0x80, NESTED, RD | HIGH },
    { 0x81, FIRST, RD, FS_LEAF, FS_US }, { 0x81, FIRST, WR, FS_ROOT, FS_US },
    { 0x81, FIRST, RD | P | ATS, FS_DIR, FS_US },
    { 0x82, FIRST, RD | P | EX, FS_LEAF, 0, FS_XD },
    { 0x82, FIRST, RD | P | EX | PRIV, PE2, 0, E_SMEP },
    { 0x82, NESTED, RD | P | EX, FS_ROOT, 0, FS_XD },
    { 0x83, PASS, RD }, /* IOVA is beyond FLAT_HAW, see below */
    { 0x83, FIRST, RD | TRANSLATED | HIGH },
    { 0x84, SECOND, RD | HIGH },
    { 0x84, SECOND, RD, NOTHING, .lack = NARROW },
    { 0x85, FIRST, WR, FS_LEAF, FS_RW }, { 0x85, FIRST, WR, FS_ROOT, FS_RW },
    { 0x85, FIRST, WR | P | PRIV, FS_LEAF, FS_RW },
    { 0x85, SECOND, WR, SS_LEAF, SS_W },
    { 0x85, SECOND, RD | WR, SS_DIR, SS_W },
    { 0x85, NESTED, WR, FS_LEAF, FS_RW }, { 0x85, NESTED, WR, SS_LEAF, SS_W },
    { 0x86, SECOND, RD, SS_LEAF, SS_R },
    { 0x86, SECOND, RD | WR, SS_DIR, SS_R },
    { 0x86, NESTED, RD, SS_LEAF, SS_R },
    { 0x87, SECOND, WR, SS_LEAF, ADDR, 0xfee00000 },
    { 0x87, FIRST, RD | P | ATS, FS_LEAF, ADDR, 0xfeeff000 },
    { 0x87, NESTED, WR, SS_LEAF, ADDR, 0xfee0f000 },
    { 0x87, FIRST, WR | TRANSLATED | MSI },
    { 0x87, PASS, WR | P | MSI }, { 0x87, PASS, RD | P | ATS | MSI },
    { 0x91, FIRST, RD, NOTHING, .read_only = FS_LEAF },
    { 0x91, FIRST, RD, NOTHING, .read_only = FS_ROOT },
    { 0x91, NESTED, WR, NOTHING, .read_only = FS_LEAF },
};

/* The attributes once more, by code (7.1.3) */
static bool qualified(uint8_t reason)
{
    static const uint8_t not[] = {
        0x01, 0x08, 0x09, 0x0a, 0x0b, 0x20, 0x21, 0x23, 0x25, 0x30, 0x31,
        0x32, 0x33, 0x38, 0x39, 0x3a, 0x40, 0x42, 0x50, 0x52, 0x58, 0x5a,
    };
    return !memchr(not, reason, sizeof(not));
}

static bool recoverable(uint8_t reason)
{
    static const uint8_t is[] = {
        0x05, 0x06, 0x51, 0x59, 0x5c, 0x5d, 0x70, 0x71, 0x72, 0x73, 0x74,
        0x75, 0x76, 0x77, 0x79, 0x80, 0x81, 0x82, 0x85, 0x86,
    };
    return memchr(is, reason, sizeof(is));
}

static void take_away(VTDFeatures *f, Lack lack)
{
    switch (lack) {
    case ALL:
        break;
    case NO_DT:
        f->device_tlb = false;
        break;
    case NO_PRS:
        f->page_request = false;
        break;
    case NO_PASID:
        f->pasid = false;
        break;
    case NO_SRS:
        f->supervisor = false;
        break;
    case NO_ERS:
        f->exec = false;
        break;
    case NO_EAFS:
        f->ext_accessed = false;
        break;
    case NO_SSADS:
        f->second_ad = false;
        break;
    case NO_NEST:
        f->nested = false;
        break;
    case NO_FS:
        f->first_stage = false;
        break;
    case NO_SS:
        f->second_stage = false;
        break;
    case NO_PT:
        f->pass_through = false;
        break;
    case NO_5LP:
        f->first_5level = false;
        break;
    case NO_1G:
        f->first_1g = f->second_1g = false;
        break;
    case NO_2M:
        f->second_2m = false;
        break;
    case NO_SC:
        f->snoop_control = false;
        break;
    case NO_48:
        f->sagaw = 0x2;
        break;
    case NO_LEGACY:
        f->legacy = false;
        break;
    case NO_SCALABLE:
        f->scalable = false;
        break;
    case NARROW:
        f->mgaw = 40;
        break;
    }
}

static void damage(World *w, const Row *row)
{
    if (row->where == RTADDR) {
        w->rtaddr = (w->rtaddr & ~row->clear) | row->set;
    } else if (row->where) {
        uint64_t at = w->at[row->where];

        g_assert_cmphex(at, !=, 0);
        flat_set(w->f, at, (flat_get(w->f, at) & ~row->clear) | row->set);
    }
    if (row->read_only) {
        w->f->read_only = table_of(w->at[row->read_only]);
    }
    if (row->reason == 0x5d && row->where == CE1) {
        flat_set(w->f, w->at[CE1], flat_get(w->f, w->at[CE1]) | 1 << 20);
        flat_set(w->f, w->at[PE2], flat_get(w->f, w->at[PE2]) & ~E_SRE);
    }
}

static VTDRequest request_of(const Row *row)
{
    unsigned r = row->request;
    VTDRequest req = {
        .sid = SID, .pasid = VTD_NO_PASID, .addr = IOVA | 0x123,
        .read = r & (RD | EX | ATS), .write = r & WR, .exec = r & EX,
        .priv = r & PRIV,
        .at = r & ATS ? VTD_AT_TRANSLATION_REQUEST :
              r & TRANSLATED ? VTD_AT_TRANSLATED : VTD_AT_UNTRANSLATED,
    };

    if (r & P) {
        req.pasid = r & BAD_PASID ? PASID | 1 << 15 : PASID;
    }
    if ((row->mode == PASS && !row->reason) || req.at == VTD_AT_TRANSLATED) {
        req.addr = OUT | 0x123;
    }
    if (r & HIGH) {
        req.addr |= 1ULL << 55;
    }
    if (r & MSI) {
        req.addr = 0xfee00004;
    }
    return req;
}

static bool submit(VTDTranslator *t, const Row *row, VTDFault *fault)
{
    VTDRequest req = request_of(row);
    VTDMapping map;

    if (row->request & PRQ) {
        return vtd_page_request_check(t, SID, req.pasid, fault);
    }
    if (!vtd_translate(t, &req, &map, fault)) {
        return false;
    }
    g_assert_cmphex(map.iova, ==, req.addr & ~map.mask);
    g_assert_cmphex((map.addr | (req.addr & map.mask)), ==, OUT | 0x123);
    if (req.at != VTD_AT_TRANSLATION_REQUEST) {
        g_assert(!req.read || (map.perm & VTD_PERM_R));
        g_assert(!req.write || (map.perm & VTD_PERM_W));
        g_assert(!req.exec || (map.perm & VTD_PERM_X));
    }
    return true;
}

/* @fpd: the word to set FPD in, or NOTHING */
static void check(const Row *row, Where fpd, bool warm)
{
    VTDTranslator *t;
    VTDFault fault;
    bool ok;
    World w;

    build(&w, row->mode);
    take_away(&w.features, row->lack);
    t = vtd_translator_new(&flat_ops, w.f, &w.features, &flat_sizes);
    vtd_translator_set_root(t, w.rtaddr, true);
    if (warm) {
        Row good = { 0, row->mode, RD };

        g_assert(row->mode == PASS || submit(t, &good, &fault));
    }
    damage(&w, row);
    if (fpd) {
        flat_set(w.f, w.at[fpd], flat_get(w.f, w.at[fpd]) | E_FPD);
    }
    vtd_translator_set_root(t, w.rtaddr, true);
    /* Twice: a fault must not leave anything that lets the next one pass */
    for (int i = 0; i < 2; i++) {
        ok = submit(t, row, &fault);
        if (ok != !row->reason || (!ok && fault.reason != row->reason)) {
            g_test_message("row %td: expected 0x%02x, got 0x%02x",
                           row - rows, row->reason, ok ? 0 : fault.reason);
            g_test_fail();
            break;
        }
        if (!ok) {
            g_assert_cmpint(fault.recoverable, ==,
                            (row->request & ATS) && recoverable(row->reason));
            g_assert_cmpint(fault.fpd, ==, fpd && qualified(row->reason));
            g_assert_cmpint(fault.pasid_present, ==,
                            (row->request & P) != 0);
        }
    }
    vtd_translator_free(t);
    flat_free(w.f);
}

static void test_reasons(void)
{
    for (const Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        check(row, NOTHING, false);
    }
}

/*
 * The same after the good tables were used and everything was invalidated.
 * Then A is set, so that updates of it cannot be seen to fail.
 */
static void test_reasons_warm(void)
{
    for (const Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        if (row->reason != 0x77 && !row->lack && !row->read_only) {
            check(row, NOTHING, true);
        }
    }
}

/* FPD in the context entry hides what is qualified, and nothing else */
static void test_fpd_context(void)
{
    for (const Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        bool seen = row->reason > 0x33 ? row->reason > 0x40
                                       : row->reason != 0x08 &&
                                         row->reason != 0x01 &&
                                         row->reason != 0x09 &&
                                         row->reason < 0x30;
        if (seen && row->reason) {
            check(row, CE0, false);
        }
    }
}

/* FPD in PASID directory and entry, even without P (9.5, 9.6) */
static void test_fpd_pasid(void)
{
    for (const Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        bool device = row->reason < 0x50 || (row->request & TRANSLATED);

        if (!device && row->reason != 0x50) {
            check(row, PDE, false);
            if (row->reason > 0x58) {
                check(row, PE0, false);
            }
        }
    }
}

/* Each code of the specification has a name, and the others have none */
static void test_info(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < VTD_FR_COUNT; i++) {
        if (vtd_fault_info[i].name) {
            count++;
            g_assert(vtd_fault_info[i].condition);
            g_assert_cmpint(vtd_fault_qualified(i), ==, qualified(i));
            g_assert_cmpint(vtd_fault_recoverable(i), ==, recoverable(i));
        }
    }
    g_assert_cmpint(count, ==, 72);
    for (const Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
        g_assert(!row->reason || vtd_fault_info[row->reason].name);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vtd/tables/info", test_info);
    g_test_add_func("/vtd/tables/reasons", test_reasons);
    g_test_add_func("/vtd/tables/reasons/warm", test_reasons_warm);
    g_test_add_func("/vtd/tables/fpd/context", test_fpd_context);
    g_test_add_func("/vtd/tables/fpd/pasid", test_fpd_pasid);
    return g_test_run();
}
