/*
 * intel-vtd: address translation services (VT-d chapter 4, PCIe 6.0 chapter
 * 10.2)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "system/address-spaces.h"
#include "state.h"
#include "trace.h"

static IOMMUTLBEntry vtd_ats_entry(uint32_t pasid, uint64_t iova,
                                   uint64_t addr, uint64_t mask,
                                   IOMMUAccessFlags perm)
{
    return (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .iova = iova,
        .translated_addr = addr,
        .addr_mask = mask,
        .perm = perm,
        .pasid = pasid,
    };
}

/* One translation request; inside an RCU read section */
static IOMMUTLBEntry vtd_ats_translate(VTDState *s, const VTDRequest *req,
                                       uint32_t pasid)
{
    uint64_t page = req->addr & ~0xfffULL;
    VTDMapping map;
    VTDFault fault;

    if (!qatomic_read(&s->translating)) {
        return vtd_ats_entry(pasid, page, 0, 0xfff, IOMMU_NONE);
    }
    if (req->pasid == VTD_NO_PASID && vtd_is_interrupt_address(page)) {
        /* 3.14: only to be written, and only by untranslated requests */
        return vtd_ats_entry(pasid, page, page, 0xfff,
                             IOMMU_WO | IOMMU_UNTRANSLATED_ONLY);
    }
    if (!vtd_translate(s->translator, req, &map, &fault)) {
        /*
         * A recoverable fault is a translation without R and W (VT-d 7.1.3):
         * nobody but the device hears of it.
         */
        if (!fault.recoverable) {
            vtd_fault_record(s, req, &fault);
        }
        return vtd_ats_entry(pasid, page, 0, 0xfff, IOMMU_NONE);
    }
    return vtd_ats_entry(pasid, map.iova, map.addr, map.mask,
                         IOMMU_ACCESS_FLAG_FULL(map.perm & VTD_PERM_R,
                                                map.perm & VTD_PERM_W,
                                                req->exec &&
                                                (map.perm & VTD_PERM_X),
                                                req->priv, map.global,
                                                false));
}

ssize_t vtd_ats_request_translation(PCIBus *bus, void *opaque, int devfn,
                                    uint32_t pasid, bool priv_req,
                                    bool exec_req, hwaddr addr, size_t length,
                                    bool no_write, IOMMUTLBEntry *result,
                                    size_t result_length,
                                    uint32_t *err_count)
{
    VTDState *s = opaque;
    VTDRequest req = {
        .addr = addr & ~0xfffULL,
        .pasid = pasid == PCI_NO_PASID ? VTD_NO_PASID : pasid,
        .sid = vtd_source_id(bus, devfn),
        .at = VTD_AT_TRANSLATION_REQUEST,
        .read = true,
        .write = !no_write,
        .exec = exec_req,
        .priv = priv_req,
    };
    uint64_t last;
    ssize_t n = 0;
    unsigned phase;

    *err_count = 0;
    if (!length || !(s->ecap & VTD_ECAP_DT)) {
        return 0;
    }
    last = addr + length - 1 < addr ? UINT64_MAX : addr + length - 1;

    RCU_READ_LOCK_GUARD();
    /* A walk sets bits in tables: not once they may be other memory */
    phase = vtd_drain_enter(s);
    do {
        IOMMUTLBEntry *entry = &result[n];

        if (n == result_length) {
            n = -ENOMEM;
            break;
        }
        *entry = vtd_ats_translate(s, &req, pasid);
        *err_count += !(entry->perm & IOMMU_RW);
        trace_intel_vtd_ats(req.sid, pasid, entry->iova, entry->translated_addr,
                      entry->addr_mask, entry->perm);
        n++;
        req.addr = entry->iova + entry->addr_mask + 1;
    } while (req.addr && req.addr <= last);
    vtd_drain_leave(s, phase);
    return n;
}
