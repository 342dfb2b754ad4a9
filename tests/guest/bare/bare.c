/*
 * Bare-metal tests: serial port, TAP, exceptions, PCI
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdarg.h>
#include "bare.h"
#include "boot.h"

#define COM1 0x3f8
#define DEBUG_EXIT 0xf4

typeof(fault) fault;

static unsigned cases, failures;
static const char *command_line = "";

static void out8(uint16_t port, uint8_t val)
{
    asm volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t val;

    asm volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
    return val;
}

static void out32(uint16_t port, uint32_t val)
{
    asm volatile("outl %0, %1" : : "a"(val), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
    uint32_t val;

    asm volatile("inl %1, %0" : "=a"(val) : "Nd"(port));
    return val;
}

static void put(char c)
{
    while (!(in8(COM1 + 5) & 0x20)) {
    }
    out8(COM1, c);
}

static void puts(const char *s)
{
    while (*s) {
        put(*s++);
    }
}

static void put_hex(unsigned long val)
{
    char digits[2 * sizeof(val) + 1];
    char *p = digits + sizeof(digits) - 1;

    *p = 0;
    do {
        *--p = "0123456789abcdef"[val & 15];
        val >>= 4;
    } while (val);
    puts(p);
}

static void put_decimal(unsigned val)
{
    if (val >= 10) {
        put_decimal(val / 10);
    }
    put('0' + val % 10);
}

static void put_format(const char *format, va_list ap)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
        } else if (*++format == 's') {
            puts(va_arg(ap, const char *));
        } else {
            put_hex(va_arg(ap, unsigned));
        }
    }
    put('\n');
}

void check(bool good, const char *format, ...)
{
    va_list ap;

    puts(good ? "ok " : "not ok ");
    put_decimal(++cases);
    puts(" - ");
    va_start(ap, format);
    put_format(format, ap);
    va_end(ap);
    if (!good) {
        failures++;
        puts("# last exception: vector ");
        put_decimal(fault.vector);
        puts(" error ");
        put_hex(fault.error);
        puts(" ip ");
        put_hex(fault.ip);
        puts(" cr2 ");
        put_hex(fault.cr2);
        put('\n');
    }
}

void note(const char *format, ...)
{
    va_list ap;

    puts("# ");
    va_start(ap, format);
    put_format(format, ap);
    va_end(ap);
}

bool option(const char *word)
{
    for (const char *s = command_line; *s; s++) {
        const char *a = s, *b = word;

        while (*b && *a == *b) {
            a++;
            b++;
        }
        if (!*b) {
            return true;
        }
    }
    return false;
}

void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
    asm volatile("cpuid"
                 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
                 : "a"(leaf), "c"(subleaf));
}

uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

void wrmsr(uint32_t msr, uint64_t val)
{
    asm volatile("wrmsr" : : "a"((uint32_t)val), "d"((uint32_t)(val >> 32)),
                 "c"(msr) : "memory");
}

void wait_for_key(void)
{
    note("waiting for a key");
    while (!(in8(COM1 + 5) & 1)) {
    }
    in8(COM1);
}

uintptr_t pci_bar(unsigned slot, unsigned bar)
{
    uint32_t config = 0x80000000 | slot << 11;

    out32(0xcf8, config);
    if (in32(0xcfc) == 0xffffffff) {
        return 0;
    }
    out32(0xcf8, config + 4);
    out32(0xcfc, in32(0xcfc) | 2);
    out32(0xcf8, config + 0x10 + bar * 4);
    return in32(0xcfc) & ~15u;
}

/* INIT, then two STARTUP interrupts, to APIC 1 (SDM vol. 3, 9.4.4) */
void start_ap(void (*fn)(void))
{
    const uint32_t start = 0x8000;
    static const uint32_t commands[] = {
        0x4500, 0x4600 | start >> 12, 0x4600 | start >> 12,
    };
    volatile uint32_t *apic = (void *)0xfee00000ul;     /* registers */

    ap_function = fn;
    memcpy((void *)(uintptr_t)start, ap_trampoline,
           ap_trampoline_end - ap_trampoline);
    for (unsigned i = 0; i < 3; i++) {
        apic[0x310 / 4] = 1u << 24;
        apic[0x300 / 4] = commands[i];
        for (unsigned wait = 0; wait < 10000; wait++) {
            asm volatile("pause");
        }
    }
}

/* Does not return: the verdict is isa-debug-exit's, 2 * code + 1. */
static void finish(unsigned code)
{
    out8(DEBUG_EXIT, code);
    for (;;) {
        asm volatile("hlt");
    }
}

void exception_fatal(void)
{
    check(false, "an exception that no test waits for");
    puts("Bail out! see above\n");
    finish(3);
}

/* Interrupt gates for the exceptions (SDM vol. 3, 7.11 and 7.14.1) */
static void load_idt(void)
{
    static uint32_t idt[32][sizeof(long) / 2];
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uintptr_t)idt };
    uint32_t code = sizeof(long) == 8 ? 0x18 : 0x08;

    for (unsigned i = 0; i < 32; i++) {
        uint32_t entry = (uintptr_t)exception_entries + i * 16;

        idt[i][0] = code << 16 | (entry & 0xffff);
        idt[i][1] = (entry & 0xffff0000) | 0x8e00;
    }
    asm volatile("lidt %0" : : "m"(pointer));
}

void bare_start(const uint32_t *info)
{
    if (info[0] & 4) {
        command_line = (const char *)(uintptr_t)info[4];
    }
    load_idt();
    bare_main();
    puts("1..");
    put_decimal(cases);
    put('\n');
    finish(failures ? 1 : 0);
}

/* A task state segment, for its stack pointer only (SDM vol. 3, 8.7) */
static void load_tss(void)
{
    static uint32_t tss[26];
    uint64_t base = (uintptr_t)tss, *d = gdt + TSS / 8;

    tss[1] = (uintptr_t)ring0_stack_top;
    tss[2] = sizeof(long) == 8 ? 0 : 0x10;
    tss[25] = sizeof(tss) << 16;        /* no I/O permission bitmap */
    d[0] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
           (base >> 24 & 0xff) << 56;
    d[1] = 0;
    asm volatile("ltr %w0" : : "r"(TSS));
}

int user_call(void (*fn)(void *), void *arg)
{
    static bool ready;
    int vector;

    if (!ready) {
        ready = true;
        load_tss();
#if BARE_BITS == 64
        pml4[0] |= 4;
        pdpt[0] |= 4;
        for (unsigned i = 0; i < 8; i++) {
            pd[i] |= 4;
        }
        asm volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
#endif
    }
    vector = user_enter(fn, arg);
    asm volatile("mov %0, %%ss; mov %0, %%ds; mov %0, %%es;"
                 "mov %0, %%fs; mov %0, %%gs" : : "r"(0x10));
    return vector == UD && fault.ip == (uintptr_t)user_done ? NO_FAULT : vector;
}

/* RAM that neither the image nor the firmware uses; RESET leaves it alone. */
#define MARK (*(volatile uint64_t *)0x3000000)
#define MARKED 0x5245534554204f4bull

/* q35's reset control register, and the value that resets everything */
#define RESET_CONTROL 0xcf9
#define RESET_ALL 6

void reset(void)
{
    MARK = MARKED;
    asm volatile("outb %b0, %w1" : : "a"(RESET_ALL), "d"(RESET_CONTROL));
    for (;;) {
    }
}

bool was_reset(void)
{
    return MARK == MARKED;
}

#if BARE_BITS == 64
void *window_map(unsigned index, const void *page, uint64_t flags)
{
    void *addr = (void *)(WINDOW + index * PAGE);

    window_pt[index] = (uintptr_t)page | flags;
    asm volatile("invlpg (%0)" : : "r"(addr) : "memory");
    return addr;
}
#endif

void segment_base(unsigned selector, uint32_t base)
{
    uint64_t d = 0x00cf93000000ffff;

    d |= (uint64_t)(base & 0xffffff) << 16;
    d |= (uint64_t)(base >> 24) << 56;
    gdt[selector / 8] = d;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;

    asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
    void *d = dst;

    asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
