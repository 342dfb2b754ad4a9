/*
 * Bare-metal tests: an intel-dsa in slot 5 or behind a root port that is
 * there, without an IOMMU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa.h"

#define SLOT 5

/* Where the firmware puts q35's memory-mapped configuration space */
#define CONFIG(bus, slot) (0xb0000000ul + ((bus) << 20) + ((slot) << 15))
#define COMMAND 4
#define COMMAND_MEMORY 2
#define COMMAND_MASTER 4
#define HEADER_BRIDGE (1u << 16)        /* in the doubleword at 12 */
#define BRIDGE_BUSES 0x18               /* primary, secondary, subordinate */
#define CAP_PASID 0x1b
#define CAP_DEV3 0x2f
#define DEV3_CONTROL 8
#define DEV3_BLOCK_DMWR 2

/* Registers of BAR 0 (DSA 9.2) */
enum {
    GENCAP = 0x10, GRPCAP = 0x30, OFFSETS = 0x60, GENCTRL = 0x88,
    INTCAUSE = 0x98, CMD = 0xa0, CMDSTS = 0xa8, SWERR = 0xc0,
};
#define GENCTRL_SWERR_INT_EN 1
#define INTCAUSE_SWERR 1
#define CMDSTS_ACTIVE (1u << 31)
#define SWERR_VALID 1u
#define SWERR_OVERFLOW 2u
#define SWERR_WQ_VALID 8u
enum { ENABLE_DEVICE = 1, ENABLE_WQ = 6 };

/* WQCFG doubleword 2 (DSA 9.2.21) */
#define WQ_DEDICATED 1u
#define WQ_PRIORITY (1u << 4)
#define WQ_PASID_EN (1u << 28)

static uintptr_t config, port;          /* configuration space; port may be 0 */
static uintptr_t registers, portal;

static uint32_t read32(uintptr_t addr)
{
    return *(volatile uint32_t *)addr;          /* a register */
}

static void write32(uintptr_t addr, uint32_t val)
{
    *(volatile uint32_t *)addr = val;           /* a register */
}

static bool command(uint32_t code, uint32_t operand)
{
    write32(registers + CMD, code << 20 | operand);
    while (read32(registers + CMDSTS) & CMDSTS_ACTIVE) {
    }
    return (read32(registers + CMDSTS) & 0xff) == 0;
}

/* The address of an extended capability, or 0 */
static uintptr_t find_cap(uintptr_t function, uint32_t id)
{
    for (unsigned pos = 0x100; pos; pos = read32(function + pos) >> 20) {
        if ((read32(function + pos) & 0xffff) == id) {
            return function + pos;
        }
    }
    return 0;
}

static bool enable_pasid(void)
{
    uintptr_t cap = find_cap(config, CAP_PASID);

    if (cap) {
        write32(cap + 4, read32(cap + 4) | 1u << 16);
    }
    return cap;
}

static void enable_function(uintptr_t function)
{
    write32(function + COMMAND, read32(function + COMMAND) | COMMAND_MEMORY |
            COMMAND_MASTER);
}

/* A BAR of 64 bits that is mapped here, below 4 GiB; or 0 */
static uintptr_t bar(unsigned n)
{
    uintptr_t at = config + 0x10 + n * 4;

    return read32(at + 4) ? 0 : read32(at) & ~15u;
}

/* The firmware has given buses their numbers, and ports their windows. */
static bool find(void)
{
    config = CONFIG(0, SLOT);
    if (read32(config) == 0xffffffff) {
        return false;
    }
    if (read32(config + 12) & HEADER_BRIDGE) {
        port = config;
        config = CONFIG(read32(port + BRIDGE_BUSES) >> 8 & 0xff, 0);
        enable_function(port);
    }
    if (read32(config) == 0xffffffff) {
        return false;
    }
    enable_function(config);
    registers = bar(0);
    portal = bar(2);
    return registers && portal;
}

static void configure_wq(uintptr_t wqcfg, uint32_t mode, uint32_t threshold)
{
    /* a register */
    uint64_t gencap = *(volatile uint64_t *)(registers + GENCAP);

    write32(wqcfg, DSA_WQ_SIZE);
    write32(wqcfg + 4, threshold);
    write32(wqcfg + 8, mode | WQ_PRIORITY);
    write32(wqcfg + 12, (gencap >> 16 & 0x1f) | (gencap >> 21 & 0xf) << 5);
}

static bool configure(void)
{
    uint32_t offsets = read32(registers + OFFSETS);
    uintptr_t group = registers + (offsets & 0xffff) * 0x100;
    uintptr_t wqcfg = registers + (offsets >> 16) * 0x100;

    write32(registers + GENCTRL, GENCTRL_SWERR_INT_EN);
    write32(group, 1u << DSA_DEDICATED | 1u << DSA_SHARED | 1u << DSA_NARROW);
    write32(group + 32, 1);
    write32(group + 40, (read32(registers + GRPCAP) >> 8 & 0xff) << 20);
    configure_wq(wqcfg + DSA_DEDICATED * 32, WQ_DEDICATED, 0);
    configure_wq(wqcfg + DSA_SHARED * 32, WQ_PASID_EN, DSA_WQ_SIZE);
    configure_wq(wqcfg + DSA_NARROW * 32, WQ_PASID_EN, 0);
    return enable_pasid() && command(ENABLE_DEVICE, 0) &&
           command(ENABLE_WQ, DSA_DEDICATED) &&
           command(ENABLE_WQ, DSA_SHARED) && command(ENABLE_WQ, DSA_NARROW);
}

bool dsa_start(void)
{
    bool good = find() && configure();

    check(good, "an accelerator with dedicated and shared queues%s",
          port ? ", behind a port" : "");
    return good;
}

void *dsa_portal(unsigned wq)
{
    return (void *)(portal + wq * 4 * PAGE);
}

void *dsa_limited_portal(unsigned wq)
{
    return dsa_portal(wq) + PAGE;
}

bool dsa_reported(unsigned wq)
{
    uint32_t want = SWERR_VALID | SWERR_OVERFLOW | SWERR_WQ_VALID | wq << 16;
    uint32_t err = read32(registers + SWERR);

    return (err & (want | 0xff << 16)) == want &&
           (read32(registers + INTCAUSE) & INTCAUSE_SWERR);
}

bool dsa_block(void)
{
    uintptr_t cap = port ? find_cap(port, CAP_DEV3) : 0;

    if (cap) {
        write32(cap + DEV3_CONTROL, DEV3_BLOCK_DMWR);
    }
    return cap;
}

void dsa_noop(DSADesc *desc, DSARecord *record)
{
    *desc = (DSADesc) { .record = (uintptr_t)record };
    if (record) {
        desc->flags_opcode = DSA_CRAV | DSA_RCR;
    }
}
