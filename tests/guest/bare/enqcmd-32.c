/*
 * ENQCMD and ENQCMDS in 32-bit protected mode, with address sizes of 32 and 16
 * bits: the destination is relative to ES (SDM vol. 2)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "enqcmd.h"
#include "selectors.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* The instruction runs with ES = GS = SEGMENT, everything else is flat. */
#define SEGMENT_OP(name, text) \
    static void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile("mov %3, %%es; mov %3, %%gs; push %0; popf;" text \
                     "; pushf; pop %0;" \
                     "mov %%ss, %3; mov %3, %%es; mov %3, %%gs" \
                     : "+b"(op->flags) \
                     : "a"(op->dst), "S"(op->src), "d"(SEGMENT) \
                     : "memory", "cc"); \
    }

SEGMENT_OP(enqcmd, "enqcmd (%%esi), %%eax")
SEGMENT_OP(enqcmds, "enqcmds (%%esi), %%eax")
SEGMENT_OP(enqcmd_es, "enqcmd %%es:(%%esi), %%eax")
SEGMENT_OP(enqcmd_gs, "enqcmd %%gs:(%%esi), %%eax")
SEGMENT_OP(enqcmd_addr16, "enqcmd %%gs:(%%si), %%ax")
FLAGS_OP(enqcmd_flat, "enqcmd (%%ecx), %%eax")
FLAGS_OP(enqcmds_flat, "enqcmds (%%ecx), %%eax")
OP(enqcmd_lock, ".byte 0xf0, 0xf2, 0x0f, 0x38, 0xf8, 0x01")
OP(enqcmd_register, ".byte 0xf2, 0x0f, 0x38, 0xf8, 0xc1")

static uint32_t portals_addr;

static int run(void (*fn)(void *), uint32_t dst, uint32_t src)
{
    return enqueue(fn, (void *)dst, (void *)src);
}

static const uint32_t source_addr = (uintptr_t)source;

static void check_ud(void (*fn)(void *), const char *name)
{
    fill_command(0, 0);
    check(enqueue(fn, portals, source) == UD && untouched(), "%s: #UD", name);
}

static void test_es(void)
{
    segment_base(SEGMENT, portals_addr);
    fill_command(5, 0);
    check(run(enqcmd, 0x40, source_addr + 5) == NO_FAULT &&
          arrived(portals + 0x40, PASID, source + 5),
          "ENQCMD: the destination is relative to ES");
    fill_command(5, 0x80012345);
    check(run(enqcmds, 0x80, source_addr + 5) == NO_FAULT &&
          arrived(portals + 0x80, 0x80012345, source + 5),
          "ENQCMDS: the same, PASID and PRIV from the source");
    fill_command(0, 0);
    check(run(enqcmd_gs, 0xc0, source_addr - portals_addr) == NO_FAULT &&
          arrived(portals + 0xc0, PASID, source),
          "ENQCMD: a segment prefix moves the source only");
    fill_command(7, 0);
    check(run(enqcmd_es, 0, source_addr - portals_addr + 7) == NO_FAULT &&
          arrived(portals, PASID, source + 7), "ENQCMD: ES: for the source");
    segment_base(SEGMENT, portals_addr + 0x100);
    fill_command(0, 0);
    check(run(enqcmd, -0x100, source_addr) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD: ES + offset wraps");
}

static void test_alignment(void)
{
    bool good = true;

    segment_base(SEGMENT, portals_addr + 0x10);
    fill_command(0, 0);
    check(run(enqcmd, 0x30, source_addr) == NO_FAULT &&
          arrived(portals + 0x40, PASID, source),
          "ENQCMD: what has to be aligned is the linear address");
    fill_command(0, 0);
    for (unsigned offset = 0; offset < 128; offset++) {
        if (offset % 64 != 0x30) {
            good &= run(enqcmd, offset, source_addr) == GP &&
                    fault.error == 0;
        }
    }
    check(good && untouched(), "ENQCMD: misaligned linear address: #GP(0)");
}

/*
 * 16 bits reach both the source and the portal if the segment begins at a
 * device's page: BAR 0's data are the source, BAR 2's page is within 64 KiB.
 */
static void test_addr16(void)
{
    uint32_t base = MIN((uintptr_t)testdev, portals_addr);
    uint32_t src = (uintptr_t)(testdev + DATA) - base;
    uint32_t dst = portals_addr - base;

    segment_base(SEGMENT, base);
    fill_command(0, 0);
    check((src | dst) < 0x10000, "the device's BARs are side by side");
    check(run(enqcmd_addr16, 0xdead0000 | dst, 0xbeef0000 | src) == NO_FAULT &&
          testdev[ACCEPTED] == 1 && testdev[DATA] == PASID,
          "ENQCMD: address size of 16 bits");
}

static void test_faults(void)
{
    set_pasid(0);
    fill_command(0, 0);
    check(enqueue(enqcmd_flat, portals, source) == GP && fault.error == 0 &&
          untouched(), "ENQCMD: no valid PASID: #GP(0)");
    set_pasid(PASID | PASID_VALID);
    check(enqueue(enqcmd_flat, portals, source) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD: accepted once it is valid");
    fill_command(0, 1u << 31);
    check(enqueue(enqcmd_flat, portals, source) == GP && untouched(),
          "ENQCMD: PRIV in the source: #GP(0)");
    fill_command(0, 1u << 20);
    check(enqueue(enqcmds_flat, portals, source) == GP && untouched(),
          "ENQCMDS: a reserved bit in the source: #GP(0)");
    fill_command(0, 0);
    testdev[ANSWER] = 1;
    check(enqueue(enqcmd_flat, portals, source) == REFUSED,
          "ENQCMD: the device answers Retry: ZF");
    check(enqueue(enqcmd_flat, target, source) == REFUSED &&
          only_changed(0, 0, target), "ENQCMD: to memory: ZF");
}

static void test_user(void)
{
    fill_command(0, 0);
    check(enqueue_user(enqcmd_flat, portals, source) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD at CPL 3: accepted");
    fill_command(0, 0);
    check(enqueue_user(enqcmds_flat, portals, source) == GP &&
          fault.error == 0 && untouched(), "ENQCMDS at CPL 3: #GP(0)");
}

void bare_main(void)
{
    check_enqcmd_cpuid();
    if (!testdev_find()) {
        return;
    }
    portals_addr = (uintptr_t)portals;
    if (option("absent")) {
        check_ud(enqcmd_flat, "ENQCMD without the feature");
        check_ud(enqcmds_flat, "ENQCMDS without the feature");
        check(enqueue_user(enqcmds_flat, portals, source) == UD,
              "ENQCMDS without the feature at CPL 3: #UD");
        return;
    }
    check_ud(enqcmd_lock, "LOCK ENQCMD");
    check_ud(enqcmd_register, "ENQCMD with a register as source");
    test_faults();
    test_es();
    test_alignment();
    test_addr16();
    test_user();
}
