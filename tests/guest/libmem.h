/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of memory a process may own, and contents to recognize. */
#ifndef LIBMEM_H
#define LIBMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ul
#define HUGE (2ul * 1024 * 1024)

struct mem {
    uint8_t *at;
    size_t size;
    int fd;                         /* of file-backed memory */
    void *to_free;
};

/**
 * struct mem_kind: how to get memory of one kind.
 * @make: memory of @size bytes at @m; false if there is none. Pages are not
 *        present yet unless the kind's name says so.
 */
struct mem_kind {
    const char *name;
    bool (*make)(struct mem *m, size_t size);
};

extern const struct mem_kind mem_kinds[];
extern const unsigned mem_kind_count;
enum { MEM_MALLOC, MEM_UNTOUCHED, MEM_FILE, MEM_HUGETLB, MEM_THP };

void mem_drop(struct mem *m);

/* Pages of @m that the process has in memory */
unsigned mem_present(const struct mem *m);

/* Bytes that depend on their place and on @key, never all equal */
void mem_fill(uint8_t *at, size_t size, unsigned key);

/* NULL if the bytes are what mem_fill() with @from added to places puts */
const char *mem_check(const uint8_t *at, size_t size, unsigned key,
                      size_t from);

/* NULL if all bytes are @value */
const char *mem_check_value(const uint8_t *at, size_t size, uint8_t value);

#endif
