/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libmem.h"
#include "librogue.h"
#include "libtap.h"
#include "libwork.h"

#define LOG_SELDOM 8                /* rounds for each with logged misdeeds */

static sigjmp_buf back;

static void caught(int number)
{
    siglongjmp(back, number);
}

int signal_of(void (*fn)(void *arg), void *arg)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL };
    const struct sigaction action = { .sa_handler = caught };
    struct sigaction old[3];
    int number, i;

    for (i = 0; i < 3; i++) {
        sigaction(numbers[i], &action, &old[i]);
    }
    number = sigsetjmp(back, 1);
    if (!number) {
        fn(arg);
    }
    for (i = 0; i < 3; i++) {
        sigaction(numbers[i], &old[i], NULL);
    }
    return number;
}

/* What a misdeed works with. Everything is the process' own memory. */
struct scene {
    struct dsa *d;
    uint64_t random;
    struct dsa_record *record, *other;
    struct dsa_desc *desc;
    uint8_t *page;                  /* to read and write */
    uint8_t *hole;                  /* no memory */
    uint8_t *readonly;
    volatile void *target;          /* of the next instruction */
    const void *source;
};

/* --- instructions that must end in a signal ------------------------------ */

static void enqcmd(void *arg)
{
    struct scene *s = arg;

    dsa_enqcmd(s->target, s->source);
}

/* ENQCMDS: for the kernel only */
static void enqcmds(void *arg)
{
    struct scene *s = arg;

    asm volatile(".byte 0xf3, 0x0f, 0x38, 0xf8, 0x02"
                 : : "a" (s->target), "d" (s->source) : "cc", "memory");
}

static const char *must_signal(struct scene *s, void (*fn)(void *))
{
    int number = signal_of(fn, s);

    if (number != SIGSEGV) {
        return tap_why("ended with signal %d instead of %d", number, SIGSEGV);
    }
    return NULL;
}

static const char *foreign_pasid(struct scene *s)
{
    s->desc->pasid = 1 + work_random(&s->random, 0xfffff);
    return must_signal(s, enqcmd);
}

static const char *privileged(struct scene *s)
{
    s->desc->pasid = 1u << 31;
    return must_signal(s, enqcmd);
}

static const char *misaligned(struct scene *s)
{
    s->target = s->d->portal + 8 + work_random(&s->random, 56);
    return must_signal(s, enqcmd);
}

static const char *no_descriptor(struct scene *s)
{
    /* its second half is not there */
    s->source = s->hole - 32;
    return must_signal(s, enqcmd);
}

static const char *supervisor(struct scene *s)
{
    return must_signal(s, enqcmds);
}

/* --- writes that must go nowhere ----------------------------------------- */

/* ENQCMD to memory is answered with retry and stores nothing. */
static const char *to_memory(struct scene *s)
{
    memset(s->page, 0x5a, 64);
    if (dsa_enqcmd(s->page, s->source)) {
        return "memory accepted it";
    }
    return mem_check_value(s->page, 64, 0x5a);
}

static const char *posted(struct scene *s)
{
    dsa_movdir64b(s->target, s->source);
    return NULL;
}

static const char *narrow(struct scene *s)
{
    /* volatile: device memory */
    volatile uint64_t *words = s->target;
    unsigned i;

    for (i = 0; i < 8; i++) {
        words[i] = ((uint64_t *)s->desc)[i];
    }
    return NULL;
}

/* --- descriptors that must be refused ------------------------------------ */

static const char *refused(struct scene *s)
{
    unsigned status = dsa_run(s->d, s->desc) & DSA_STATUS_MASK;

    return status > DSA_FALSE ? NULL :
           tap_why("status 0x%x", s->record->status);
}

static const char *bad_opcode(struct scene *s)
{
    s->desc->opcode = 0x40 + work_random(&s->random, 0xc0);
    return refused(s);
}

static const char *bad_flags(struct scene *s)
{
    s->desc->flags |= 1 << (16 + work_random(&s->random, 8));
    return refused(s);
}

/* To and from where there is nothing, or nothing for a user */
static const char *bad_address(struct scene *s)
{
    const uint64_t places[] = {
        (uintptr_t)s->hole, 0, 0xffff888000000000, 0xffffffff81000000,
        0x8000000000000000, 0x7ffffffff000, -4096ull,
    };
    unsigned turn = work_random(&s->random, 14);
    uint64_t place = places[turn / 2] + work_random(&s->random, 64);

    s->desc->opcode = DSA_MEMMOVE;
    s->desc->flags |= work_random(&s->random, 2) * DSA_F_BLOCK;
    s->desc->src = turn % 2 ? place : (uintptr_t)s->page;
    s->desc->dst = turn % 2 ? (uintptr_t)s->page : place;
    s->desc->size = 1 + work_random(&s->random, 4096 - 64);
    return refused(s);
}

static const char *to_readonly(struct scene *s)
{
    s->desc->opcode = DSA_FILL;
    s->desc->flags |= work_random(&s->random, 2) * DSA_F_BLOCK;
    s->desc->dst = (uintptr_t)s->readonly;
    s->desc->size = 64;
    return refused(s);
}

static const char *too_long(struct scene *s)
{
    s->desc->opcode = DSA_MEMMOVE;
    s->desc->src = s->desc->dst = (uintptr_t)s->page;
    s->desc->size = 0x80000001 + work_random(&s->random, 0x7ffffffe);
    return refused(s);
}

/* Until there is room: others work, too */
static void insist(struct scene *s)
{
    time_t since = 0;

    while (!dsa_enqcmd(s->target, s->desc)) {
        dsa_refused(&since);
    }
}

/* A record that cannot be written: nobody hears of it but the driver. */
static const char *bad_record(struct scene *s)
{
    const uint64_t places[] = {
        (uintptr_t)s->page + 8, (uintptr_t)s->hole, (uintptr_t)s->readonly,
        0xffff888000000000, 0x8000000000000000,
    };

    memset(s->page, 0, 64);
    s->desc->record = places[work_random(&s->random, 5)];
    insist(s);
    return mem_check_value(s->page, 64, 0);
}

static const char *random_bytes(struct scene *s)
{
    uint8_t *bytes = (uint8_t *)s->desc;
    unsigned i;

    for (i = 4; i < 64; i++) {
        bytes[i] = work_random(&s->random, 256);
    }
    if (work_random(&s->random, 2)) {
        s->desc->opcode = work_random(&s->random, 0x21);
        s->desc->flags = DSA_F_RECORD_VALID | DSA_F_RECORD;
        s->desc->record = (uintptr_t)s->record;
    }
    insist(s);
    return NULL;
}

enum kind {
    SIGNALS,                        /* ends in a signal, in nothing else */
    DROPPED,                        /* without effect */
    LOGGED,                         /* the same; the driver writes it down */
    REFUSED,                        /* its record says why */
    UNKNOWN,                        /* whatever comes; the driver may log it */
};

static const struct misdeed {
    const char *name;
    const char *(*run)(struct scene *s);
    enum kind kind;
} misdeeds[] = {
    { "ENQCMD with a PASID in the descriptor", foreign_pasid, SIGNALS },
    { "ENQCMD with the privileged bit", privileged, SIGNALS },
    { "ENQCMD to a misaligned place", misaligned, SIGNALS },
    { "ENQCMD of a descriptor that is not there", no_descriptor, SIGNALS },
    { "ENQCMDS by a user", supervisor, SIGNALS },
    { "ENQCMD to memory", to_memory, DROPPED },
    { "ordinary stores to the portal", narrow, DROPPED },
    { "MOVDIR64B to a shared queue", posted, LOGGED },
    { "record that cannot be written", bad_record, LOGGED },
    { "unknown operation", bad_opcode, REFUSED },
    { "reserved flag", bad_flags, REFUSED },
    { "bad address", bad_address, REFUSED },
    { "write to read-only memory", to_readonly, REFUSED },
    { "transfer beyond the limit", too_long, REFUSED },
    { "random bytes", random_bytes, UNKNOWN },
};

/* The queue still serves the process, and what went before is over. */
static const char *alive(struct scene *s)
{
    struct dsa_desc desc = dsa_prepare(DSA_DRAIN, 0, s->other);

    return dsa_expect(s->other, dsa_run(s->d, &desc), DSA_OK);
}

static void commit(struct rogue *r, struct scene *s,
                   const struct misdeed *deed)
{
    const char *why;

    *s->desc = dsa_prepare(DSA_NOOP, 0, s->record);
    s->record->status = 0;
    s->target = s->d->portal + 64 * work_random(&s->random, 64);
    s->source = s->desc;
    why = deed->run(s);
    why = why ? why : alive(s);
    if (!why && deed->kind < REFUSED && s->record->status) {
        why = "it was carried out";
    }
    r->misdeeds++;
    r->signals += deed->kind == SIGNALS && !why;
    if (why && !r->failed) {
        r->failed = true;
        snprintf(r->why, sizeof(r->why), "%s: %s", deed->name, why);
    }
}

bool rogue_run(struct rogue *r)
{
    struct dsa d = *r->queue;
    struct scene s = { .d = &d, .random = r->seed * 0x9e3779b97f4a7c15 + 1 };
    struct mem m = { 0 };
    unsigned i, round;

    r->failed = true;
    snprintf(r->why, sizeof(r->why), "no memory");
    if (!mem_kinds[MEM_UNTOUCHED].make(&m, 5 * PAGE)) {
        return false;
    }
    s.record = (struct dsa_record *)m.at;
    s.other = s.record + 1;
    s.desc = (struct dsa_desc *)(m.at + 64);
    s.page = m.at + PAGE;
    s.readonly = m.at + 2 * PAGE;
    s.hole = m.at + 4 * PAGE;
    memset(m.at, 0, 4 * PAGE);
    mprotect(s.readonly, PAGE, PROT_READ);
    mprotect(s.hole, PAGE, PROT_NONE);

    r->failed = false;
    r->why[0] = 0;
    for (round = 0; round < r->rounds && !r->failed; round++) {
        for (i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
            bool logged = misdeeds[i].kind == LOGGED ||
                          misdeeds[i].kind == UNKNOWN;

            if (!logged || round % LOG_SELDOM == 0) {
                commit(r, &s, &misdeeds[i]);
            }
        }
    }
    mem_drop(&m);
    return !r->failed;
}
