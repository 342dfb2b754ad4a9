/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcpus.h"
#include "libpages.h"
#include "libtap.h"
#include "libuntil.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_PRESENT (1ull << 63)

#define CANARY 0xc5

bool write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 &&
                write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0) {
        close(fd);
    }
    return good;
}

long vm_events(const char *name)
{
    FILE *file = fopen("/proc/vmstat", "r");
    char event[64];
    long count, found = -1;

    while (file && found < 0 && fscanf(file, "%63s %ld", event, &count) == 2) {
        found = strcmp(event, name) == 0 ? count : -1;
    }
    if (file) {
        fclose(file);
    }
    return found;
}

/* --- where pages are ----------------------------------------------------- */

static unsigned count(const struct mem *m, uint64_t bit)
{
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t entry;
    unsigned n = 0;
    size_t i;

    for (i = 0; i < m->size / PAGE; i++) {
        off_t at = ((uintptr_t)m->at / PAGE + i) * sizeof(entry);

        if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry)) {
            n += (entry & bit) != 0;
        }
    }
    close(fd);
    return n;
}

unsigned pages_present(const struct mem *m)
{
    return count(m, PAGEMAP_PRESENT);
}

unsigned pages_swapped(const struct mem *m)
{
    return count(m, PAGEMAP_SWAPPED);
}

void pages_out(const struct mem *m)
{
    madvise(m->at, m->size, MADV_PAGEOUT);
}

/* --- the states ---------------------------------------------------------- */

static bool make_plain(struct mem *m, size_t size)
{
    return mem_kinds[MEM_UNTOUCHED].make(m, size);
}

static const char *leave(struct mem *m)
{
    return pages_present(m) ? "pages are there already" : NULL;
}

/* Reading puts the one page of zeros everywhere */
static const char *only_read(struct mem *m)
{
    const char *why = mem_check_value(m->at, m->size, 0);

    return why ? why : pages_present(m) ? NULL : "no pages of zeros";
}

/*
 * A page that somebody holds at that moment stays, and so does one that is
 * still in a processor's list of new pages, which it empties itself.
 */
static bool swapped_out(void *arg)
{
    struct mem *m = arg;
    unsigned cpu;

    for (cpu = 0; run_on(cpu); cpu++) {
        pages_out(m);
    }
    run_anywhere();
    return pages_swapped(m) >= m->size / PAGE * 3 / 4;
}

static const char *swap_out(struct mem *m)
{
    if (until_true(swapped_out, m)) {
        return NULL;
    }
    return tap_why("%u of %zu pages are in swap", pages_swapped(m),
                   m->size / PAGE);
}

/* A child that has the same pages, until it is killed */
static const char *share_with_child(struct mem *m)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    m->fd = -child;
    return child > 0 ? NULL : "no child";
}

/* One huge page of which a part is protected differently, and back again */
static const char *split(struct mem *m)
{
    if (mprotect(m->at + PAGE, PAGE, PROT_READ) ||
        mprotect(m->at + PAGE, PAGE, PROT_READ | PROT_WRITE)) {
        return "no protection";
    }
    return pages_present(m) == m->size / PAGE ? NULL : "pages are missing";
}

/* Contents are in the file or object, no page is mapped */
static const char *unmap_pages(struct mem *m)
{
    int flags = MAP_FIXED | MAP_SHARED;

    if (mmap(m->at, m->size, PROT_READ | PROT_WRITE, flags, m->fd, 0) !=
        m->at) {
        return "no mapping";
    }
    return leave(m);
}

/* The same privately: what is written is the process's own */
static const char *map_privately(struct mem *m)
{
    int flags = MAP_FIXED | MAP_PRIVATE;

    if (mmap(m->at, m->size, PROT_READ | PROT_WRITE, flags, m->fd, 0) !=
        m->at) {
        return "no mapping";
    }
    return leave(m);
}

static bool make_object(struct mem *m, size_t size)
{
    int fd = memfd_create("pages", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, size)) {
        return false;
    }
    m->fd = fd;
    m->size = size;
    m->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return m->at != MAP_FAILED;
}

static bool make_file(struct mem *m, size_t size)
{
    return mem_kinds[MEM_FILE].make(m, size);
}

static bool make_huge(struct mem *m, size_t size)
{
    return mem_kinds[MEM_THP].make(m, size);
}

const struct page_state page_states[] = {
    { "never-touched memory", make_plain, leave, true },
    { "memory that was only read", make_plain, only_read, true },
    { "swapped-out memory", make_plain, swap_out, false },
    { "memory shared with a child", make_plain, share_with_child, false },
    { "a split huge page", make_huge, split, false },
    { "a shared file mapping", make_file, unmap_pages, false },
    { "a private file mapping", make_file, map_privately, false },
    { "shared memory", make_object, unmap_pages, false },
};
const unsigned page_state_count = sizeof(page_states) / sizeof(page_states[0]);

const char *page_state_drop(struct mem *m)
{
    pid_t child = m->fd < 0 ? -m->fd : 0;
    const char *why = NULL;

    if (child) {
        m->fd = 0;
        kill(child, SIGKILL);
        if (waitpid(child, NULL, 0) != child) {
            why = "the child is lost";
        }
    }
    mem_drop(m);
    return why;
}

/* --- canaries ------------------------------------------------------------ */

void canary_fill(struct mem *m)
{
    memset(m->at, CANARY, m->size);
}

const char *canary_check(const struct mem *m)
{
    return mem_check_value(m->at, m->size, CANARY);
}
