/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults of the accelerator (DSA section 3.13 and 3.14): partial
 * completion without block on fault, page requests with it, and mappings that
 * change after the accelerator has used them.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libdsatests.h"
#include "libtap.h"

#define SIZE (64 * PAGE)

static struct dsa_record record;

static struct dsa_desc move(const void *src, void *dst, size_t size,
                            unsigned flags)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, flags, &record);

    desc.src = (uintptr_t)src;
    desc.dst = (uintptr_t)dst;
    desc.size = size;
    return desc;
}

static bool inside(uint64_t address, const struct mem *m)
{
    return address >= (uintptr_t)m->at &&
           address < (uintptr_t)m->at + m->size;
}

/* A write fault ends the operation early; touching and going on finishes. */
static const char *partial_write(struct dsa *d, struct mem *src,
                                 struct mem *dst)
{
    struct dsa_desc desc = move(src->at + 5, dst->at + 100, SIZE - 200, 0);
    unsigned status = dsa_run(d, &desc), stops;
    const char *why = dsa_expect(&record, status,
                                 DSA_FAULT | DSA_STATUS_WRITE);

    if (!why && !inside(record.fault_address, dst)) {
        why = tap_why("fault address 0x%llx is not in the destination",
                      (unsigned long long)record.fault_address);
    }
    if (!why && mem_present(dst)) {
        why = "a page came without block on fault";
    }
    if (why) {
        return why;
    }
    why = dsa_expect(&record, dsa_run_touching(d, &desc, &stops), DSA_OK);
    if (!why && stops < SIZE / PAGE) {
        why = tap_why("stopped at %u pages only", stops);
    }
    return why ? why : mem_check(dst->at + 100, SIZE - 200, 1, 5);
}

static const char *partial_read(struct dsa *d, struct mem *zero,
                                struct mem *dst)
{
    struct dsa_desc desc = move(zero->at, dst->at, SIZE, 0);
    unsigned status = dsa_run(d, &desc), stops;
    const char *why = dsa_expect(&record, status, DSA_FAULT);

    if (!why && !inside(record.fault_address, zero)) {
        why = "the fault address is not in the source";
    }
    if (!why) {
        why = dsa_expect(&record, dsa_run_touching(d, &desc, &stops), DSA_OK);
    }
    return why ? why : mem_check_value(dst->at, SIZE, 0);
}

/* With block on fault the pages come while the operation waits. */
static const char *blocking(struct dsa *d, struct mem *zero, struct mem *dst)
{
    struct dsa_desc desc = move(zero->at, dst->at, SIZE, DSA_F_BLOCK);
    const char *why = mem_present(dst) ? "pages are there already" : NULL;

    if (!why) {
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    }
    if (!why && mem_present(dst) != SIZE / PAGE) {
        why = tap_why("%u of %lu pages are there", mem_present(dst),
                      SIZE / PAGE);
    }
    return why ? why : mem_check_value(dst->at, SIZE, 0);
}

/* Pages that were only read share one page of zeros: writing needs a fault. */
static const char *after_reading(struct dsa *d, struct mem *src,
                                 struct mem *dst)
{
    struct dsa_desc desc = move(src->at, dst->at, SIZE, DSA_F_BLOCK);
    const char *why = mem_check_value(dst->at, SIZE, 0);

    if (!why) {
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    }
    return why ? why : mem_check(dst->at, SIZE, 1, 0);
}

/* A child's copy must not see what the accelerator writes for the parent. */
static const char *after_fork(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = move(src->at, dst->at, SIZE, DSA_F_BLOCK);
    int go[2], status = -1;
    const char *why;
    char byte;
    pid_t child;

    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (why || pipe(go)) {
        return why ? why : "no pipe";
    }
    child = fork();
    if (child == 0) {
        close(go[1]);
        _exit(read(go[0], &byte, 1) != 1 ||
              mem_check(dst->at, SIZE, 1, 0) != NULL);
    }
    desc = move(src->at + 1, dst->at, SIZE - 1, DSA_F_BLOCK);
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (!why) {
        why = mem_check(dst->at, SIZE - 1, 1, 1);
    }
    if (write(go[1], "x", 1) != 1 || waitpid(child, &status, 0) != child) {
        why = why ? why : "the child is lost";
    }
    close(go[0]);
    close(go[1]);
    return why ? why : status ? "the child saw its memory change" : NULL;
}

/* New pages at an address that the accelerator knows */
static const char *after_remapping(struct dsa *d, struct mem *src,
                                   struct mem *dst)
{
    const char *why = NULL;
    unsigned round;

    for (round = 0; round < 8 && !why; round++) {
        struct dsa_desc desc = move(src->at + round, dst->at, SIZE - 16,
                                    DSA_F_BLOCK);

        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        if (!why) {
            why = mem_check(dst->at, SIZE - 16, 1, round);
        }
        if (mmap(dst->at, SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != dst->at) {
            return "no mapping";
        }
        if (!why) {
            why = mem_check_value(dst->at, SIZE, 0);
        }
    }
    return why;
}

static const char *unmapped(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = move(src->at, dst->at, PAGE, 0);
    const char *why;

    if (mprotect(dst->at, SIZE, PROT_NONE)) {
        return "no protection";
    }
    why = dsa_expect(&record, dsa_run(d, &desc),
                     DSA_FAULT | DSA_STATUS_WRITE);
    if (!why && record.fault_address / PAGE != (uintptr_t)dst->at / PAGE) {
        why = tap_why("fault address 0x%llx",
                      (unsigned long long)record.fault_address);
    }
    if (why) {
        return why;
    }
    desc.flags |= DSA_F_BLOCK;
    return dsa_expect(&record, dsa_run(d, &desc),
                      DSA_FAULT_REFUSED | DSA_STATUS_WRITE);
}

/* Memory that became read-only after the accelerator has written it */
static const char *protected(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = move(src->at, dst->at, SIZE, DSA_F_BLOCK);
    const char *why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);

    if (why || mprotect(dst->at, SIZE, PROT_READ)) {
        return why ? why : "no protection";
    }
    desc = move(src->at + 3, dst->at, SIZE - 3, DSA_F_BLOCK);
    why = dsa_expect(&record, dsa_run(d, &desc),
                     DSA_FAULT_REFUSED | DSA_STATUS_WRITE);
    if (!why) {
        why = mem_check(dst->at, SIZE, 1, 0);
    }
    if (why) {
        return why;
    }
    desc = move(dst->at, src->at, SIZE, DSA_F_BLOCK);
    return dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
}

static const char *nowhere(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = move((void *)0x10000, dst->at, PAGE, DSA_F_BLOCK);
    const char *why = dsa_expect(&record, dsa_run(d, &desc),
                                 DSA_FAULT_REFUSED);

    (void)src;
    if (why) {
        return why;
    }
    /* an address that no processor would accept */
    desc.src = 0x8000000000000000;
    switch (dsa_run(d, &desc)) {
    case DSA_FAULT_REFUSED:
    case DSA_FAULT:
        return NULL;
    default:
        return dsa_expect(&record, record.status, DSA_FAULT_REFUSED);
    }
}

static const struct {
    const char *name;
    const char *(*run)(struct dsa *d, struct mem *src, struct mem *dst);
    bool touched_source;
} tests[] = {
    { "write fault: partial completion, resumed", partial_write, true },
    { "read fault: partial completion, resumed", partial_read, false },
    { "block on fault brings pages", blocking, false },
    { "block on fault on pages that were only read", after_reading, true },
    { "copy on write after fork", after_fork, true },
    { "pages replaced under known addresses", after_remapping, true },
    { "inaccessible memory is refused", unmapped, true },
    { "memory that became read-only is refused", protected, true },
    { "addresses with no mapping are refused", nowhere, true },
};

void test_faults(struct dsa *d)
{
    unsigned i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        struct mem src = { 0 }, dst = { 0 };
        const char *why = "no memory";

        if (mem_kinds[MEM_UNTOUCHED].make(&src, SIZE) &&
            mem_kinds[MEM_UNTOUCHED].make(&dst, SIZE)) {
            if (tests[i].touched_source) {
                mem_fill(src.at, SIZE, 1);
            }
            why = tests[i].run(d, &src, &dst);
        }
        tap_result(why, "%s", tests[i].name);
        mem_drop(&src);
        mem_drop(&dst);
    }
}
