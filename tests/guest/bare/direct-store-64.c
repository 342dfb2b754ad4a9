/*
 * MOVDIRI and MOVDIR64B in 64-bit mode (SDM vol. 2)
 *
 * With "absent" on the command line the processor has neither.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "direct-store.h"

OP(movdir64b, "movdir64b (%%rcx), %%rax")
OP(movdir64b_addr32, "movdir64b (%%ecx), %%eax")
OP(movdir64b_rip, "movdir64b source(%%rip), %%rax")
OP(movdir64b_fs, "movdir64b %%fs:(%%rcx), %%rax")
OP(movdir64b_lock, ".byte 0xf0, 0x66, 0x0f, 0x38, 0xf8, 0x01")
OP(movdir64b_register, ".byte 0x66, 0x0f, 0x38, 0xf8, 0xc1")
OP(movdir64b_no_prefix, ".byte 0x0f, 0x38, 0xf8, 0x01")
OP(movdir64b_vex, ".byte 0xc4, 0xe2, 0x79, 0xf8, 0x01")
OP(movdiri32, "movdiri %%ecx, (%%rax)")
OP(movdiri64, "movdiri %%rcx, (%%rax)")
OP(movdiri_lock, ".byte 0xf0, 0x0f, 0x38, 0xf9, 0x08")
OP(movdiri_register, ".byte 0x0f, 0x38, 0xf9, 0xc8")
OP(movdiri_66, ".byte 0x66, 0x0f, 0x38, 0xf9, 0x08")
OP(movdiri_f2, ".byte 0xf2, 0x0f, 0x38, 0xf9, 0x08")
OP(movdiri_f3, ".byte 0xf3, 0x0f, 0x38, 0xf9, 0x08")

static void movdir64b_rex(void *arg)
{
    Op *op = arg;
    register void *dst asm("r9") = op->dst;
    register const void *src asm("r13") = op->src - 4 * 16;
    register uint64_t index asm("r10") = 16;

    asm volatile("movdir64b (%0,%1,4), %2"
                 : : "r"(src), "r"(index), "r"(dst) : "memory");
}

static void movdir64b_flags(void *arg)
{
    Op *op = arg;

    asm volatile("push %3; popf; movdir64b (%2), %1; pushf; pop %0"
                 : "=r"(op->flags)
                 : "r"(op->dst), "r"(op->src), "r"(op->flags)
                 : "memory", "cc");
}

static void movdiri_flags(void *arg)
{
    Op *op = arg;

    asm volatile("push %3; popf; movdiri %2, (%1); pushf; pop %0"
                 : "=r"(op->flags)
                 : "r"(op->dst), "r"(op->src), "r"(op->flags)
                 : "memory", "cc");
}

static int run(void (*fn)(void *), void *dst, const void *src)
{
    Op op = { .dst = dst, .src = src };

    return guarded_call(fn, &op);
}

static void check_ud(void (*fn)(void *), const char *name)
{
    fill();
    check(run(fn, target, source) == UD && only_changed(0, 0, target),
          "%s: #UD", name);
}

static void test_encodings(void)
{
    check_ud(movdir64b_lock, "LOCK MOVDIR64B");
    check_ud(movdir64b_register, "MOVDIR64B with a register as source");
    check_ud(movdir64b_no_prefix, "MOVDIR64B without its prefix");
    check_ud(movdir64b_vex, "MOVDIR64B with VEX");
    check_ud(movdiri_lock, "LOCK MOVDIRI");
    check_ud(movdiri_register, "MOVDIRI to a register");
    check_ud(movdiri_66, "MOVDIRI with 66");
    check_ud(movdiri_f2, "MOVDIRI with F2");
    check_ud(movdiri_f3, "MOVDIRI with F3");
}

static void test_movdiri(void)
{
    uint64_t val = 0x8877665544332211;
    Op op = { .dst = target, .src = (void *)val };
    bool good = true;

    for (unsigned offset = 0; offset < 128; offset++) {
        fill();
        good &= run(movdiri32, target + offset, (void *)val) == NO_FAULT &&
                only_changed(offset, 4, &val);
        fill();
        good &= run(movdiri64, target + offset, (void *)val) == NO_FAULT &&
                only_changed(offset, 8, &val);
    }
    check(good, "MOVDIRI: 4 and 8 bytes at any alignment");

    fill();
    check(run(movdiri64, target + PAGE - 3, (void *)val) == NO_FAULT &&
          only_changed(PAGE - 3, 8, &val), "MOVDIRI: across pages");

    good = true;
    for (unsigned long set = 0; set <= FLAGS; set += FLAGS) {
        op.flags = set | 2;
        good &= guarded_call(movdiri_flags, &op) == NO_FAULT &&
                (op.flags & FLAGS) == set;
    }
    check(good, "MOVDIRI: flags stay");

    check(run(movdiri64, NON_CANONICAL, NULL) == GP && fault.error == 0,
          "MOVDIRI: non-canonical address: #GP(0)");
    check(run(movdiri64, window_map(0, target, 0), NULL) == PF &&
          fault.error == PF_WRITE, "MOVDIRI: page not present: #PF");
    check(run(movdiri64, window_map(0, target, PTE_P), NULL) == PF &&
          fault.error == (PF_WRITE | PF_PRESENT),
          "MOVDIRI: read-only page: #PF");
}

static void check_copy(void (*fn)(void *), unsigned dst, unsigned src,
                       const char *name)
{
    fill();
    check(run(fn, target + dst, source + src) == NO_FAULT &&
          only_changed(dst, 64, source + src), "MOVDIR64B: %s", name);
}

static void test_copy(void)
{
    Op op = { .dst = target, .src = source };
    uint8_t before[64];
    bool good = true;

    check_copy(movdir64b, 0, 0, "copies 64 bytes");
    check_copy(movdir64b, PAGE - 64, 0, "end of a page");
    check_copy(movdir64b, 64, 64 * 3, "another slot");
    check_copy(movdir64b, 0, PAGE - 31, "source across pages");
    check_copy(movdir64b_rex, 128, 5, "REX registers, SIB");
    check_copy(movdir64b_rip, 0, 0, "RIP-relative source");

    for (unsigned offset = 1; offset < 64; offset++) {
        fill();
        good &= run(movdir64b, target, source + offset) == NO_FAULT &&
                only_changed(0, 64, source + offset);
    }
    check(good, "MOVDIR64B: any alignment of the source");

    fill();
    memcpy(before, target + 32, 32);
    memcpy(before + 32, target + 64, 32);
    target[40] = before[8] = 1;
    target[70] = before[38] = 2;
    check(run(movdir64b, target + 64, target + 32) == NO_FAULT &&
          !memcmp(target + 64, before, 64),
          "MOVDIR64B: overlapping operands: the source is read first");

    good = true;
    for (unsigned long set = 0; set <= FLAGS; set += FLAGS) {
        op.flags = set | 2;
        good &= guarded_call(movdir64b_flags, &op) == NO_FAULT &&
                (op.flags & FLAGS) == set;
    }
    check(good, "MOVDIR64B: flags stay");
}

static void test_addresses(void)
{
    uintptr_t dirt = 0xabcd00000000;
    uint32_t base = 0x1230;
    void *below = (void *)((uintptr_t)source + 100 - base);

    /* 67h: both addresses are 32 bits wide */
    fill();
    check(run(movdir64b_addr32, (void *)((uintptr_t)target | dirt),
              (void *)((uintptr_t)source | dirt)) == NO_FAULT &&
          only_changed(0, 64, source), "MOVDIR64B: address size of 32 bits");

    /* The segment prefix is the source's; IA32_FS_BASE is MSR C000_0100H */
    asm volatile("wrmsr" : : "a"(base), "d"(0), "c"(0xc0000100));
    fill();
    check(run(movdir64b_fs, target, below) == NO_FAULT &&
          only_changed(0, 64, source + 100),
          "MOVDIR64B: a segment prefix moves the source only");
    asm volatile("wrmsr" : : "a"(0), "d"(0), "c"(0xc0000100));
}

static void test_alignment(void)
{
    bool good = true;

    fill();
    for (unsigned offset = 1; offset < 64; offset++) {
        good &= run(movdir64b, target + 64 + offset, source) == GP &&
                fault.error == 0;
    }
    check(good && only_changed(0, 0, target),
          "MOVDIR64B: misaligned destination: #GP(0)");
    check(!memcmp((void *)fault.ip, "\x66\x0f\x38\xf8", 4),
          "MOVDIR64B: the exception names the instruction");
    check(run(movdir64b, target, (void *)-32ul) == GP && fault.error == 0 &&
          only_changed(0, 0, target),
          "MOVDIR64B: source beyond the last address: #GP(0)");
    check(run(movdir64b, NON_CANONICAL, source) == GP && fault.error == 0,
          "MOVDIR64B: non-canonical destination: #GP(0)");
    check(run(movdir64b, target, NON_CANONICAL) == GP && fault.error == 0,
          "MOVDIR64B: non-canonical source: #GP(0)");
}

static void check_pf(void *dst, const void *src, unsigned long error,
                     const void *cr2, const char *name)
{
    fill();
    check(run(movdir64b, dst, src) == PF && fault.error == error &&
          fault.cr2 == (uintptr_t)cr2 && only_changed(0, 0, target),
          "MOVDIR64B: %s: #PF", name);
}

static void test_paging(void)
{
    const uint64_t rw = PTE_P | PTE_W, dirt = PTE_A | PTE_D;
    uint8_t *dst, *src;

    dst = window_map(0, target, 0);
    check_pf(dst + 64, source, PF_WRITE, dst + 64, "destination not present");
    dst = window_map(0, target, PTE_P);
    check_pf(dst, source, PF_WRITE | PF_PRESENT, dst, "destination read-only");
    check(!(window_pt[0] & PTE_D), "... and D stays clear");

    dst = window_map(0, target, rw);
    src = window_map(2, source, 0);
    check_pf(dst, src + 9, 0, src + 9, "source not present");
    check(!(window_pt[0] & dirt), "... and the destination's A and D stay");

    src = window_map(2, source, PTE_P);
    window_map(3, source + PAGE, 0);
    check_pf(dst, src + PAGE - 16, 0, src + PAGE,
             "second page of the source not present");

    dst = window_map(0, target, 0);
    src = window_map(2, source, 0);
    check_pf(dst, src, 0, src, "both not present: the source's comes first");

    dst = window_map(0, target, rw);
    src = window_map(2, source, rw);
    window_map(3, source + PAGE, rw);
    fill();
    check(run(movdir64b, dst, src + PAGE - 16) == NO_FAULT &&
          only_changed(0, 64, source + PAGE - 16),
          "MOVDIR64B: through page tables");
    check((window_pt[0] & dirt) == dirt, "... sets A and D of the destination");
    check((window_pt[2] & dirt) == PTE_A && (window_pt[3] & dirt) == PTE_A,
          "... and only A of both pages of the source");
}

/* A store to code has to be seen by the next fetch. */
static void test_code(void)
{
    static uint8_t code[2][64] __attribute__((aligned(64)));
    uint32_t (*fn)(void) = (void *)target;
    bool good = true;

    fill();
    for (unsigned i = 0; i < 20; i++) {
        uint8_t *c = code[i & 1];

        memcpy(c, "\xb8....\xc3", 6);       /* mov $imm32, %eax; ret */
        memcpy(c + 1, &i, 4);
        good &= run(movdir64b, target, c) == NO_FAULT && fn() == i;
    }
    check(good, "MOVDIR64B: to code that has run");
}

/* dmwr-testdev in slot 4 */
static void test_device(void)
{
    volatile uint32_t *reg = (void *)pci_bar(4, 0);     /* registers */
    uint8_t *portal = (void *)pci_bar(4, 2);
    enum { POSTED, DEFERRABLE, PIECES, OFFSET, BIG_LOCK, ANSWER, CLEAR,
           DATA = 16 };

    check(reg && portal, "dmwr-testdev is there");
    if (!reg || !portal) {
        return;
    }
    for (unsigned page = 0; page < 2; page++) {
        uint8_t *slot = portal + page * PAGE + 0x7c0;

        fill();
        reg[CLEAR] = 0;
        check(run(movdir64b, slot, source + 3) == NO_FAULT &&
              reg[POSTED] == 1 && reg[DEFERRABLE] == 0 && reg[PIECES] == 0 &&
              reg[OFFSET] == slot - portal &&
              !memcmp((void *)(reg + DATA), source + 3, 64),
              "MOVDIR64B: to a target: whole, posted, once (page %x)", page);
        check(reg[BIG_LOCK] == page, "... and with the big lock: %x", page);
    }

    reg[ANSWER] = 1;
    check(run(movdir64b, portal, source) == NO_FAULT && reg[POSTED] == 2,
          "MOVDIR64B: a target's refusal changes nothing");

    fill();
    reg[CLEAR] = 0;
    check(run(movdir64b, portal + 2 * PAGE, source) == NO_FAULT &&
          reg[POSTED] == 0 && reg[PIECES] == 8 &&
          reg[OFFSET] == 2 * PAGE + 56 &&
          !memcmp((void *)(reg + DATA), source, 64),
          "MOVDIR64B: to a device that is no target: 8 stores");

    check(run(movdir64b, target, (void *)(reg + DATA)) == NO_FAULT &&
          only_changed(0, 64, source), "MOVDIR64B: from a device");

    reg[CLEAR] = 0;
    check(run(movdir64b, portal + 3 * PAGE, source) == NO_FAULT &&
          reg[POSTED] == 0 && reg[PIECES] == 0,
          "MOVDIR64B: to nothing: dropped");
    check(run(movdir64b, portal + 1, source) == GP && reg[POSTED] == 0,
          "MOVDIR64B: to a target, misaligned: #GP");

    check(run(movdiri64, portal, (void *)0x1234ul) == NO_FAULT &&
          reg[POSTED] == 0 && reg[PIECES] == 1 && reg[DATA] == 0x1234,
          "MOVDIRI: to a target: one ordinary store");
}

static void test_rom(void)
{
    uint8_t *rom = (void *)0xfffff000ul;
    uint8_t before[64];

    memcpy(before, rom, 64);
    fill();
    check(run(movdir64b, rom, source) == NO_FAULT && !memcmp(before, rom, 64),
          "MOVDIR64B: to ROM: dropped");
}

void bare_main(void)
{
    check_cpuid();
    if (option("absent")) {
        check_ud(movdir64b, "MOVDIR64B without the feature");
        check_ud(movdiri32, "MOVDIRI without the feature");
        check_ud(movdiri64, "MOVDIRI, 64 bits, without the feature");
        return;
    }
    test_encodings();
    test_movdiri();
    test_copy();
    test_addresses();
    test_alignment();
    test_paging();
    test_code();
    test_device();
    test_rom();
}
