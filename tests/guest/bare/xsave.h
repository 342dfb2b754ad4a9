/*
 * Compacted XSAVE: what the tests of both modes share
 *
 * References are to the SDM, vol. 1, chapter 13, if they name no other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_XSAVE_H
#define TESTS_GUEST_XSAVE_H

#include "bare.h"

/* State components (13.1) */
enum { X87, SSE, AVX, BNDREGS, BNDCSR, PKRU = 9, PASID, COMPONENTS };

#define BIT(n) (1ull << (n))
#define MPX (BIT(BNDREGS) | BIT(BNDCSR))
#define COMPACTED BIT(63)

/* MSRs, and the bits of IA32_PASID that exist (SDM vol. 4) */
#define IA32_XSS 0xda0
#define PASID_BITS ((uint64_t)PASID_VALID | 0xfffff)

#define CR0_TS 8u
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXSAVE (1u << 18)

#define MXCSR_INITIAL 0x1f80u

/* An XSAVE area (13.4): offsets of what the tests look at */
#define MXCSR 24
#define ST0 32
#define XMM 160
#define HEADER 512
#define EXTENDED 576
#define AREA_SIZE 4096

typedef union Area {
    uint8_t byte[AREA_SIZE];
    uint16_t half[AREA_SIZE / 2];
    uint32_t word[AREA_SIZE / 4];
    uint64_t quad[AREA_SIZE / 8];
    struct {
        uint8_t legacy[HEADER];
        uint64_t xstate_bv, xcomp_bv;
        uint64_t zero[6];
    };
} __attribute__((aligned(4096))) Area;

/* Operands of one instruction, for guarded_call() */
typedef struct Op {
    void *area;
    uint64_t mask;      /* EDX:EAX */
} Op;

/* Function for guarded_call() around one instruction with the area in CX */
#define OP(name, text) \
    void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile(text : : "c"(op->area), "a"((uint32_t)op->mask), \
                     "d"((uint32_t)(op->mask >> 32)) : "memory"); \
    }

void xsave(void *arg);
void xsavec(void *arg);
void xsaves(void *arg);
void xrstor(void *arg);
void xrstors(void *arg);

/* Run @fn; return what guarded_call() does */
int run(void (*fn)(void *), void *area, uint64_t mask);

/* What the processor should have, by the words of the command line */
extern uint64_t user_components, supervisor_components;
extern bool has_xsave, has_xsavec, has_xsaves, has_enqcmd;
void read_options(void);

/* Set CR4.OSXSAVE, and enable all components */
void enable_all(void);

void set_cr0(uint32_t clear, uint32_t set);
void set_cr4(uint32_t clear, uint32_t set);
int xsetbv(uint64_t val);
uint64_t xgetbv(uint32_t index);
int try_wrmsr(uint32_t msr, uint64_t val);
int try_rdmsr(uint32_t msr, uint64_t *val);

/* The model: size of a component, its place in both formats (13.4.3) */
extern const unsigned component_size[COMPONENTS];
extern const unsigned standard_offset[COMPONENTS];
unsigned compacted_offset(uint64_t xcomp_bv, unsigned component);
unsigned compacted_size(uint64_t xcomp_bv);

/*
 * Data of the components: two patterns, each with every component out of its
 * initial configuration.
 */
enum { PATTERN_A, PATTERN_B };
uint32_t pattern_mxcsr(unsigned pattern);
uint64_t pattern_pasid(unsigned pattern);

/**
 * fill_component: write what @pattern has of a component.
 * @area: for x87 and SSE (with MXCSR) the area, else the component's own place
 */
void fill_component(void *area, unsigned component, unsigned pattern);

/* Whether that is there */
bool holds_component(const void *area, unsigned component, unsigned pattern);

/**
 * load_state: give the components in @used the data of @pattern, the others
 * their initial configuration. Uses XRSTOR, standard format, and WRMSR.
 */
void load_state(uint64_t used, unsigned pattern, uint32_t mxcsr);

/**
 * state_is: whether the processor's components in @a have pattern A, in @b
 * pattern B, the others their initial configuration, and MXCSR is @mxcsr. Uses
 * XSAVE, standard format, and RDMSR.
 */
bool state_is(uint64_t a, uint64_t b, uint32_t mxcsr);

/* The tests, by topic */
void test_cpuid(void);
void test_msrs(void);
void test_save(void);
void test_restore(void);
void test_faults(void);
void test_absent(void);
void test_paging(void);

#endif /* TESTS_GUEST_XSAVE_H */
