/*
 * Memory for unit tests of intel-dsa's operations: small pages in any order
 * that become known one by one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_DSA_PAGED_H
#define TESTS_UNIT_DSA_PAGED_H

#define PAGE 256            /* small, so that many pages take part */
#ifndef PAGES
#define PAGES 64
#endif
#define SPACE (PAGE * PAGES)

/*
 * Guest addresses 0 to SPACE; page i is at host page where[i]; a page that is
 * not known is a miss, after which the caller makes it known. A page that may
 * not be reached ends the operation.
 */
typedef struct PagedMem {
    DSAMem mem;
    uint8_t host[SPACE];
    unsigned where[PAGES];
    bool known[PAGES], forbidden[PAGES], dirty[PAGES];
} PagedMem;

static inline uint8_t *byte_at(PagedMem *m, uint64_t addr)
{
    g_assert_cmpuint(addr, <, SPACE);
    return &m->host[m->where[addr / PAGE] * PAGE + addr % PAGE];
}

static inline bool paged_window(DSAMem *mem, uint64_t addr, uint64_t len,
                                bool write, bool backward, DSAWindow *win)
{
    PagedMem *m = container_of(mem, PagedMem, mem);
    uint64_t first = backward ? addr - 1 : addr, n = 1;
    uint8_t *host;

    g_assert_cmpuint(len, >, 0);
    if (!m->known[first / PAGE]) {
        return false;
    }
    host = byte_at(m, first);
    while (n < len) {
        uint64_t next = backward ? first - n : first + n;
        uint8_t *want = backward ? host - n : host + n;

        if (!m->known[next / PAGE] || byte_at(m, next) != want) {
            break;
        }
        n++;
    }
    *win = (DSAWindow) {
        .host = backward ? host - n + 1 : host,
        .len = n,
        .region = m,
        .offset = (backward ? host - n + 1 : host) - m->host,
    };
    return true;
}

static inline void paged_wrote(DSAMem *mem, const DSAWindow *win, uint64_t len)
{
    PagedMem *m = container_of(mem, PagedMem, mem);
    uint64_t at;

    g_assert(win->region == m && win->host == m->host + win->offset);
    g_assert_cmpuint(len, <=, win->len);
    for (at = win->offset; at < win->offset + len; at++) {
        m->dirty[at / PAGE] = true;
    }
}

static inline PagedMem *mem_new(uint8_t *flat)
{
    PagedMem *m = g_new0(PagedMem, 1);
    unsigned i;

    m->mem = (DSAMem) { paged_window, paged_wrote };
    for (i = 0; i < PAGES; i++) {
        m->where[i] = i;
    }
    /* Runs of neighbours and single pages out of order */
    for (i = 0; i < PAGES / 3; i++) {
        unsigned a = g_test_rand_int_range(0, PAGES);
        unsigned b = g_test_rand_int_range(0, PAGES);
        unsigned t = m->where[a];

        m->where[a] = m->where[b];
        m->where[b] = t;
    }
    for (i = 0; i < SPACE; i++) {
        flat[i] = g_test_rand_int();
        *byte_at(m, i) = flat[i];
    }
    return m;
}

/* Every byte equals the model's; pages that changed are marked dirty */
static inline void check_same(PagedMem *m, const uint8_t *flat,
                              const uint8_t *before)
{
    unsigned i;

    for (i = 0; i < SPACE; i++) {
        g_assert_cmphex(*byte_at(m, i), ==, flat[i]);
        if (flat[i] != before[i]) {
            g_assert(m->dirty[m->where[i / PAGE]]);
        }
    }
}

/*
 * Run from where the operation is to its end, or to a page that may not be
 * reached; false in the latter case. Nothing is done for a miss that is not
 * whole: @unit says in which units the operation counts.
 */
static inline bool paged_run(PagedMem *m, DSAOp *op, unsigned unit)
{
    for (;;) {
        uint64_t budget = g_test_rand_int_range(1, 2000), given = budget;
        uint64_t done = op->done;
        DSAStep step = dsa_op_step(op, &m->mem, &budget);

        g_assert_cmpuint(op->done % unit, ==, 0);
        g_assert_cmpuint(op->done, >=, done);
        if (step == DSA_STEP_DONE) {
            return true;
        } else if (step == DSA_STEP_MORE) {
            g_assert_cmpuint(op->done, >, done);
            g_assert_cmpuint(budget, <, given);
            g_assert(dsa_op_progress_ok(op));
        } else {
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

/* What migration takes along, and nothing else */
static inline void paged_move(DSAOp *op, const DSADesc *d)
{
    DSAOp old = *op;

    dsa_op_init(op, d);
    op->done = old.done;
    op->crc = old.crc;
    op->stage = old.stage;
    op->status = old.status;
    op->result = old.result;
    g_assert(dsa_op_progress_ok(op));
}

#endif /* TESTS_UNIT_DSA_PAGED_H */
