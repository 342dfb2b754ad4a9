/*
 * Bare-metal tests: what a test has instead of an operating system
 *
 * A test is one program in 64-bit or 32-bit mode at privilege level 0, without
 * interrupts. It prints TAP to the first serial port and ends the emulator by
 * isa-debug-exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_H
#define TESTS_GUEST_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096u

/* Exceptions (SDM vol. 3, 7.3) */
#define NO_FAULT (-1)
#define UD 6
#define NM 7
#define GP 13
#define PF 14

/* #PF error code (SDM vol. 3, 5.7) */
#define PF_PRESENT 1
#define PF_WRITE 2

/* The arithmetic flags: CF, PF, AF, ZF, SF, OF */
#define FLAGS 0x8d5

/* MSR (SDM vol. 4) */
#define IA32_PASID 0xd93
#define PASID_VALID 0x80000000u

/* The last exception that guarded_call() caught; boot.S knows the layout */
extern struct {
    unsigned long vector;
    unsigned long error;
    unsigned long ip;
    unsigned long cr2;
} fault;

/**
 * guarded_call: call @fn(@arg) and return the exception it raised or NO_FAULT.
 */
int guarded_call(void (*fn)(void *), void *arg);

/**
 * user_call: the same at privilege level 3. From the first call on, user mode
 * may access the first 16 MiB.
 */
int user_call(void (*fn)(void *), void *arg);

/**
 * check: one test case.
 * @good: whether it passed
 * @format: its name; knows %x (unsigned) and %s
 */
void check(bool good, const char *format, ...);

/* A line of explanation */
void note(const char *format, ...);

/* Whether the command line (-append) has @word */
bool option(const char *word);

void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/* One MSR; to be called by guarded_call() where it may fault */
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t val);

/**
 * wait_for_key: tell run.py that the test waits for it, until a byte comes in
 * from the serial port.
 */
void wait_for_key(void);

/**
 * pci_bar: the address of a memory BAR of the device at slot @slot of bus 0.
 * Enables memory decoding. Returns 0 if there is no such device.
 */
uintptr_t pci_bar(unsigned slot, unsigned bar);

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/**
 * start_ap: run @fn on the processor with local APIC 1, beside the test. It
 * must not fault and may return.
 */
void start_ap(void (*fn)(void));

/**
 * reset: RESET the machine. bare_main() begins once more, and was_reset() is
 * true then. Needs "-action reboot=reset".
 */
void reset(void) __attribute__((noreturn));
bool was_reset(void);

/* For the test to write */
void bare_main(void);

#if BARE_BITS == 64
/*
 * A window of 512 pages of 4 KiB, whose page table is the test's to fill.
 * Everything below 4 GiB is mapped to itself, supervisor, writable.
 */
#define WINDOW 0x4000000000ul
#define NON_CANONICAL ((void *)0x0100000000000000ul)
#define PTE_P 1ul
#define PTE_W 2ul
#define PTE_A 0x20ul
#define PTE_D 0x40ul
extern volatile uint64_t window_pt[512];    /* the processor sets A and D */

/* Map page @index of the window and drop what the TLB knows of it */
void *window_map(unsigned index, const void *page, uint64_t flags);
#endif

/* Give the data segment @selector, one of selectors.h, a base address */
void segment_base(unsigned selector, uint32_t base);

#endif /* TESTS_GUEST_BARE_H */
