/*
 * intel-dsa: work queues, with several writers and takers at a time
 *
 * Links the device's wq.c alone; the engines and interrupts are played here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "hw/misc/dsa/dsa.h"

#define LIMITED 1

static unsigned kicks, bhs;
/* Jobs that the played engine holds */
static DSAJob held[64];
static unsigned held_num;

void dsa_engines_kick(DSAEngines *e, unsigned group)
{
    qatomic_inc(&kicks);
}

void dsa_engines_pause(DSAEngines *e)
{
}

void dsa_engines_resume(DSAEngines *e)
{
}

static DSAState *state;

void dsa_engines_abort(DSAEngines *e,
                       bool (*match)(const DSAJob *job, void *opaque),
                       void *opaque)
{
    unsigned i = 0;

    while (i < held_num) {
        if (match(&held[i], opaque)) {
            dsa_wq_retire(state, &held[i]);
            held[i] = held[--held_num];
        } else {
            i++;
        }
    }
}

void dsa_intr_send(DSAState *s, uint16_t handle, bool ims)
{
}

bool dsa_intr_handle_exists(const DSAState *s, uint16_t handle, bool ims)
{
    return false;
}

static void count_bh(void *opaque)
{
    bhs++;
}

static void run_bhs(void)
{
    aio_poll(qemu_get_aio_context(), false);
}

static DSAState *setup(unsigned wqs, unsigned wq_size)
{
    DSAState *s = g_new0(DSAState, 1);

    s->wqs = wqs;
    s->groups = 1;
    s->wq_size = wq_size;
    dsa_wq_init(s);
    s->group_wqs[0] = dsa_all_wqs(s);
    s->cmd_bh = qemu_bh_new(count_bh, NULL);
    state = s;
    held_num = bhs = 0;
    return s;
}

static void teardown(DSAState *s)
{
    qemu_bh_delete(s->cmd_bh);
    dsa_wq_cleanup(s);
    g_free(s);
}

static bool is_shared[DSA_MAX_WQS];

static void open_wq(DSAState *s, unsigned wq, unsigned size, unsigned priority,
                    bool dedicated)
{
    DSAWQView view = {
        .index = wq, .priority = priority, .dedicated = dedicated,
        .pasid_en = !dedicated,
    };

    qatomic_set(&is_shared[wq], !dedicated);
    dsa_wq_open(s, wq, &view, size, size / 2);
}

static DSASubmit submit(DSAState *s, unsigned wq, uint32_t pasid, uint64_t id)
{
    uint8_t desc[DSA_DESC_SIZE] = { 0 };

    stl_le_p(desc, pasid);
    stq_le_p(desc + 8, id);
    stq_le_p(desc + 56, ~id);
    return dsa_wq_submit(s, wq, 0, desc, qatomic_read(&is_shared[wq]));
}

static uint64_t job_id(const DSAJob *job)
{
    uint64_t id = ldq_le_p(job->desc + 8);

    g_assert_cmphex(ldq_le_p(job->desc + 56), ==, ~id);
    return id;
}

/* --- many threads --------------------------------------------------------- */

#define WRITERS     4
#define TAKERS      3
#define EACH        20000
#define STRESS_SIZE 5

typedef struct Stress {
    DSAState *s;
    unsigned writer;
    uint8_t *seen;              /* by id */
    uint64_t *tickets;          /* by id */
    unsigned *taken;
} Stress;

static void *stress_writer(void *opaque)
{
    Stress *st = opaque;
    unsigned i;

    for (i = 0; i < EACH; i++) {
        while (submit(st->s, 0, 0, st->writer * EACH + i) ==
               DSA_SUBMIT_FULL) {
            g_thread_yield();
        }
    }
    return NULL;
}

static void *stress_taker(void *opaque)
{
    Stress *st = opaque;
    uint64_t last = 0;
    DSAJob job;

    while (qatomic_read(st->taken) < WRITERS * EACH) {
        if (!dsa_wq_take(st->s, 0, &job)) {
            g_thread_yield();
            continue;
        }
        g_assert_cmpuint(dsa_wq_occupancy(st->s, 0), <=, STRESS_SIZE);
        g_assert_true(!last || job.ticket > last);
        last = job.ticket;
        g_assert_cmpuint(job_id(&job), <, WRITERS * EACH);
        qatomic_inc(&st->seen[job_id(&job)]);
        st->tickets[job_id(&job)] = job.ticket;
        dsa_wq_retire(st->s, &job);
        qatomic_inc(st->taken);
    }
    return NULL;
}

/* Nothing is lost, doubled or torn, and each writer's order is kept */
static void test_stress(void)
{
    DSAState *s = setup(1, STRESS_SIZE);
    g_autofree uint8_t *seen = g_malloc0(WRITERS * EACH);
    g_autofree uint64_t *tickets = g_new0(uint64_t, WRITERS * EACH);
    Stress st[WRITERS + TAKERS];
    QemuThread threads[WRITERS + TAKERS];
    unsigned taken = 0, i;

    open_wq(s, 0, STRESS_SIZE, 1, true);
    for (i = 0; i < WRITERS + TAKERS; i++) {
        st[i] = (Stress) { s, i, seen, tickets, &taken };
        qemu_thread_create(&threads[i], "stress",
                           i < WRITERS ? stress_writer : stress_taker, &st[i],
                           QEMU_THREAD_JOINABLE);
    }
    for (i = 0; i < WRITERS + TAKERS; i++) {
        qemu_thread_join(&threads[i]);
    }
    for (i = 0; i < WRITERS * EACH; i++) {
        g_assert_cmpuint(seen[i], ==, 1);
        g_assert_true(i % EACH == 0 || tickets[i] > tickets[i - 1]);
    }
    g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 0);
    g_assert_cmpuint(s->queues[0].held_count, ==, 0);
    teardown(s);
}

static void *close_writer(void *opaque)
{
    Stress *st = opaque;
    uint64_t id = 0;

    while (!qatomic_read(st->taken)) {
        submit(st->s, 0, 0, id++);
    }
    return NULL;
}

/* Once a queue is closed and aborted it is empty and stays so */
static void test_close(void)
{
    DSAState *s = setup(1, 64);
    unsigned stop = 0, i;
    Stress st = { .s = s, .taken = &stop };
    QemuThread threads[2];

    for (i = 0; i < 2; i++) {
        qemu_thread_create(&threads[i], "writer", close_writer, &st,
                           QEMU_THREAD_JOINABLE);
    }
    for (i = 0; i < 2000; i++) {
        open_wq(s, 0, 1 + i % 64, 1, true);
        while (!dsa_wq_occupancy(s, 0)) {
            g_thread_yield();
        }
        dsa_wq_close(s, 1);
        dsa_abort(s, 1, DSA_ALL_PASIDS);
        g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 0);
    }
    qatomic_set(&stop, 1);
    for (i = 0; i < 2; i++) {
        qemu_thread_join(&threads[i]);
    }
    g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 0);
    teardown(s);
}

/* --- many processes, one shared queue ------------------------------------ */

#define SHARED_SIZE 12
#define SHARED_THRESHOLD 7
#define VICTIM 2            /* the PASID whose work is aborted now and then */

typedef struct Producer {
    DSAState *s;
    unsigned pasid, page;
    unsigned accepted, *running;
    uint64_t *ticket;           /* of each accepted descriptor, once taken */
} Producer;

/* Each has a PASID and a portal; ids count up, and only accepted ones do */
static void *producer_thread(void *opaque)
{
    Producer *p = opaque;
    uint8_t desc[DSA_DESC_SIZE] = { 0 };

    while (p->accepted < EACH) {
        uint64_t id = p->pasid * EACH + p->accepted;

        stl_le_p(desc, p->pasid);
        stq_le_p(desc + 8, id);
        stq_le_p(desc + 56, ~id);
        if (dsa_wq_submit(p->s, 0, p->page, desc, true) == DSA_SUBMIT_OK) {
            p->accepted++;
        } else {
            g_thread_yield();
        }
    }
    qatomic_dec(p->running);
    return NULL;
}

typedef struct Consumer {
    DSAState *s;
    unsigned *running, limit;
    uint64_t *ticket;
} Consumer;

/* There are tickets from 0 on; 0 here is none */
static void *consumer_thread(void *opaque)
{
    Consumer *c = opaque;
    bool last = false;
    DSAJob job;

    while (!last) {
        last = !qatomic_read(c->running);
        while (dsa_wq_take(c->s, 0, &job)) {
            uint64_t id = job_id(&job);

            g_assert_cmpuint(dsa_wq_occupancy(c->s, 0), <=, c->limit);
            g_assert_cmpuint(id / EACH, ==, job.pasid);
            g_assert_cmpuint(qatomic_xchg(&c->ticket[id], job.ticket + 1),
                             ==, 0);
            dsa_wq_retire(c->s, &job);
        }
        g_thread_yield();
    }
    return NULL;
}

/* Drains, and aborts of one PASID, as commands do them: one at a time */
static void disturb(DSAState *s, unsigned *running)
{
    static const uint32_t drained[] = { VICTIM, DSA_ALL_PASIDS };
    unsigned round, i;

    for (round = 0; qatomic_read(running); round++) {
        if (round % 4 == 0) {
            dsa_abort(s, 1, VICTIM);
        }
        for (i = 0; i < ARRAY_SIZE(drained); i++) {
            dsa_drain_begin(s, 1, drained[i]);
            while (!dsa_drain_over(s)) {
                g_thread_yield();
            }
            dsa_drain_cancel(s);
        }
        run_bhs();
        while (qatomic_read(running) && dsa_wq_occupancy(s, 0) < 4) {
            g_thread_yield();
        }
    }
}

/*
 * Nothing accepted is lost but what was aborted, nothing comes twice or torn
 * or under another's PASID, each process's order is kept, and the limit holds.
 */
static void shared_stress(bool limited, bool disturbed)
{
    DSAState *s = setup(1, 64);
    g_autofree uint64_t *ticket = g_new0(uint64_t, (WRITERS + 1) * EACH);
    Producer p[WRITERS];
    Consumer c = { .s = s, .ticket = ticket, .limit = limited ?
                   SHARED_THRESHOLD : SHARED_SIZE };
    QemuThread threads[WRITERS + 2];
    unsigned running = WRITERS, i, n, lost = 0;
    DSAWQView view = { .priority = 1, .pasid_en = true };

    c.running = &running;
    dsa_wq_open(s, 0, &view, SHARED_SIZE, SHARED_THRESHOLD);
    for (i = 0; i < WRITERS; i++) {
        p[i] = (Producer) {
            .s = s, .pasid = i + 1, .running = &running,
            .page = limited || i % 2 ? LIMITED : 0,
        };
        qemu_thread_create(&threads[i], "producer", producer_thread, &p[i],
                           QEMU_THREAD_JOINABLE);
    }
    for (; i < WRITERS + 2; i++) {
        qemu_thread_create(&threads[i], "consumer", consumer_thread, &c,
                           QEMU_THREAD_JOINABLE);
    }
    if (disturbed) {
        disturb(s, &running);
    }
    for (i = 0; i < WRITERS + 2; i++) {
        qemu_thread_join(&threads[i]);
    }
    for (i = 1; i <= WRITERS; i++) {
        uint64_t last = 0;

        for (n = 0; n < EACH; n++) {
            uint64_t at = ticket[i * EACH + n];

            lost += !at;
            g_assert_true(at || (disturbed && i == VICTIM));
            g_assert_true(!at || at > last);
            last = at ?: last;
        }
    }
    g_test_message("%u of %u aborted", lost, EACH);
    g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 0);
    g_assert_cmpuint(s->queues[0].held_count, ==, 0);
    teardown(s);
}

static void test_shared_limited(void)
{
    shared_stress(true, false);
}

static void test_shared_mixed(void)
{
    shared_stress(false, false);
}

static void test_shared_disturbed(void)
{
    shared_stress(false, true);
}

/* --- one thread ----------------------------------------------------------- */

static DSAJob *take(DSAState *s)
{
    DSAJob *job = &held[held_num];

    g_assert_true(dsa_wq_take(s, 0, job));
    held_num++;
    return job;
}

/* Queues get engines by priority, and the poorest gets its share */
static void test_priority(void)
{
    DSAState *s = setup(3, 64);
    unsigned count[3] = { 0 }, gap = 0, i;
    DSAJob job;

    open_wq(s, 0, 64, 15, true);
    open_wq(s, 1, 64, 1, true);
    open_wq(s, 2, 64, 4, true);
    for (i = 0; i < 400; i++) {
        unsigned wq;

        for (wq = 0; wq < 3; wq++) {
            while (submit(s, wq, 0, wq) == DSA_SUBMIT_OK) {
            }
        }
        g_assert_true(dsa_wq_take(s, 0, &job));
        count[job.wq.index]++;
        gap = job.wq.index == 1 ? 0 : gap + 1;
        g_assert_cmpuint(gap, <=, 20);
        dsa_wq_retire(s, &job);
    }
    g_assert_cmpuint(count[0], ==, 300);
    g_assert_cmpuint(count[1], ==, 20);
    g_assert_cmpuint(count[2], ==, 80);
    teardown(s);
}

static void test_modes(void)
{
    DSAState *s = setup(2, 16);
    uint8_t desc[DSA_DESC_SIZE] = { 0 };
    unsigned i;

    open_wq(s, 0, 8, 1, true);
    open_wq(s, 1, 8, 1, false);
    g_assert_cmpint(dsa_wq_submit(s, 0, 0, desc, true), ==, DSA_SUBMIT_MODE);
    g_assert_cmpint(dsa_wq_submit(s, 1, 0, desc, false), ==, DSA_SUBMIT_MODE);
    /* Dedicated: the size counts in both kinds of portal */
    for (i = 0; i < 8; i++) {
        g_assert_cmpint(dsa_wq_submit(s, 0, LIMITED, desc, false), ==,
                        DSA_SUBMIT_OK);
    }
    g_assert_cmpint(dsa_wq_submit(s, 0, LIMITED, desc, false), ==,
                    DSA_SUBMIT_FULL);
    for (i = 0; i < 4; i++) {
        g_assert_cmpint(dsa_wq_submit(s, 1, LIMITED, desc, true), ==,
                        DSA_SUBMIT_OK);
    }
    g_assert_cmpint(dsa_wq_submit(s, 1, LIMITED, desc, true), ==,
                    DSA_SUBMIT_FULL);
    g_assert_cmpint(dsa_wq_submit(s, 1, 0, desc, true), ==, DSA_SUBMIT_OK);
    dsa_wq_close(s, 2);
    g_assert_cmpint(dsa_wq_submit(s, 1, 0, desc, true), ==, DSA_SUBMIT_CLOSED);
    teardown(s);
}

/* A drain waits for what was accepted before it, queued or taken */
static void test_drain(void)
{
    DSAState *s = setup(2, 32);
    unsigned i;

    open_wq(s, 0, 16, 1, true);
    open_wq(s, 1, 16, 1, true);
    dsa_drain_begin(s, 3, DSA_ALL_PASIDS);
    g_assert_true(dsa_drain_over(s));
    run_bhs();
    g_assert_cmpuint(bhs, ==, 1);

    for (i = 0; i < 4; i++) {
        submit(s, 0, 0, i);
    }
    take(s);
    take(s);
    submit(s, 1, 0, 9);
    dsa_drain_begin(s, 1, DSA_ALL_PASIDS);
    submit(s, 0, 0, 4);
    g_assert_false(dsa_drain_over(s));
    s->group_wqs[0] = 1;
    take(s);
    take(s);
    take(s);
    g_assert_cmpuint(held[4].ticket, ==, 4);
    /* The last one came later and does not count */
    dsa_wq_retire(s, &held[4]);
    for (i = 0; i < 4; i++) {
        g_assert_false(dsa_drain_over(s));
        run_bhs();
        g_assert_cmpuint(bhs, ==, 1);
        dsa_wq_retire(s, &held[i]);
    }
    g_assert_true(dsa_drain_over(s));
    run_bhs();
    g_assert_cmpuint(bhs, ==, 2);
    teardown(s);
}

/* A writer between its claim and its data holds up what comes after it */
static void test_slow_writer(void)
{
    DSAState *s = setup(1, 8);
    DSAQueue *q = &s->queues[0];
    DSAJob job;

    open_wq(s, 0, 8, 1, true);
    /* One more place claimed: the tail, and the occupancy above it */
    q->ctl += 1ull << 32 | 1;
    g_assert_cmpint(submit(s, 0, 0, 1), ==, DSA_SUBMIT_OK);
    g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 2);
    g_assert_false(dsa_wq_take(s, 0, &job));
    stq_le_p(q->ring[0].desc + 56, ~0ull);
    q->ring[0].ready = 1;
    g_assert_true(dsa_wq_take(s, 0, &job));
    g_assert_cmpuint(job_id(&job), ==, 0);
    g_assert_true(dsa_wq_take(s, 0, &job));
    g_assert_cmpuint(job_id(&job), ==, 1);
    teardown(s);
}

static void test_drain_pasid(void)
{
    DSAState *s = setup(1, 32);
    unsigned i;

    open_wq(s, 0, 16, 1, false);
    for (i = 0; i < 6; i++) {
        submit(s, 0, i % 2 + 1, i);
    }
    take(s);
    take(s);
    dsa_drain_begin(s, 1, 3);
    g_assert_true(dsa_drain_over(s));
    dsa_drain_begin(s, 1, 2);
    g_assert_cmpuint(s->drain.left, ==, 3);
    dsa_wq_retire(s, &held[0]);
    g_assert_cmpuint(s->drain.left, ==, 3);
    dsa_wq_retire(s, &held[1]);
    g_assert_cmpuint(s->drain.left, ==, 2);
    teardown(s);
}

static void test_abort_pasid(void)
{
    DSAState *s = setup(1, 32);
    unsigned i;
    DSAJob job;

    open_wq(s, 0, 16, 1, false);
    for (i = 0; i < 8; i++) {
        submit(s, 0, i % 2 + 1, i);
    }
    take(s);
    take(s);
    dsa_abort(s, 1, 2);
    g_assert_cmpuint(held_num, ==, 1);
    g_assert_cmpuint(held[0].pasid, ==, 1);
    for (i = 2; i < 8; i += 2) {
        g_assert_true(dsa_wq_take(s, 0, &job));
        g_assert_cmpuint(job_id(&job), ==, i);
    }
    g_assert_false(dsa_wq_take(s, 0, &job));
    g_assert_cmpuint(dsa_wq_occupancy(s, 0), ==, 0);
    teardown(s);
}

/* A queue gives out no more jobs than the device side can remember */
static void test_held_limit(void)
{
    DSAState *s = setup(1, 512);
    g_autofree DSAJob *jobs = g_new0(DSAJob, 512);
    unsigned i, was;

    open_wq(s, 0, 512, 1, true);
    for (i = 0; i < 512; i++) {
        g_assert_cmpint(submit(s, 0, 0, i), ==, DSA_SUBMIT_OK);
    }
    for (i = 0; dsa_wq_take(s, 0, &jobs[i]); i++) {
    }
    g_assert_cmpuint(i, ==, DSA_MAX_IN_FLIGHT);
    was = kicks;
    dsa_wq_retire(s, &jobs[7]);
    g_assert_cmpuint(kicks, ==, was + 1);
    g_assert_true(dsa_wq_take(s, 0, &jobs[7]));
    g_assert_cmpuint(job_id(&jobs[7]), ==, DSA_MAX_IN_FLIGHT);
    teardown(s);
}

/* What a migration stream may not claim */
static void test_state_valid(void)
{
    DSAState *s = setup(1, 16);
    DSAQueue *q = &s->queues[0], good;

    open_wq(s, 0, 16, 1, true);
    submit(s, 0, 0, 1);
    submit(s, 0, 0, 2);
    g_assert_true(dsa_wq_state_valid(s, 0));
    good = *q;

    q->head++;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->ctl += 20ull << 32;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->limits = 17;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->held_count = DSA_MAX_IN_FLIGHT + 1;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->view.index = 1;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->view.group = 1;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->view.pasid = 1 << 20;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    s->drain = (DSADrain) { .active = true, .wqs = 1, .barrier = { 2 } };
    g_assert_true(dsa_wq_state_valid(s, 0));
    s->drain.barrier[0] = 3;
    g_assert_false(dsa_wq_state_valid(s, 0));
    s->drain.active = false;
    q->state = DSA_WQ_DISABLED;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->view.priority = DSA_MAX_PRIORITY + 1;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->share = INT32_MIN;
    g_assert_false(dsa_wq_state_valid(s, 0));
    *q = good;
    q->ring[1].ready = 0;
    g_assert_false(dsa_wq_state_valid(s, 0));

    /* A disabled queue is empty, and goes on where it was */
    *q = (DSAQueue) { .ring = good.ring };
    g_assert_true(dsa_wq_state_valid(s, 0));
    q->held_count = 1;
    g_assert_false(dsa_wq_state_valid(s, 0));
    q->held_count = 0;
    q->head = 1;
    g_assert_false(dsa_wq_state_valid(s, 0));

    /* One that does not exist is disabled */
    g_assert_true(dsa_wq_state_valid(s, 1));
    s->drain.active = true;
    s->drain.barrier[1] = 1;
    g_assert_false(dsa_wq_state_valid(s, 1));
    s->drain.active = false;
    s->queues[1] = good;
    s->queues[1].view.index = 1;
    g_assert_false(dsa_wq_state_valid(s, 1));

    *q = good;
    dsa_wq_forget_all(s);
    g_assert_true(dsa_wq_state_valid(s, 0));
    g_assert_true(dsa_wq_state_valid(s, 1));
    open_wq(s, 0, 16, 1, true);
    g_assert_cmpint(submit(s, 0, 0, 3), ==, DSA_SUBMIT_OK);
    teardown(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop(&error_abort);
    g_test_add_func("/dsa/wq/stress", test_stress);
    g_test_add_func("/dsa/wq/close", test_close);
    g_test_add_func("/dsa/wq/shared/limited", test_shared_limited);
    g_test_add_func("/dsa/wq/shared/mixed", test_shared_mixed);
    g_test_add_func("/dsa/wq/shared/disturbed", test_shared_disturbed);
    g_test_add_func("/dsa/wq/priority", test_priority);
    g_test_add_func("/dsa/wq/modes", test_modes);
    g_test_add_func("/dsa/wq/drain", test_drain);
    g_test_add_func("/dsa/wq/slow-writer", test_slow_writer);
    g_test_add_func("/dsa/wq/drain-pasid", test_drain_pasid);
    g_test_add_func("/dsa/wq/abort-pasid", test_abort_pasid);
    g_test_add_func("/dsa/wq/held-limit", test_held_limit);
    g_test_add_func("/dsa/wq/state-valid", test_state_valid);
    return g_test_run();
}
