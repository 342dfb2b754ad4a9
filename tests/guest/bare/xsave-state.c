/*
 * Compacted XSAVE: state of the processor, and the model of an area
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

/* XMM and YMM registers that the mode has (13.5.2, 13.5.3) */
#define REGISTERS (sizeof(long) == 8 ? 16u : 8u)

const unsigned component_size[COMPONENTS] = {
    [AVX] = 256, [BNDREGS] = 64, [BNDCSR] = 64, [PKRU] = 8, [PASID] = 8,
};

/* Of the processors that QEMU models; those of user components only */
const unsigned standard_offset[COMPONENTS] = {
    [AVX] = 576, [BNDREGS] = 960, [BNDCSR] = 1024, [PKRU] = 2688,
};

uint64_t user_components, supervisor_components;
bool has_xsave, has_xsavec, has_xsaves, has_enqcmd;

OP(xsave, "xsave (%0)")
OP(xsavec, "xsavec (%0)")
OP(xsaves, "xsaves (%0)")
OP(xrstor, "xrstor (%0)")
OP(xrstors, "xrstors (%0)")

int run(void (*fn)(void *), void *area, uint64_t mask)
{
    Op op = { area, mask };

    return guarded_call(fn, &op);
}

void read_options(void)
{
    has_xsave = !option("no-xsave-at-all");
    has_xsavec = has_xsave && !option("no-xsavec");
    has_xsaves = has_xsave && !option("no-xsaves");
    has_enqcmd = has_xsaves && !option("no-enqcmd");
    user_components = BIT(X87) | BIT(SSE) | BIT(AVX) | MPX | BIT(PKRU);
    if (option("no-mpx")) {
        user_components &= ~MPX;
    }
    if (option("no-pku")) {
        user_components &= ~BIT(PKRU);
    }
    supervisor_components = has_enqcmd ? BIT(PASID) : 0;
}

void set_cr0(uint32_t clear, uint32_t set)
{
    unsigned long cr0;

    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    asm volatile("mov %0, %%cr0" : : "r"((cr0 & ~(unsigned long)clear) | set));
}

void set_cr4(uint32_t clear, uint32_t set)
{
    unsigned long cr4;

    asm volatile("mov %%cr4, %0" : "=r"(cr4));
    asm volatile("mov %0, %%cr4" : : "r"((cr4 & ~(unsigned long)clear) | set));
}

static void do_xsetbv(void *arg)
{
    uint64_t val = *(uint64_t *)arg;

    asm volatile("xsetbv" : : "a"((uint32_t)val), "d"((uint32_t)(val >> 32)),
                 "c"(0));
}

int xsetbv(uint64_t val)
{
    return guarded_call(do_xsetbv, &val);
}

uint64_t xgetbv(uint32_t index)
{
    uint32_t low, high;

    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

typedef struct Msr {
    uint32_t index;
    uint64_t val;
} Msr;

static void do_wrmsr(void *arg)
{
    Msr *msr = arg;

    wrmsr(msr->index, msr->val);
}

static void do_rdmsr(void *arg)
{
    Msr *msr = arg;

    msr->val = rdmsr(msr->index);
}

int try_wrmsr(uint32_t msr, uint64_t val)
{
    Msr op = { msr, val };

    return guarded_call(do_wrmsr, &op);
}

int try_rdmsr(uint32_t msr, uint64_t *val)
{
    Msr op = { msr, 0 };
    int vector = guarded_call(do_rdmsr, &op);

    *val = op.val;
    return vector;
}

void enable_all(void)
{
    if (!has_xsave) {
        return;
    }
    set_cr0(CR0_TS, 0);
    set_cr4(0, CR4_OSFXSR | CR4_OSXSAVE);
    xsetbv(user_components);
    if (has_xsaves) {
        wrmsr(IA32_XSS, supervisor_components);
    }
}

/* Components that begin at a multiple of 64 (SDM vol. 2, CPUID leaf 0DH) */
static uint64_t aligned_components(void)
{
    static uint64_t aligned = COMPACTED;
    uint32_t regs[4];

    if (aligned == COMPACTED) {
        aligned = 0;
        for (unsigned i = AVX; i < COMPONENTS; i++) {
            cpuid(0xd, i, regs);
            aligned |= regs[2] & 2 ? BIT(i) : 0;
        }
    }
    return aligned;
}

unsigned compacted_offset(uint64_t xcomp_bv, unsigned component)
{
    uint64_t aligned = aligned_components();
    unsigned end = EXTENDED;

    for (unsigned i = AVX; i <= component; i++) {
        if (xcomp_bv >> i & 1) {
            end = aligned >> i & 1 ? (end + 63) & ~63u : end;
            end += i < component ? component_size[i] : 0;
        }
    }
    return component >= AVX ? end : 0;
}

unsigned compacted_size(uint64_t xcomp_bv)
{
    unsigned size = EXTENDED;

    for (unsigned i = AVX; i < COMPONENTS; i++) {
        if (xcomp_bv >> i & 1) {
            size = compacted_offset(xcomp_bv, i) + component_size[i];
        }
    }
    return size;
}

uint32_t pattern_mxcsr(unsigned pattern)
{
    return pattern == PATTERN_A ? 0x1fa0 : 0x9f81;
}

uint64_t pattern_pasid(unsigned pattern)
{
    return PASID_VALID | (pattern == PATTERN_A ? 0x5a5a5 : 0xfedcb);
}

/* FCW, FSW with two registers pushed, FTW, the registers; no pointers */
static void fill_x87(uint8_t *area, unsigned pattern)
{
    uint16_t fcw = pattern == PATTERN_A ? 0x27f : 0x37e;
    uint16_t fsw = pattern == PATTERN_A ? 0x3000 : 0x3100;

    memset(area, 0, MXCSR);
    memcpy(area, &fcw, 2);
    memcpy(area + 2, &fsw, 2);
    area[4] = 0xc0;
    memset(area + ST0, 0, 128);
    for (unsigned i = 0; i < 8; i++) {
        uint16_t exponent = 0x4000 + pattern * 16 + i;

        area[ST0 + i * 16 + 7] = 0x80;
        area[ST0 + i * 16] = 0x11 * (pattern + 1) + i;
        memcpy(area + ST0 + i * 16 + 8, &exponent, 2);
    }
}

static void fill_registers(uint8_t *area, unsigned salt)
{
    for (unsigned i = 0; i < REGISTERS * 16; i++) {
        area[i] = i * 3 + salt;
    }
}

/* Bound registers, and a configuration that leaves them off */
static void fill_mpx(uint8_t *area, unsigned component, unsigned pattern)
{
    uint64_t config[2] = { 0x1002 + pattern * 0x1000, 4 + pattern * 4 };

    memset(area, 0, 64);
    if (component == BNDCSR) {
        memcpy(area, config, 16);
    } else {
        for (unsigned i = 0; i < 64; i++) {
            area[i] = i * 5 + pattern + 1;
        }
    }
}

void fill_component(void *area, unsigned component, unsigned pattern)
{
    const uint32_t mxcsr[2] = { pattern_mxcsr(pattern), 0xffff };
    const uint64_t pkru = pattern == PATTERN_A ? 0x55555554 : 0x12345670;
    const uint64_t pasid = pattern_pasid(pattern);

    switch (component) {
    case X87:
        fill_x87(area, pattern);
        break;
    case SSE:
        memcpy((uint8_t *)area + MXCSR, mxcsr, 8);
        fill_registers((uint8_t *)area + XMM, 0x40 + pattern);
        break;
    case AVX:
        fill_registers(area, 0x80 + pattern);
        break;
    case BNDREGS:
    case BNDCSR:
        fill_mpx(area, component, pattern);
        break;
    case PKRU:
        memcpy(area, &pkru, 8);
        break;
    case PASID:
        memcpy(area, &pasid, 8);
        break;
    }
}

/*
 * The last opcode (bytes 6 and 7) and the reserved bytes beside an x87
 * register are not looked at: the base writes neither.
 */
static bool same_x87(const uint8_t *a, const uint8_t *b)
{
    bool same = !memcmp(a, b, 5) && !memcmp(a + 8, b + 8, 16);

    for (unsigned i = ST0; i < XMM; i += 16) {
        same &= !memcmp(a + i, b + i, 10);
    }
    return same;
}

static bool same_component(const uint8_t *a, const uint8_t *b,
                           unsigned component)
{
    unsigned size = REGISTERS * 16;

    switch (component) {
    case X87:
        return same_x87(a, b);
    case SSE:
        return !memcmp(a + MXCSR, b + MXCSR, 8) &&
               !memcmp(a + XMM, b + XMM, size);
    case AVX:
        return !memcmp(a, b, size);
    case BNDCSR:
        return !memcmp(a, b, 16);
    default:
        return !memcmp(a, b, component_size[component]);
    }
}

bool holds_component(const void *area, unsigned component, unsigned pattern)
{
    static uint8_t want[EXTENDED];

    fill_component(want, component, pattern);
    return same_component(area, want, component);
}

void load_state(uint64_t used, unsigned pattern, uint32_t mxcsr)
{
    static Area area;

    memset(&area, 0, sizeof(area));
    for (unsigned i = 0; i < PASID; i++) {
        if (user_components >> i & 1) {
            fill_component(area.byte + standard_offset[i], i, pattern);
        }
    }
    area.word[MXCSR / 4] = mxcsr;
    area.xstate_bv = used & user_components;
    run(xrstor, &area, ~0ull);
    if (has_enqcmd) {
        wrmsr(IA32_PASID, used & BIT(PASID) ? pattern_pasid(pattern) : 0);
    }
}

/* The initial configuration, as the standard format has it */
static void fill_initial(uint8_t *area, unsigned component)
{
    if (component == X87) {
        memset(area, 0, MXCSR);
        memset(area + ST0, 0, 128);
        area[0] = 0x7f;
        area[1] = 0x03;
    } else if (component == SSE) {
        memset(area + XMM, 0, 256);
    } else {
        memset(area, 0, component_size[component]);
    }
}

bool state_is(uint64_t a, uint64_t b, uint32_t mxcsr)
{
    static Area now, want;
    uint64_t pasid = a & BIT(PASID) ? pattern_pasid(PATTERN_A) :
                     b & BIT(PASID) ? pattern_pasid(PATTERN_B) : 0;
    bool same = true;

    memset(&now, 0, sizeof(now));
    run(xsave, &now, ~0ull);
    for (unsigned i = 0; i < PASID; i++) {
        uint8_t *place = want.byte + standard_offset[i];

        if (!(user_components >> i & 1)) {
            continue;
        }
        if ((a | b) >> i & 1) {
            fill_component(place, i, a >> i & 1 ? PATTERN_A : PATTERN_B);
        } else {
            fill_initial(place, i);
        }
        if (i == SSE) {
            want.word[MXCSR / 4] = mxcsr;
            want.word[MXCSR / 4 + 1] = 0xffff;
        }
        same &= same_component(now.byte + standard_offset[i], place, i);
    }
    return same && (!has_enqcmd || rdmsr(IA32_PASID) == pasid);
}
