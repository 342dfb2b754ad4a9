/*
 * MOVDIR64B, ENQCMD and ENQCMDS in compatibility mode: addresses of 32 bits,
 * the destination relative to ES, in a processor that has longer ones (SDM
 * vol. 2)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"
#include "enqcmd.h"

/* What the upper halves of registers have, and nobody looks at */
#define GARBAGE 0xdeadbeef00000000ul

/* The instruction runs with DS flat, and @es in ES. */
#define COMPAT_OP(name, mode, ds, es, text) \
    static void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile(mode("mov %%esi, %%ds; mov %%edi, %%es;" \
                          "push %%ebx; popf;" text "; pushf; pop %%ebx") \
                     : "+b"(op->flags) \
                     : "a"(op->dst), "c"(op->src), "S"(ds), "D"(es) \
                     : "memory", "cc"); \
    }
#define KERNEL_OP(name, text) \
    COMPAT_OP(name, COMPAT_KERNEL, FLAT_DATA, SEGMENT, text)
#define USER_OP(name, text) \
    COMPAT_OP(name, COMPAT_USER, USER_DATA, USER_DATA, text)

KERNEL_OP(movdir64b, "movdir64b (%%ecx), %%eax")
KERNEL_OP(enqcmd, "enqcmd (%%ecx), %%eax")
KERNEL_OP(enqcmds, "enqcmds (%%ecx), %%eax")
USER_OP(user_movdir64b, "movdir64b (%%ecx), %%eax")
USER_OP(user_enqcmd, "enqcmd (%%ecx), %%eax")
USER_OP(user_enqcmds, "enqcmds (%%ecx), %%eax")

static int run(void (*fn)(void *), uint64_t dst, uint64_t src)
{
    Op op = { .dst = (void *)dst, .src = (void *)src, .flags = 2 };

    return guarded_call(fn, &op);
}

static int run_enqueue(void (*fn)(void *), uint64_t dst, uint64_t src)
{
    return enqueue(fn, (void *)dst, (void *)src);
}

static void test_movdir64b(uint32_t dst, uint32_t src)
{
    segment_base(SEGMENT, dst + 0x100);
    fill();
    check(run(movdir64b, GARBAGE | (uint32_t)-0xc0, GARBAGE | (src + 5)) ==
          NO_FAULT && only_changed(0x40, 64, source + 5),
          "MOVDIR64B: ES + offset, of 32 bits");
    fill();
    check(run(movdir64b, (uint32_t)-0xc8, src) == GP && fault.error == 0 &&
          only_changed(0, 0, target), "MOVDIR64B: misaligned: #GP(0)");
    check(run(movdir64b, 0, (uint32_t)-0x20) == GP && fault.error == 0 &&
          only_changed(0, 0, target),
          "MOVDIR64B: a source across the end of 4 GiB: #GP(0)");
    check(run(movdir64b, 0, (uint32_t)-0x40) == NO_FAULT,
          "MOVDIR64B: a source up to the end");
}

static void test_enqueue(uint32_t dst, uint32_t src)
{
    segment_base(SEGMENT, dst + 0x100);
    set_pasid(PASID | PASID_VALID);
    fill_command(5, 0);
    check(run_enqueue(enqcmd, GARBAGE | (uint32_t)-0xc0, GARBAGE | (src + 5)) ==
          NO_FAULT && arrived(portals + 0x40, PASID, source + 5),
          "ENQCMD: ES + offset, of 32 bits");
    fill_command(5, 0x80012345);
    check(run_enqueue(enqcmds, (uint32_t)-0x80, src + 5) == NO_FAULT &&
          arrived(portals + 0x80, 0x80012345, source + 5),
          "ENQCMDS: PASID and PRIV from the source");
    fill_command(0, 0);
    check(run_enqueue(enqcmd, 0, (uint32_t)-0x20) == GP && fault.error == 0 &&
          untouched(), "ENQCMD: a source across the end of 4 GiB: #GP(0)");
    set_pasid(0);
    fill_command(0, 0);
    check(run_enqueue(enqcmd, 0, src) == GP && untouched(),
          "ENQCMD: no valid PASID: #GP(0)");
    set_pasid(PASID | PASID_VALID);
}

/* A program of 32 bits under an operating system of 64 */
static void test_user(void)
{
    static Op op;               /* where user mode may write */

    fill();
    op = (Op) { .dst = target + 0x40, .src = source + 5, .flags = 2 };
    check(user_call(user_movdir64b, &op) == NO_FAULT &&
          only_changed(0x40, 64, source + 5), "MOVDIR64B at CPL 3");
    fill_command(0, 0);
    check(enqueue_user(user_enqcmd, target, source) == REFUSED &&
          only_changed(0, 0, target), "ENQCMD to memory at CPL 3: refused");
    check(enqueue_user(user_enqcmds, target, source) == GP && fault.error == 0,
          "ENQCMDS at CPL 3: #GP(0)");
}

void bare_main(void)
{
    if (!testdev_find()) {
        return;
    }
    test_movdir64b((uintptr_t)target, (uintptr_t)source);
    test_enqueue((uintptr_t)portals, (uintptr_t)source);
    test_user();
}
