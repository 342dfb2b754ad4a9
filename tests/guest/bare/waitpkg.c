/*
 * UMONITOR, UMWAIT and TPAUSE in 64-bit and in 32-bit mode (SDM vol. 2)
 *
 * With "absent" on the command line the processor has none of them. With
 * "no-wait" it has, but time or other processors depend on this one, so that
 * waits end at once; they have to end all the same, and time has to go on.
 *
 * Any wait may end early. Where a test needs one that lasts it tries often.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "selectors.h"
#include "waitpkg.h"

#define CF 1
#define HAS_WAITPKG (1u << 5)           /* CPUID.(EAX=7,ECX=0):ECX */
#define CR4_TSD 4ul
#define TRIES 200
#define LIMIT 100000                    /* TSC units; what Linux sets */

/* volatile: as if somebody else wrote it */
static volatile uint64_t line[8] __attribute__((aligned(64)));

/* For guarded_call(): operands in, arithmetic flags out */
typedef struct Wait {
    unsigned long control;
    uint64_t deadline;
    unsigned long flags;
} Wait;

#define WAIT_FN(name, text) \
    static void name(void *arg) \
    { \
        Wait *w = arg; \
        asm volatile("push %0; popf;" text "; pushf; pop %0" \
                     : "+S"(w->flags) \
                     : "c"(w->control), "a"((uint32_t)w->deadline), \
                       "d"((uint32_t)(w->deadline >> 32)) \
                     : "memory", "cc"); \
    }

WAIT_FN(umwait_ecx, "umwait %%ecx")
WAIT_FN(tpause_ecx, "tpause %%ecx")
WAIT_FN(umwait_lock, ".byte 0xf0, 0xf2, 0x0f, 0xae, 0xf1")
WAIT_FN(tpause_lock, ".byte 0xf0, 0x66, 0x0f, 0xae, 0xf1")
WAIT_FN(umonitor_lock, ".byte 0xf0, 0xf3, 0x0f, 0xae, 0xf1")
WAIT_FN(memory_f2, ".byte 0xf2, 0x0f, 0xae, 0x31")
WAIT_FN(memory_f3, ".byte 0xf3, 0x0f, 0xae, 0x31")
WAIT_FN(mfence, "mfence")

static void umonitor_fn(void *arg)
{
    umonitor(arg);
}

static void read_control(void *arg)
{
    *(uint64_t *)arg = rdmsr(IA32_UMWAIT_CONTROL);
}

static void write_control(void *arg)
{
    wrmsr(IA32_UMWAIT_CONTROL, *(uint64_t *)arg);
}

static int run(void (*fn)(void *), unsigned long control, uint64_t deadline,
               unsigned long *flags)
{
    static Wait w;                      /* where user mode may write */
    int vector;

    w = (Wait) { .control = control, .deadline = deadline,
                 .flags = FLAGS | 2 };
    vector = guarded_call(fn, &w);
    if (flags) {
        *flags = w.flags & FLAGS;
    }
    return vector;
}

static int run_user(void (*fn)(void *))
{
    static Wait w;

    w = (Wait) { .flags = 2 };
    return user_call(fn, &w);
}

static bool set_limit(uint64_t ticks)
{
    return guarded_call(write_control, &ticks) == NO_FAULT;
}

static const struct {
    const char *name;
    void (*fn)(void *);
} waits[] = {
    { "UMWAIT", umwait_ecx },
    { "TPAUSE", tpause_ecx },
};

static void check_ud(void (*fn)(void *), const char *name)
{
    check(run(fn, 0, 0, NULL) == UD, "%s: #UD", name);
}

static void test_absent(void)
{
    uint64_t val = 0;

    check_ud(umwait_ecx, "UMWAIT without the feature");
    check_ud(tpause_ecx, "TPAUSE without the feature");
    check(guarded_call(umonitor_fn, (void *)line) == UD,
          "UMONITOR without the feature: #UD");
    check(guarded_call(read_control, &val) == GP,
          "RDMSR of IA32_UMWAIT_CONTROL without the feature: #GP");
    check(guarded_call(write_control, &val) == GP,
          "WRMSR of IA32_UMWAIT_CONTROL without the feature: #GP");
    check(run(mfence, 0, 0, NULL) == NO_FAULT, "MFENCE is still there");
}

static void test_encodings(void)
{
    check_ud(umwait_lock, "LOCK UMWAIT");
    check_ud(tpause_lock, "LOCK TPAUSE");
    check_ud(umonitor_lock, "LOCK UMONITOR");
    check_ud(memory_f2, "F2 0F AE /6 with memory");
    check_ud(memory_f3, "F3 0F AE /6 with memory");
    check(run(mfence, 0, 0, NULL) == NO_FAULT, "MFENCE is still there");
}

static void test_control_msr(void)
{
    static const uint64_t good_values[] = { 0, 1, LIMIT, 0xfffffffd };
    bool good = true;
    uint64_t val;

    for (unsigned i = 0; i < 4; i++) {
        val = good_values[i];
        good &= guarded_call(write_control, &val) == NO_FAULT;
        val = 2;
        good &= guarded_call(read_control, &val) == NO_FAULT &&
                val == good_values[i];
    }
    check(good, "IA32_UMWAIT_CONTROL: what is written is read");
    val = 2;
    check(guarded_call(write_control, &val) == GP && fault.error == 0,
          "IA32_UMWAIT_CONTROL: bit 1: #GP(0)");
    val = 1ull << 32;
    check(guarded_call(write_control, &val) == GP && fault.error == 0,
          "IA32_UMWAIT_CONTROL: bit 32: #GP(0)");
    guarded_call(read_control, &val);
    check(val == 0xfffffffd, "... and it keeps its value");
    set_limit(0);
}

static void test_operand(void (*fn)(void *), const char *name)
{
    unsigned long flags;
    bool good = true;

    for (unsigned bit = 1; bit < 32; bit++) {
        good &= run(fn, 1ul << bit, 0, NULL) == GP && fault.error == 0;
    }
    check(good, "%s: any of bits 31:1 of the operand: #GP(0)", name);
    check(run(fn, 1, 0, NULL) == NO_FAULT, "%s: bit 0: C0.1", name);
#if BARE_BITS == 64
    check(run(fn, 0xabcdef0000000001, 0, NULL) == NO_FAULT,
          "%s: bits 63:32 do not count", name);
#endif
    check(run(fn, 0, 0, &flags) == NO_FAULT && flags == 0,
          "%s: a deadline in the past: no wait, all flags cleared", name);
}

/* CPUID.5: what UMONITOR watches */
static void test_line_size(void)
{
    uint32_t regs[4];

    cpuid(5, 0, regs);
    check(regs[0] == sizeof(line) && regs[1] == sizeof(line),
          "CPUID: the monitored line is %x bytes", regs[0]);
}

/* The carry flag tells whether the operating system's limit ended the wait. */
static void test_tpause(void)
{
    unsigned reached = 0, limited = 0, early = 0, wrong = 0;
    unsigned long flags;

    set_limit(0);
    for (unsigned i = 0; i < TRIES && !reached; i++) {
        uint64_t deadline = rdtsc() + LIMIT;

        wrong += run(tpause_ecx, i & 1, deadline, &flags) != NO_FAULT ||
                 flags != 0;
        reached += rdtsc() >= deadline;
    }
    check(reached && !wrong, "TPAUSE: lasts until the deadline, flags cleared");

    set_limit(LIMIT);
    for (unsigned i = 0; i < TRIES && !limited; i++) {
        uint64_t begin = rdtsc();

        wrong += run(tpause_ecx, i & 1, FOREVER, &flags) != NO_FAULT ||
                 (flags & ~CF);
        limited += flags & CF;
        early += (flags & CF) && rdtsc() < begin + LIMIT;
    }
    check(limited && !wrong && !early,
          "TPAUSE: the operating system's limit ends it: CF alone");

    set_limit(0xfffffffc);
    limited = 0;
    for (unsigned i = 0; i < 20; i++) {
        limited += tpause(0, rdtsc() + LIMIT);
    }
    check(!limited, "TPAUSE: no CF if the deadline is before the limit");
    set_limit(0);
}

/* How many of TRIES waits last until the limit */
static unsigned count_limited(void (*before)(void))
{
    unsigned limited = 0;

    set_limit(LIMIT);
    for (unsigned i = 0; i < TRIES / 10; i++) {
        before();
        limited += umwait(i & 1, FOREVER);
    }
    set_limit(0);
    return limited;
}

static void arm(void)
{
    umonitor((uint8_t *)line + 13);
}

static void arm_and_store(void)
{
    umonitor(&line[1]);
    line[6]++;
}

static void arm_and_store_nearby(void)
{
    /* volatile: the same */
    static volatile uint64_t elsewhere[16] __attribute__((aligned(128)));

    umonitor(&elsewhere[7]);
    elsewhere[8]++;
}

static void disarm_by_monitor(void)
{
    umonitor(line);
    asm volatile("monitor" : : "a"(line), "c"(0), "d"(0));
}

static void disarm_by_umwait(void)
{
    umonitor(line);
    umwait(0, 0);
    line[0]++;
}

static void arm_device(void)
{
    umonitor((void *)0xfee00000ul);
}

static void nothing(void)
{
}

static void test_umwait(void)
{
    check(count_limited(arm) > 0, "UMWAIT: waits for the line that is armed");
    check(!count_limited(nothing), "UMWAIT: nothing armed: no wait");
    check(!count_limited(arm_and_store),
          "UMWAIT: a store since UMONITOR: no wait");
    check(count_limited(arm_and_store_nearby) > 0,
          "UMWAIT: a store to the next line does not end it");
    check(!count_limited(disarm_by_monitor),
          "UMWAIT: MONITOR since UMONITOR: no wait");
    check(!count_limited(disarm_by_umwait),
          "UMWAIT: once only for each UMONITOR");
    check(!count_limited(arm_device), "UMWAIT: no memory: no wait");
}

#if BARE_BITS == 64
static void umonitor_fs(void *arg)
{
    asm volatile(".byte 0x64, 0xf3, 0x0f, 0xae, 0xf1" : : "c"(arg) : "memory");
}

static void umonitor_addr32(void *arg)
{
    asm volatile(".byte 0x67, 0xf3, 0x0f, 0xae, 0xf1" : : "c"(arg) : "memory");
}

static void test_umonitor(void)
{
    static uint8_t page[PAGE] __attribute__((aligned(4096)));
    uint8_t *addr = window_map(0, page, 0);
    uintptr_t dirt = 0xabcd00000000;

    check(guarded_call(umonitor_fn, addr + 77) == PF && fault.error == 0 &&
          fault.cr2 == (uintptr_t)addr + 77,
          "UMONITOR: page not present: #PF of a read");
    window_map(0, page, PTE_P);
    check(guarded_call(umonitor_fn, addr + PAGE - 1) == NO_FAULT,
          "UMONITOR: read-only page, its last byte");
    check((window_pt[0] & (PTE_A | PTE_D)) == PTE_A,
          "... sets A and not D");
    check(guarded_call(umonitor_fn, (void *)0x0100000000000000ul) == GP &&
          fault.error == 0, "UMONITOR: non-canonical address: #GP(0)");

    window_map(0, page, 0);
    wrmsr(0xc0000100, (uintptr_t)addr - 0x100);
    check(guarded_call(umonitor_fs, (void *)0x123ul) == PF &&
          fault.cr2 == (uintptr_t)addr + 0x23,
          "UMONITOR: with a segment prefix");
    wrmsr(0xc0000100, 0);
    check(guarded_call(umonitor_addr32, (void *)((uintptr_t)line | dirt)) ==
          NO_FAULT, "UMONITOR: address size of 32 bits");
    check(guarded_call(umonitor_fn, (void *)((uintptr_t)line | dirt)) == GP,
          "... and of 64 bits");
}
#else
static void umonitor_gs(void *arg)
{
    asm volatile("mov %1, %%gs; .byte 0x65, 0xf3, 0x0f, 0xae, 0xf1;"
                 "mov %%ss, %1; mov %1, %%gs"
                 : : "c"(arg), "d"(SEGMENT) : "memory");
}

static void arm_by_segment(void)
{
    segment_base(SEGMENT, (uintptr_t)line - 0x100);
    umonitor_gs((void *)0x108);
    line[0]++;
}

static void arm_by_segment_elsewhere(void)
{
    segment_base(SEGMENT, (uintptr_t)line - 0x100);
    umonitor_gs((void *)0x1108);
    line[0]++;
}

static void test_umonitor(void)
{
    if (option("no-wait")) {
        return;
    }
    check(!count_limited(arm_by_segment),
          "UMONITOR: with a segment prefix");
    check(count_limited(arm_by_segment_elsewhere) > 0,
          "... and another line in the segment");
}
#endif

static void set_tsd(bool on)
{
    unsigned long cr4;

    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 = on ? cr4 | CR4_TSD : cr4 & ~CR4_TSD;
    asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static void test_user(void)
{
    check(user_call(umonitor_fn, (void *)line) == NO_FAULT,
          "UMONITOR at CPL 3");
    for (unsigned i = 0; i < 2; i++) {
        check(run_user(waits[i].fn) == NO_FAULT, "%s at CPL 3", waits[i].name);
        set_tsd(true);
        check(run(waits[i].fn, 0, 0, NULL) == NO_FAULT,
              "%s at CPL 0 with CR4.TSD", waits[i].name);
        check(run_user(waits[i].fn) == GP && fault.error == 0,
              "%s at CPL 3 with CR4.TSD: #GP(0)", waits[i].name);
        set_tsd(false);
    }
}

/* An interrupt pending while EFLAGS.IF is 0: a wait without end must end. */
static void test_interrupt(void)
{
    volatile uint32_t *apic = (void *)0xfee00000ul;     /* registers */

    set_limit(0);
    apic[0xf0 / 4] = 0x1ff;             /* on, spurious vector FFH */
    apic[0x300 / 4] = 1u << 18 | 0x40;  /* vector 40H to itself */
    tpause(0, FOREVER);
    check(true, "TPAUSE: a masked interrupt ends it");
    arm();
    umwait(0, FOREVER);
    check(apic[0x200 / 4 + 8] & 1, "UMWAIT: the same, and it stays pending");
}

/* Whatever ends single waits, a loop of them reaches its time. */
static void test_time(void)
{
    uint64_t deadline = rdtsc() + 50 * LIMIT;

    set_limit(0);
    while (rdtsc() < deadline) {
        tpause(0, deadline);
    }
    check(true, "a loop of TPAUSE reaches its deadline");
    deadline = rdtsc() + 50 * LIMIT;
    while (rdtsc() < deadline) {
        arm();
        umwait(0, deadline);
    }
    check(true, "a loop of UMWAIT reaches its deadline");
}

void bare_main(void)
{
    bool absent = option("absent");
    uint32_t regs[4];

    silence_timer();
    cpuid(7, 0, regs);
    check(!!(regs[2] & HAS_WAITPKG) == !absent, "CPUID: WAITPKG %s",
          absent ? "absent" : "present");
    if (absent) {
        test_absent();
        return;
    }
    test_encodings();
    test_control_msr();
    test_line_size();
    for (unsigned i = 0; i < 2; i++) {
        test_operand(waits[i].fn, waits[i].name);
    }
    test_time();
    if (!option("no-wait")) {
        test_tpause();
        test_umwait();
    }
    test_umonitor();
    test_user();
    test_interrupt();
}
