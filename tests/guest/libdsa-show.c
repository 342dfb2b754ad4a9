/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work through the accelerator that a person can follow. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libdsatests.h"

#define SIZE (16ul * 1024 * 1024)
#define PIECE (1024 * 1024)
#define AT_ONCE 8

static struct dsa_record records[AT_ONCE];
static unsigned long total_bytes, total_pages, descriptors;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Everything in pieces, several in flight. Returns NULL or what failed. */
static const char *move_all(struct dsa *d, const struct mem *src,
                            const struct mem *dst)
{
    const char *why = NULL;
    size_t done, i;

    for (done = 0; done < SIZE && !why; done += AT_ONCE * PIECE) {
        for (i = 0; i < AT_ONCE; i++) {
            struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK,
                                               &records[i]);

            desc.src = (uintptr_t)src->at + done + i * PIECE;
            desc.dst = (uintptr_t)dst->at + done + i * PIECE;
            desc.size = PIECE;
            dsa_submit(d, &desc);
            descriptors++;
        }
        for (i = 0; i < AT_ONCE; i++) {
            unsigned status = dsa_wait(&records[i]);

            why = why ? why : dsa_expect(&records[i], status, DSA_OK);
        }
    }
    return why;
}

static bool show_move(struct dsa *d, unsigned from, unsigned to)
{
    struct mem src = { 0 }, dst = { 0 };
    const char *why = "no such memory";
    unsigned came = 0;
    double start, spent = 0;

    if (mem_kinds[from].make(&src, SIZE) && mem_kinds[to].make(&dst, SIZE)) {
        mem_fill(src.at, SIZE, from + 1);
        came = mem_present(&dst);
        start = seconds();
        why = move_all(d, &src, &dst);
        spent = seconds() - start;
        came = mem_present(&dst) - came;
        if (!why) {
            why = mem_check(dst.at, SIZE, from + 1, 0);
        }
    }
    mem_drop(&src);
    mem_drop(&dst);
    if (why) {
        printf("  %s to %s: FAILED: %s\n", mem_kinds[from].name,
               mem_kinds[to].name, why);
        return false;
    }
    printf("  %2lu MiB from %s to %s: %u pages brought in by the "
           "accelerator, %.0f MB/s, verified\n", SIZE >> 20,
           mem_kinds[from].name, mem_kinds[to].name, came,
           SIZE / 1e6 / (spent > 0 ? spent : 0.000001));
    fflush(stdout);
    total_bytes += SIZE;
    total_pages += came;
    return true;
}

static bool show_checksum(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_CRCGEN, DSA_F_BLOCK, &records[0]);
    struct mem m = { 0 };
    bool good = false;
    uint32_t crc;

    if (mem_kinds[MEM_MALLOC].make(&m, PIECE)) {
        mem_fill(m.at, PIECE, 9);
        crc = crc32c(0, m.at, PIECE);
        desc.src = (uintptr_t)m.at;
        desc.size = PIECE;
        good = dsa_run(d, &desc) == DSA_OK && records[0].crc == crc;
        printf("  CRC-32C of %d KiB: %08x by the accelerator, %08x by the "
               "processor: %s\n", PIECE >> 10, (unsigned)records[0].crc, crc,
               good ? "equal" : "FAILED");
        descriptors++;
    }
    mem_drop(&m);
    return good;
}

bool show_work(struct dsa *d)
{
    bool good;

    printf("A process works on its own virtual addresses:\n");
    good = show_move(d, MEM_MALLOC, MEM_MALLOC);
    good = show_move(d, MEM_MALLOC, MEM_UNTOUCHED) && good;
    good = show_move(d, MEM_UNTOUCHED, MEM_FILE) && good;
    good = show_move(d, MEM_THP, MEM_THP) && good;
    good = show_checksum(d) && good;
    printf("%lu MiB moved by %lu descriptors through PASID-tagged DMA, "
           "%lu pages made present by page requests, %s\n",
           total_bytes >> 20, descriptors, total_pages,
           good ? "every byte verified" : "NOT everything right");
    return good;
}
