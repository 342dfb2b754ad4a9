/*
 * Bare-metal tests: an intel-dsa in slot 5, without an IOMMU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa.h"

#define SLOT 5

/* Where the firmware puts q35's memory-mapped configuration space */
#define CONFIG (0xb0000000ul + (SLOT << 15))
#define COMMAND_MASTER 4
#define CAP_PASID 0x1b

/* Registers of BAR 0 (DSA 9.2) */
enum {
    GENCAP = 0x10, GRPCAP = 0x30, OFFSETS = 0x60, CMD = 0xa0, CMDSTS = 0xa8,
};
#define CMDSTS_ACTIVE (1u << 31)
enum { ENABLE_DEVICE = 1, ENABLE_WQ = 6 };

/* WQCFG doubleword 2 (DSA 9.2.21) */
#define WQ_DEDICATED 1u
#define WQ_PRIORITY (1u << 4)
#define WQ_PASID_EN (1u << 28)

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

static bool enable_pasid(void)
{
    for (unsigned pos = 0x100; pos; pos = read32(CONFIG + pos) >> 20) {
        if ((read32(CONFIG + pos) & 0xffff) == CAP_PASID) {
            uint32_t control = read32(CONFIG + pos + 4);

            write32(CONFIG + pos + 4, control | 1u << 16);
            return true;
        }
    }
    return false;
}

static void configure_wq(uintptr_t wqcfg, uint32_t mode)
{
    /* a register */
    uint64_t gencap = *(volatile uint64_t *)(registers + GENCAP);

    write32(wqcfg, DSA_WQ_SIZE);
    write32(wqcfg + 4, DSA_WQ_SIZE);
    write32(wqcfg + 8, mode | WQ_PRIORITY);
    write32(wqcfg + 12, (gencap >> 16 & 0x1f) | (gencap >> 21 & 0xf) << 5);
}

static bool configure(void)
{
    uint32_t offsets = read32(registers + OFFSETS);
    uintptr_t group = registers + (offsets & 0xffff) * 0x100;
    uintptr_t wqcfg = registers + (offsets >> 16) * 0x100;

    write32(CONFIG + 4, read32(CONFIG + 4) | COMMAND_MASTER);
    write32(group, 1u << DSA_DEDICATED | 1u << DSA_SHARED);
    write32(group + 32, 1);
    write32(group + 40, (read32(registers + GRPCAP) >> 8 & 0xff) << 20);
    configure_wq(wqcfg + DSA_DEDICATED * 32, WQ_DEDICATED);
    configure_wq(wqcfg + DSA_SHARED * 32, WQ_PASID_EN);
    return enable_pasid() && command(ENABLE_DEVICE, 0) &&
           command(ENABLE_WQ, DSA_DEDICATED) && command(ENABLE_WQ, DSA_SHARED);
}

bool dsa_start(void)
{
    bool good;

    registers = pci_bar(SLOT, 0);
    portal = pci_bar(SLOT, 2);
    good = registers && portal && configure();
    check(good, "an accelerator with a dedicated and a shared queue");
    return good;
}

void *dsa_portal(unsigned wq)
{
    return (void *)(portal + wq * 4 * PAGE);
}

void dsa_noop(DSADesc *desc, DSARecord *record)
{
    *desc = (DSADesc) { .record = (uintptr_t)record };
    if (record) {
        desc->flags_opcode = DSA_CRAV | DSA_RCR;
    }
}
