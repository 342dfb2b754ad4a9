/*
 * intel-vtd: interrupt remapping (VT-d chapter 5)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/i386/apic_internal.h"
#include "hw/pci-host/q35.h"
#include "state.h"
#include "trace.h"

#define BITS VTD_BITS

/* 5.1.2.2 Remappable format of an interrupt request, address and data */
#define REQ_REMAPPABLE      BIT(4)
#define REQ_SHV             BIT(3)
#define REQ_LOW_BITS        BITS(1, 0)
#define REQ_DATA_RESERVED   BITS(31, 16)


/* 9.9 Interrupt Remapping Table Entry for remapped interrupts */
#define IRTE_P              BIT_ULL(0)
#define IRTE_FPD            BIT_ULL(1)
#define IRTE_SVT(hi)        extract64(hi, 18, 2)
#define IRTE_SQ(hi)         extract64(hi, 16, 2)
#define IRTE_SID(hi)        extract64(hi, 0, 16)
/*
 * IM (bit 15) selects the posted format, which needs CAP.PI: reserved here.
 * So are destination bits that the mode does not use.
 */
#define IRTE_RESERVED_LOW   (BITS(31, 24) | BITS(15, 12))
#define IRTE_RESERVED_XAPIC (BITS(63, 48) | BITS(39, 32))
#define IRTE_RESERVED_HIGH  BITS(63, 20)
#define IRTE_DLM(lo)        extract64(lo, 5, 3)
#define DLM_RESERVED        (BIT(3) | BIT(6))

enum { SVT_NONE, SVT_SID, SVT_BUS, SVT_RESERVED };

/* Cache of present entries, direct-mapped; all accesses hold the big lock */
#define VTD_IRTE_CACHE_SIZE 1024

struct VTDIrteCache {
    struct {
        uint32_t tag;           /* index + 1 */
        uint64_t entry[2];
    } line[VTD_IRTE_CACHE_SIZE];
};

void vtd_irq_init(VTDState *s)
{
    s->irte_cache = g_new0(VTDIrteCache, 1);
}

void vtd_irq_invalidate(VTDState *s, bool all, uint16_t index, unsigned order)
{
    unsigned count = 1U << MIN(order, 16);
    unsigned first = index & ~(count - 1);

    trace_intel_vtd_inv_irte(all, index, order);
    if (all || count >= VTD_IRTE_CACHE_SIZE) {
        memset(s->irte_cache, 0, sizeof(*s->irte_cache));
    } else {
        for (unsigned i = first; i < first + count; i++) {
            s->irte_cache->line[i % VTD_IRTE_CACHE_SIZE].tag = 0;
        }
    }
    x86_iommu_iec_notify_all(X86_IOMMU_DEVICE(s), all, index, order);
}

/* --- looking up and checking an entry (5.1.3, 5.1.4.1) ------------------ */

static bool vtd_irte_fetch(VTDState *s, uint32_t index, uint64_t *entry)
{
    unsigned slot = index % VTD_IRTE_CACHE_SIZE;

    if (s->irte_cache->line[slot].tag == index + 1) {
        memcpy(entry, s->irte_cache->line[slot].entry, 16);
        return true;
    }
    if (!vtd_memory_read(&s->memory, (s->irta & VTD_IRTA_ADDR) + index * 16,
                         entry, 16)) {
        return false;
    }
    entry[0] = le64_to_cpu(entry[0]);
    entry[1] = le64_to_cpu(entry[1]);
    if (entry[0] & IRTE_P) {
        s->irte_cache->line[slot].tag = index + 1;
        memcpy(s->irte_cache->line[slot].entry, entry, 16);
    }
    return true;
}

static bool vtd_irte_reserved(VTDState *s, const uint64_t *entry)
{
    uint64_t low = IRTE_RESERVED_LOW;

    if (!(s->irta & VTD_IRTA_EIME)) {
        low |= IRTE_RESERVED_XAPIC;
    }
    return (entry[0] & low) || (entry[1] & IRTE_RESERVED_HIGH) ||
           IRTE_SVT(entry[1]) == SVT_RESERVED ||
           (BIT(IRTE_DLM(entry[0])) & DLM_RESERVED);
}

/* 5.1.5.1: who may use the entry */
static bool vtd_irte_source(const uint64_t *entry, uint16_t sid)
{
    /* SQ: which low bits of the function number do not count */
    static const uint16_t compare[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    uint16_t want = IRTE_SID(entry[1]);

    switch (IRTE_SVT(entry[1])) {
    case SVT_SID:
        return !((want ^ sid) & compare[IRTE_SQ(entry[1])]);
    case SVT_BUS:
        return sid >> 8 >= want >> 8 && sid >> 8 <= (want & 0xff);
    default:
        return true;
    }
}

static uint8_t vtd_irte_check(VTDState *s, uint32_t index, uint16_t sid,
                              uint64_t *entry)
{
    if (index >= 2U << (s->irta & VTD_IRTA_S)) {
        return VTD_FR_IR_2_INDEX;
    }
    if (!vtd_irte_fetch(s, index, entry)) {
        entry[0] = 0;
        return VTD_FR_IR_4_ACCESS;
    }
    if (!(entry[0] & IRTE_P)) {
        return VTD_FR_IR_3_NOT_PRESENT;
    }
    if (vtd_irte_reserved(s, entry)) {
        return VTD_FR_IR_5_RESERVED;
    }
    return vtd_irte_source(entry, sid) ? VTD_FR_NONE : VTD_FR_IR_7_SOURCE;
}

static void vtd_irte_message(VTDState *s, const uint64_t *entry,
                             uint32_t addr, MSIMessage *out)
{
    bool x2apic = s->irta & VTD_IRTA_EIME;
    X86IOMMUIrq irq = {
        .dest_mode = extract64(entry[0], 2, 1),
        .redir_hint = extract64(entry[0], 3, 1),
        .trigger_mode = extract64(entry[0], 4, 1),
        .delivery_mode = IRTE_DLM(entry[0]),
        .vector = extract64(entry[0], 16, 8),
        .dest = x2apic ? extract64(entry[0], 32, 32)
                       : extract64(entry[0], 40, 8),
        .msi_addr_last_bits = addr & REQ_LOW_BITS,
    };

    x86_iommu_irq_to_msi_message(&irq, out);
}

/*
 * Remap one request. Returns the fault reason; @index and @fpd tell what to
 * record of it.
 */
static uint8_t vtd_irq_remap(VTDState *s, uint16_t sid, uint32_t addr,
                             uint32_t data, MSIMessage *out, uint32_t *index,
                             bool *fpd)
{
    uint64_t entry[2] = { };
    uint8_t reason;

    *index = 0;
    *fpd = false;
    if (!(addr & REQ_REMAPPABLE)) {
        /* 5.1.2.1: compatibility format passes only if CFIS and xAPIC mode */
        if ((s->irta & VTD_IRTA_EIME) ||
            !(vtd_get32(s, VTD_REG_GSTS) & VTD_G_CFI)) {
            return VTD_FR_IR_6_COMPATIBILITY;
        }
        *out = (MSIMessage) { .address = addr, .data = data };
        return VTD_FR_NONE;
    }
    *index = extract32(addr, 5, 15) | extract32(addr, 2, 1) << 15;
    if (addr & REQ_SHV) {
        if (data & REQ_DATA_RESERVED) {
            return VTD_FR_IR_1_REQUEST_RESERVED;
        }
        *index += data & 0xffff;
    }
    reason = vtd_irte_check(s, *index, sid, entry);
    if (reason) {
        *fpd = (entry[0] & IRTE_FPD) && vtd_fault_qualified(reason);
        return reason;
    }
    vtd_irte_message(s, entry, addr, out);
    return VTD_FR_NONE;
}

/* --- where requests come from ------------------------------------------- */

static bool vtd_irq_remapping(VTDState *s)
{
    return vtd_get32(s, VTD_REG_GSTS) & VTD_G_IRE;
}

MemTxResult vtd_irq_write(VTDState *s, uint16_t sid, hwaddr addr,
                          uint64_t data, unsigned size)
{
    uint32_t index, full = VTD_INTERRUPT_BASE + addr;
    MSIMessage msg = { .address = full, .data = data };
    uint8_t reason;
    bool fpd;

    /* 3.14: an interrupt request is a write of one doubleword */
    if (size != 4) {
        return MEMTX_ACCESS_ERROR;
    }
    if (vtd_irq_remapping(s)) {
        reason = vtd_irq_remap(s, sid, full, data, &msg, &index, &fpd);
        if (reason) {
            if (!fpd) {
                vtd_fault_record_interrupt(s, sid, reason, index);
            }
            return MEMTX_ACCESS_ERROR;
        }
    }
    trace_intel_vtd_interrupt(sid, full, data, msg.address, msg.data);
    apic_get_class(NULL)->send_msi(&msg);
    return MEMTX_OK;
}

/*
 * Routes of the in-kernel interrupt controller. They are computed when they
 * are set up, not when the interrupt comes, so faults are not recorded here.
 */
int vtd_int_remap(X86IOMMUState *iommu, MSIMessage *src, MSIMessage *dst,
                  uint16_t sid)
{
    VTDState *s = INTEL_VTD_DEVICE(iommu);
    uint32_t index;
    bool fpd;

    if (!vtd_irq_remapping(s)) {
        *dst = *src;
        return 0;
    }
    if (!vtd_is_interrupt_address(src->address)) {
        return -EINVAL;
    }
    if (sid == X86_IOMMU_SID_INVALID) {
        /* No PCI device: the IOAPIC */
        sid = PCI_BUILD_BDF(Q35_PSEUDO_BUS_PLATFORM,
                            Q35_PSEUDO_DEVFN_IOAPIC);
    }
    return vtd_irq_remap(s, sid, src->address, src->data, dst, &index, &fpd)
           ? -EFAULT : 0;
}
