/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dyn-lazy: a dynamic program whose functions the loader looks up at their
 * first call, saving and restoring the vector registers around the search
 * (in glibc with XSAVEC and XRSTOR, or with XSAVE, or with FXSAVE).
 *
 *   dyn-lazy ROUNDS
 *
 * With LD_BIND_NOT=1 in its environment every call is a first one.
 * Results as TAP.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libregs.h"
#include "libtap.h"

/*
 * Library functions that touch no vector register. The program is linked at
 * a fixed address, so that their addresses are their entries of its procedure
 * linkage table.
 */
static const struct {
    const char *name;
    void (*call)(void);
} functions[] = {
    { "getpid", (void (*)(void))getpid },
    { "getppid", (void (*)(void))getppid },
    { "getuid", (void (*)(void))getuid },
    { "geteuid", (void (*)(void))geteuid },
    { "getgid", (void (*)(void))getgid },
    { "getegid", (void (*)(void))getegid },
    { "getpgrp", (void (*)(void))getpgrp },
    { "gettid", (void (*)(void))gettid },
    { "getpagesize", (void (*)(void))getpagesize },
    { "sched_yield", (void (*)(void))sched_yield },
};
#define COUNT (sizeof(functions) / sizeof(functions[0]))

/*
 * How many of the table's functions are still to be looked up: their slots
 * point into the program itself, which lies below 4 GiB, as no library does.
 */
static unsigned not_looked_up(void)
{
    const ElfW(Rela) *rela = NULL;
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    size_t size = 0;
    unsigned lazy = 0;

    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_JMPREL:
            rela = (void *)d->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            size = d->d_un.d_val;
            break;
        case DT_SYMTAB:
            symbols = (void *)d->d_un.d_ptr;
            break;
        case DT_STRTAB:
            names = (void *)d->d_un.d_ptr;
            break;
        }
    }
    for (size_t i = 0; i < size / sizeof(*rela); i++) {
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(rela[i].r_info)];
        uint64_t slot = *(const uint64_t *)rela[i].r_offset;

        for (unsigned f = 0; f < COUNT; f++) {
            if (strcmp(names + symbol->st_name, functions[f].name) == 0) {
                lazy += slot <= UINT32_MAX;
            }
        }
    }
    return lazy;
}

static const char *call_all(unsigned round, uint64_t *random,
                            uint32_t features)
{
    for (unsigned f = 0; f < COUNT; f++) {
        struct regs in, out;
        struct hold h = {
            .in = &in,
            .out = &out,
            .nr = -1,
            .count = 1,
            .features = features,
            .call = functions[f].call,
        };
        const char *why;

        regs_pattern(&in, random, features);
        regs_hold(&h);
        why = regs_differ(&in, &out, features);
        if (why) {
            return tap_why("round %u, after calling %s: %s", round,
                           functions[f].name, why);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc == 2 ? atoi(argv[1]) : 0;
    bool every = getenv("LD_BIND_NOT") != NULL;
    uint32_t features = regs_features();
    unsigned before, after;
    const char *why = NULL;
    uint64_t random = 1;

    if (!rounds) {
        fprintf(stderr, "usage: dyn-lazy ROUNDS\n");
        return 2;
    }
    before = not_looked_up();
    tap_result(before == COUNT ? NULL : tap_why("only %u", before),
               "%u functions are to be looked up", (unsigned)COUNT);
    for (unsigned round = 0; round < rounds && !why; round++) {
        why = call_all(round, &random, features);
    }
    tap_result(why, "vector registers survive %s",
               every ? "lookups at every call" : "a lookup");
    after = not_looked_up();
    tap_result(after == (every ? COUNT : 0) ? NULL :
               tap_why("%u functions are not", after),
               every ? "none has been remembered"
                     : "all have been looked up");
    return tap_end();
}
