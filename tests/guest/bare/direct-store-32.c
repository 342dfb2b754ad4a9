/*
 * MOVDIRI and MOVDIR64B in 32-bit protected mode, with address sizes of 32 and
 * 16 bits: the destination is relative to ES (SDM vol. 2)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "direct-store.h"
#include "selectors.h"

/* The instruction runs with ES = GS = SEGMENT, everything else is flat. */
#define SEGMENT_OP(name, text) \
    static void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile("mov %2, %%es; mov %2, %%gs;" text ";" \
                     "mov %%ss, %2; mov %2, %%es; mov %2, %%gs" \
                     : : "a"(op->dst), "S"(op->src), "d"(SEGMENT) \
                     : "memory"); \
    }

SEGMENT_OP(movdir64b, "movdir64b (%%esi), %%eax")
SEGMENT_OP(movdir64b_es, "movdir64b %%es:(%%esi), %%eax")
SEGMENT_OP(movdir64b_gs, "movdir64b %%gs:(%%esi), %%eax")
SEGMENT_OP(movdir64b_addr16, "movdir64b %%gs:(%%si), %%ax")
SEGMENT_OP(movdiri, "movdiri %%esi, (%%eax)")
SEGMENT_OP(movdiri_es, "movdiri %%esi, %%es:(%%eax)")
OP(movdir64b_lock, ".byte 0xf0, 0x66, 0x0f, 0x38, 0xf8, 0x01")
OP(movdir64b_register, ".byte 0x66, 0x0f, 0x38, 0xf8, 0xc1")
OP(movdiri_66, ".byte 0x66, 0x0f, 0x38, 0xf9, 0x08")

static int run(void (*fn)(void *), uint32_t dst, uint32_t src)
{
    Op op = { .dst = (void *)dst, .src = (void *)src };

    return guarded_call(fn, &op);
}

static const uint32_t target_addr = (uintptr_t)target;
static const uint32_t source_addr = (uintptr_t)source;

static void test_es(void)
{
    segment_base(SEGMENT, target_addr);
    fill();
    check(run(movdir64b, 0x40, source_addr + 5) == NO_FAULT &&
          only_changed(0x40, 64, source + 5),
          "MOVDIR64B: the destination is relative to ES");
    fill();
    check(run(movdir64b_gs, 0x80, source_addr - target_addr) == NO_FAULT &&
          only_changed(0x80, 64, source),
          "MOVDIR64B: a segment prefix moves the source only");
    fill();
    check(run(movdir64b_es, 0, source_addr - target_addr + 7) == NO_FAULT &&
          only_changed(0, 64, source + 7), "MOVDIR64B: ES: for the source");

    segment_base(SEGMENT, target_addr + 0x100);
    fill();
    check(run(movdir64b, -0x100, source_addr) == NO_FAULT &&
          only_changed(0, 64, source), "MOVDIR64B: ES + offset wraps");
}

static void test_alignment(void)
{
    bool good = true;

    segment_base(SEGMENT, target_addr + 0x10);
    fill();
    check(run(movdir64b, 0x30, source_addr) == NO_FAULT &&
          only_changed(0x40, 64, source),
          "MOVDIR64B: what has to be aligned is the linear address");
    fill();
    for (unsigned offset = 0; offset < 128; offset++) {
        if (offset % 64 != 0x30) {
            good &= run(movdir64b, offset, source_addr) == GP &&
                    fault.error == 0;
        }
    }
    check(good && only_changed(0, 0, target),
          "MOVDIR64B: misaligned linear address: #GP(0)");
}

/* SDM vol. 3, 6.3: what goes past the limit of 4 GiB may raise an exception */
static void test_end(void)
{
    segment_base(SEGMENT, target_addr);
    fill();
    check(run(movdir64b, 0, -0x20) == GP && fault.error == 0 &&
          only_changed(0, 0, target),
          "MOVDIR64B: a source across the end of 4 GiB: #GP(0)");
    check(run(movdir64b, 0, -0x40) == NO_FAULT,
          "MOVDIR64B: a source up to the end");
}

static void test_addr16(void)
{
    segment_base(SEGMENT, target_addr);
    fill();
    memcpy(target + 0x20, source, 64);
    check(run(movdir64b_addr16, 0xdead0080, 0xbeef0020) == NO_FAULT &&
          !memcmp(target + 0x80, source, 64) && target[0xc0] == 0xee,
          "MOVDIR64B: address size of 16 bits");
}

static void test_movdiri(void)
{
    uint32_t val = 0x81726354;

    segment_base(SEGMENT, target_addr);
    fill();
    check(run(movdiri, target_addr + 3, val) == NO_FAULT &&
          only_changed(3, 4, &val), "MOVDIRI: relative to DS");
    fill();
    check(run(movdiri_es, 0x21, val) == NO_FAULT &&
          only_changed(0x21, 4, &val), "MOVDIRI: with a segment prefix");
}

static void check_ud(void (*fn)(void *), const char *name)
{
    fill();
    check(run(fn, target_addr, source_addr) == UD && only_changed(0, 0, target),
          "%s: #UD", name);
}

void bare_main(void)
{
    check_cpuid();
    if (option("absent")) {
        segment_base(SEGMENT, 0);
        check_ud(movdir64b, "MOVDIR64B without the feature");
        check_ud(movdiri, "MOVDIRI without the feature");
        return;
    }
    check_ud(movdir64b_lock, "LOCK MOVDIR64B");
    check_ud(movdir64b_register, "MOVDIR64B with a register as source");
    check_ud(movdiri_66, "MOVDIRI with 66");
    test_es();
    test_alignment();
    test_end();
    test_addr16();
    test_movdiri();
}
