/*
 * ENQCMD and ENQCMDS in 64-bit mode (SDM vol. 2)
 *
 * With "absent" on the command line the processor has neither.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "boot.h"
#include "enqcmd.h"

#define PF_USER 4

FLAGS_OP(enqcmd, "enqcmd (%%rcx), %%rax")
FLAGS_OP(enqcmds, "enqcmds (%%rcx), %%rax")
FLAGS_OP(enqcmd_addr32, "enqcmd (%%ecx), %%eax")
FLAGS_OP(enqcmd_rip, "enqcmd source(%%rip), %%rax")
FLAGS_OP(enqcmd_fs, "enqcmd %%fs:(%%rcx), %%rax")
FLAGS_OP(enqcmd_66, ".byte 0x66, 0xf2, 0x0f, 0x38, 0xf8, 0x01")
OP(enqcmd_lock, ".byte 0xf0, 0xf2, 0x0f, 0x38, 0xf8, 0x01")
OP(enqcmds_lock, ".byte 0xf0, 0xf3, 0x0f, 0x38, 0xf8, 0x01")
OP(enqcmd_register, ".byte 0xf2, 0x0f, 0x38, 0xf8, 0xc1")
OP(enqcmds_register, ".byte 0xf3, 0x0f, 0x38, 0xf8, 0xc1")
OP(enqcmd_vex, ".byte 0xc4, 0xe2, 0x7b, 0xf8, 0x01")

static void enqcmd_rex(void *arg)
{
    Op *op = arg;
    register void *dst asm("r9") = op->dst;
    register const void *src asm("r13") = op->src - 4 * 16;
    register uint64_t index asm("r10") = 16;

    asm volatile("push %4; popf; enqcmd (%1,%2,4), %3; pushf; pop %0"
                 : "=r"(op->flags)
                 : "r"(src), "r"(index), "r"(dst), "r"(op->flags)
                 : "memory", "cc");
}

typedef struct Instruction {
    const char *name;
    void (*fn)(void *);
    bool supervisor;
} Instruction;

static const Instruction instructions[] = {
    { "ENQCMD", enqcmd, false },
    { "ENQCMDS", enqcmds, true },
};

static void check_ud(void (*fn)(void *), const char *name)
{
    fill_command(0, 0);
    check(enqueue(fn, portals, source) == UD && untouched(), "%s: #UD", name);
}

static void test_absent(void)
{
    check_ud(enqcmd, "ENQCMD without the feature");
    check_ud(enqcmds, "ENQCMDS without the feature");
    /* Not being there comes before not being allowed. */
    check(enqueue_user(enqcmds, target, source) == UD,
          "ENQCMDS without the feature at CPL 3: #UD");
}

static void test_encodings(void)
{
    check_ud(enqcmd_lock, "LOCK ENQCMD");
    check_ud(enqcmds_lock, "LOCK ENQCMDS");
    check_ud(enqcmd_register, "ENQCMD with a register as source");
    check_ud(enqcmds_register, "ENQCMDS with a register as source");
    check_ud(enqcmd_vex, "ENQCMD with VEX");
}

/*
 * An operating system may leave IA32_PASID empty until the first #GP, fill it
 * and return to the instruction.
 */
static void test_pasid(void)
{
    set_pasid(0);
    fill_command(0, 0);
    check(enqueue(enqcmd, portals, source) == GP && fault.error == 0 &&
          untouched(), "ENQCMD: no valid PASID: #GP(0)");
    check(!memcmp((void *)fault.ip, "\xf2\x0f\x38\xf8", 4),
          "... and the exception names the instruction");
    set_pasid(PASID);
    check(enqueue(enqcmd, portals, source) == GP && untouched(),
          "ENQCMD: a PASID without the valid bit: #GP(0)");
    set_pasid(PASID | PASID_VALID);
    check(enqueue(enqcmd, portals, source) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD: accepted once it is valid");

    set_pasid(0);
    fill_command(0, PASID);
    check(enqueue(enqcmds, portals, source) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMDS needs no valid PASID");
    set_pasid(PASID_VALID);
    fill_command(0, 0);
    check(enqueue(enqcmd, portals, source) == NO_FAULT &&
          arrived(portals, 0, source), "ENQCMD: PASID 0 is one like others");
    set_pasid(PASID_VALID | 0xfffff);
    fill_command(0, 0);
    check(enqueue(enqcmd, portals, source) == NO_FAULT &&
          arrived(portals, 0xfffff, source), "ENQCMD: 20 bits of PASID");
    set_pasid(PASID | PASID_VALID);
}

/* The first doubleword of the source */
static void test_command(void)
{
    bool good = true;

    for (unsigned bit = 0; bit < 32; bit++) {
        fill_command(0, 1u << bit);
        good &= enqueue(enqcmd, portals, source) == GP && fault.error == 0 &&
                untouched();
    }
    check(good, "ENQCMD: any of bits 31:0 of the source: #GP(0)");

    good = true;
    for (unsigned bit = 20; bit <= 30; bit++) {
        fill_command(0, 1u << bit);
        good &= enqueue(enqcmds, portals, source) == GP && fault.error == 0 &&
                untouched();
    }
    check(good, "ENQCMDS: any of bits 30:20 of the source: #GP(0)");

    fill_command(0, 0x800abcde);
    check(enqueue(enqcmds, portals, source) == NO_FAULT &&
          arrived(portals, 0x800abcde, source),
          "ENQCMDS: PASID and PRIV are the source's");
    fill_command(0, 0);
    check(enqueue(enqcmds, portals, source) == NO_FAULT &&
          arrived(portals, 0, source), "ENQCMDS: and may be 0");
}

static void test_alignment(const Instruction *insn)
{
    bool good = true;

    fill_command(0, 0);
    for (unsigned offset = 1; offset < 64; offset++) {
        good &= enqueue(insn->fn, portals + offset, source) == GP &&
                fault.error == 0;
    }
    check(good && untouched(), "%s: misaligned destination: #GP(0)",
          insn->name);
    check(enqueue(insn->fn, NON_CANONICAL, source) == GP && fault.error == 0,
          "%s: non-canonical destination: #GP(0)", insn->name);
    check(enqueue(insn->fn, portals, NON_CANONICAL) == GP && fault.error == 0,
          "%s: non-canonical source: #GP(0)", insn->name);

    good = true;
    for (unsigned offset = 1; offset < 64; offset++) {
        fill_command(offset, 0);
        good &= enqueue(insn->fn, portals + 64 * offset, source + offset) ==
                NO_FAULT && arrived(portals + 64 * offset,
                                    insn->supervisor ? 0 : PASID,
                                    source + offset);
    }
    check(good, "%s: any alignment of the source, any slot of the page",
          insn->name);
    fill_command(PAGE - 31, 0);
    check(enqueue(insn->fn, portals, source + PAGE - 31) == NO_FAULT &&
          arrived(portals, insn->supervisor ? 0 : PASID, source + PAGE - 31),
          "%s: source across pages", insn->name);
}

static void check_form(void (*fn)(void *), unsigned src, const char *name)
{
    fill_command(src, 0);
    check(enqueue(fn, portals + 0x340, source + src) == NO_FAULT &&
          arrived(portals + 0x340, PASID, source + src), "ENQCMD: %s", name);
}

static void test_addresses(void)
{
    uintptr_t dirt = 0xabcd00000000;
    uint32_t base = 0x1230;

    check_form(enqcmd_rex, 5, "REX registers, SIB");
    check_form(enqcmd_rip, 0, "RIP-relative source");
    check_form(enqcmd_66, 0, "66 changes nothing");

    /* 67h: both addresses are 32 bits wide */
    fill_command(0, 0);
    check(enqueue(enqcmd_addr32, (void *)((uintptr_t)portals | dirt),
                  (void *)((uintptr_t)source | dirt)) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD: address size of 32 bits");

    /* The segment prefix is the source's; IA32_FS_BASE is MSR C000_0100H */
    wrmsr(0xc0000100, base);
    fill_command(100, 0);
    check(enqueue(enqcmd_fs, portals,
                  (void *)((uintptr_t)source + 100 - base)) == NO_FAULT &&
          arrived(portals, PASID, source + 100),
          "ENQCMD: a segment prefix moves the source only");
    wrmsr(0xc0000100, 0);
}

static void check_refused(const Instruction *insn, void *dst, const char *name)
{
    uint8_t *copy = target + PAGE;
    bool same;

    fill_command(0, 0);
    memcpy(copy, dst, 64);
    same = enqueue(insn->fn, dst, source) == REFUSED && untouched() &&
           !memcmp(copy, dst, 64);
    check(same, "%s: to %s: ZF, and nothing written", insn->name, name);
}

/* Who is no completer of DMWr refuses, and the store is dropped. */
static void test_refusal(const Instruction *insn)
{
    fill_command(0, 0);
    testdev[ANSWER] = 1;
    check(enqueue(insn->fn, portals, source) == REFUSED &&
          testdev[DEFERRABLE] == 1 && testdev[ACCEPTED] == 0 &&
          testdev[DATA] == 0, "%s: the device answers Retry: ZF", insn->name);
    testdev[ANSWER] = 0;

    check_refused(insn, target, "memory");
    check_refused(insn, (void *)0xfffff000ul, "ROM");
    check_refused(insn, portals + PORTAL_ORDINARY * PAGE,
                  "a device that is no completer");
    check_refused(insn, portals + PORTAL_NOTHING * PAGE, "nothing");
    check_refused(insn, (void *)0xfee00000ul, "the local APIC");

    fill_command(0, 0);
    check(enqueue(insn->fn, portals + PORTAL_LOCKED * PAGE, source) ==
          NO_FAULT && testdev[BIG_LOCK] == 1,
          "%s: a completer that needs the big lock gets it", insn->name);
    fill_command(0, 0);
    check(enqueue(insn->fn, portals, source) == NO_FAULT &&
          testdev[BIG_LOCK] == 0, "%s: another does not", insn->name);

    /* A device as source: whole reads, the same rules */
    fill_command(0, 0);
    check(enqueue(insn->fn, portals, (void *)(testdev + DATA)) == NO_FAULT &&
          testdev[DEFERRABLE] == 1 && testdev[ACCEPTED] == 1,
          "%s: from a device", insn->name);
}

static void check_pf(const Instruction *insn, void *dst, const void *src,
                     unsigned long error, const void *cr2, const char *name)
{
    fill_command(0, 0);
    check(enqueue(insn->fn, dst, src) == PF && fault.error == error &&
          fault.cr2 == (uintptr_t)cr2 && untouched(), "%s: %s: #PF",
          insn->name, name);
}

static void test_paging(const Instruction *insn)
{
    const uint64_t rw = PTE_P | PTE_W, dirt = PTE_A | PTE_D;
    uint8_t *dst, *src;

    dst = window_map(0, portals, 0);
    check_pf(insn, dst + 64, source, PF_WRITE, dst + 64,
             "destination not present");
    dst = window_map(0, portals, PTE_P);
    check_pf(insn, dst, source, PF_WRITE | PF_PRESENT, dst,
             "destination read-only");
    check(!(window_pt[0] & PTE_D), "... and D stays clear");

    dst = window_map(0, portals, rw);
    src = window_map(2, source, 0);
    check_pf(insn, dst, src + 9, 0, src + 9, "source not present");
    check(!(window_pt[0] & dirt), "... and the destination's A and D stay");
    src = window_map(2, source, PTE_P);
    window_map(3, source + PAGE, 0);
    check_pf(insn, dst, src + PAGE - 16, 0, src + PAGE,
             "second page of the source not present");

    dst = window_map(0, portals, 0);
    src = window_map(2, source, 0);
    check_pf(insn, dst, src, 0, src,
             "both not present: the source's comes first");
    check(enqueue(insn->fn, dst + 1, source) == GP,
          "%s: misaligned and not present: #GP", insn->name);

    dst = window_map(0, portals, rw);
    src = window_map(2, source, rw);
    window_map(3, source + PAGE, rw);
    fill_command(PAGE - 16, 0);
    check(enqueue(insn->fn, dst, src + PAGE - 16) == NO_FAULT &&
          arrived(portals, insn->supervisor ? 0 : PASID, source + PAGE - 16),
          "%s: through page tables", insn->name);
    check((window_pt[0] & dirt) == dirt, "... sets A and D of the destination");
    check((window_pt[2] & dirt) == PTE_A && (window_pt[3] & dirt) == PTE_A,
          "... and only A of both pages of the source");
}

/* The 2 MiB below 16 MiB, which user mode may access, become the portals'. */
static void test_user(void)
{
    const uint64_t large = 0x200000, flags = 0x87;  /* P, W, U, PS */
    const unsigned index = 16 * 1024 * 1024 / large - 1;
    uint8_t *dst = (void *)(index * large + (uintptr_t)portals % large);

    fill_command(0, 0);
    check(enqueue_user(enqcmds, target, source) == GP && fault.error == 0 &&
          only_changed(0, 0, target), "ENQCMDS at CPL 3: #GP(0)");
    fill_command(0, 0);
    check(enqueue_user(enqcmd, portals, source) == PF &&
          fault.error == (PF_WRITE | PF_PRESENT | PF_USER) && untouched(),
          "ENQCMD at CPL 3 to a supervisor's page: #PF");

    pd[index] = ((uintptr_t)portals & -large) | flags;
    asm volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
    fill_command(0, 0);
    check(enqueue_user(enqcmd, dst, source) == NO_FAULT &&
          arrived(portals, PASID, source), "ENQCMD at CPL 3: accepted");
    set_pasid(0);
    fill_command(0, 0);
    check(enqueue_user(enqcmd, dst, source) == GP && fault.error == 0 &&
          untouched(), "ENQCMD at CPL 3 without a PASID: #GP(0)");
    set_pasid(PASID | PASID_VALID);
    fill_command(0, PASID_VALID | PASID);
    check(enqueue_user(enqcmd, dst, source) == GP && untouched(),
          "ENQCMD at CPL 3 with a PASID of its own: #GP(0)");
}

void bare_main(void)
{
    check_enqcmd_cpuid();
    if (!testdev_find()) {
        return;
    }
    if (option("absent")) {
        test_absent();
        return;
    }
    test_encodings();
    test_pasid();
    test_command();
    for (unsigned i = 0; i < 2; i++) {
        test_alignment(&instructions[i]);
        test_refusal(&instructions[i]);
        test_paging(&instructions[i]);
    }
    test_addresses();
    test_user();
}
