/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libmem.h"
#include "libtap.h"

static bool map(struct mem *m, size_t size, int flags, int fd)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    m->at = at;
    m->size = size;
    return at != MAP_FAILED;
}

static bool make_malloc(struct mem *m, size_t size)
{
    m->to_free = malloc(size + PAGE);
    if (!m->to_free) {
        return false;
    }
    m->at = (uint8_t *)(((uintptr_t)m->to_free + PAGE - 1) & -PAGE);
    m->size = size;
    memset(m->at, 0, size);
    return true;
}

static bool make_untouched(struct mem *m, size_t size)
{
    return map(m, size, MAP_PRIVATE | MAP_ANONYMOUS, -1) &&
           madvise(m->at, size, MADV_NOHUGEPAGE) == 0;
}

static bool make_file(struct mem *m, size_t size)
{
    char name[] = "/tmp/dsa-XXXXXX";

    m->fd = mkstemp(name);
    if (m->fd < 0) {
        return false;
    }
    unlink(name);
    return ftruncate(m->fd, size) == 0 && map(m, size, MAP_SHARED, m->fd);
}

static bool make_hugetlb(struct mem *m, size_t size)
{
    size = (size + HUGE - 1) & -HUGE;
    return map(m, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

static bool make_thp(struct mem *m, size_t size)
{
    size = (size + HUGE - 1) & -HUGE;
    if (!map(m, size + HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1)) {
        return false;
    }
    /* what lies before and behind stays mapped: it costs nothing */
    m->at = (uint8_t *)(((uintptr_t)m->at + HUGE - 1) & -HUGE);
    m->size = size;
    return madvise(m->at, size, MADV_HUGEPAGE) == 0;
}

const struct mem_kind mem_kinds[] = {
    [MEM_MALLOC] = { "malloc'ed memory", make_malloc },
    [MEM_UNTOUCHED] = { "never-touched memory", make_untouched },
    [MEM_FILE] = { "a file's memory", make_file },
    [MEM_HUGETLB] = { "hugetlb pages", make_hugetlb },
    [MEM_THP] = { "transparent huge pages", make_thp },
};
const unsigned mem_kind_count = sizeof(mem_kinds) / sizeof(mem_kinds[0]);

void mem_drop(struct mem *m)
{
    if (m->to_free) {
        free(m->to_free);
    } else if (m->at && m->at != MAP_FAILED) {
        munmap(m->at, m->size);
    }
    if (m->fd > 0) {
        close(m->fd);
    }
    memset(m, 0, sizeof(*m));
}

unsigned mem_present(const struct mem *m)
{
    size_t pages = m->size / PAGE, i;
    unsigned char *map = malloc(pages);
    unsigned present = 0;

    if (map && mincore(m->at, m->size, map) == 0) {
        for (i = 0; i < pages; i++) {
            present += map[i] & 1;
        }
    }
    free(map);
    return present;
}

static uint8_t byte_at(size_t place, unsigned key)
{
    return place * 31 + (place >> 8) * 7 + (place >> 16) + key * 101;
}

void mem_fill(uint8_t *at, size_t size, unsigned key)
{
    size_t i;

    for (i = 0; i < size; i++) {
        at[i] = byte_at(i, key);
    }
}

const char *mem_check(const uint8_t *at, size_t size, unsigned key,
                      size_t from)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (at[i] != byte_at(from + i, key)) {
            return tap_why("byte %zu of %zu is 0x%x instead of 0x%x", i, size,
                           at[i], byte_at(from + i, key));
        }
    }
    return NULL;
}

const char *mem_check_value(const uint8_t *at, size_t size, uint8_t value)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (at[i] != value) {
            return tap_why("byte %zu of %zu is 0x%x instead of 0x%x", i, size,
                           at[i], value);
        }
    }
    return NULL;
}
