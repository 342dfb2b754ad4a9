/*
 * intel-vtd: invalidation descriptors (VT-d 6.5.2.1 to 6.5.2.8 and 7.7)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "invalidate.h"
#include "space.h"
#include "trace.h"

#define BITS VTD_BITS

/* Fields that several descriptors share */
#define DID(d)      extract64((d)[0], 16, 16)
#define PASID(d)    extract64((d)[0], 32, 20)
#define AM(d)       extract64((d)[1], 0, 6)
#define IH(d)       (((d)[1] >> 6) & 1)
#define ADDR(d)     ((d)[1] & BITS(63, 12))

/* 6.5.2.1 Context-cache Invalidate */
static VTDQueueError vtd_desc_context(VTDState *s, const uint64_t *d)
{
    static const VTDGranularity gran[] = {
        [1] = VTD_GRAN_GLOBAL, [2] = VTD_GRAN_DOMAIN, [3] = VTD_GRAN_DEVICE,
    };
    unsigned g = extract64(d[0], 4, 2);

    if (!g) {
        return VTD_IQEI_RESERVED;
    }
    vtd_apply_context(s, &(VTDInvalidation) {
        .gran = gran[g], .did = DID(d), .sid = extract64(d[0], 32, 16),
        .fm = extract64(d[0], 48, 2),
    });
    return VTD_IQEI_NONE;
}

/* 6.5.2.3 IOTLB Invalidate */
static VTDQueueError vtd_desc_iotlb(VTDState *s, const uint64_t *d)
{
    static const VTDGranularity gran[] = {
        [1] = VTD_GRAN_GLOBAL, [2] = VTD_GRAN_DOMAIN, [3] = VTD_GRAN_PAGE,
    };
    unsigned g = extract64(d[0], 4, 2);

    if (!g || (g == 3 && AM(d) > VTD_MAMV)) {
        return VTD_IQEI_RESERVED;
    }
    vtd_apply_iotlb(s, &(VTDInvalidation) {
        .gran = gran[g], .did = DID(d), .am = AM(d), .ih = IH(d),
        .addr = ADDR(d),
    });
    return VTD_IQEI_NONE;
}

/*
 * The range of a device-TLB invalidation: with S set the lowest zero of the
 * address tells the size (PCIe 6.0 section 10.3.1)
 */
static uint64_t vtd_devtlb_mask(uint64_t addr, bool s)
{
    unsigned order = s ? ctz64(~(addr >> 12)) + 13 : 12;

    return order >= 64 ? UINT64_MAX : MAKE_64BIT_MASK(0, order);
}

/* 6.5.2.5 Device-TLB Invalidate */
static VTDQueueError vtd_desc_devtlb(VTDState *s, const uint64_t *d)
{
    uint64_t mask = vtd_devtlb_mask(ADDR(d), d[1] & 1);

    vtd_notify_devtlb(s, extract64(d[0], 32, 16), PCI_NO_PASID, false,
                      ADDR(d) & ~mask, mask);
    return VTD_IQEI_NONE;
}

/* 6.5.2.7 Interrupt Entry Cache Invalidate */
static VTDQueueError vtd_desc_iec(VTDState *s, const uint64_t *d)
{
    vtd_irq_invalidate(s, !(d[0] & BIT(4)), extract64(d[0], 32, 16),
                       extract64(d[0], 27, 5));
    return VTD_IQEI_NONE;
}

/* 6.5.2.8 Invalidation Wait */
#define WAIT_IF     BIT(4)
#define WAIT_SW     BIT(5)
#define WAIT_PD     BIT(7)

static VTDQueueError vtd_desc_wait(VTDState *s, const uint64_t *d)
{
    if ((d[0] & WAIT_PD) && !(s->ecap & VTD_ECAP_PDS)) {
        return VTD_IQEI_RESERVED;
    }
    /* FN needs nothing: every descriptor completes before the next starts */
    vtd_drain(s);
    if (d[0] & WAIT_PD) {
        vtd_pri_drain(s);
    }
    if (d[0] & WAIT_SW) {
        uint32_t status = cpu_to_le32(d[0] >> 32);

        /* The status after everything that it tells of */
        smp_wmb();
        if (!vtd_memory_write(&s->memory, d[1] & ~3ULL, &status, 4)) {
            trace_intel_vtd_wait_no_memory(d[1]);
        }
    }
    if (d[0] & WAIT_IF) {
        WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
            if (!(vtd_get32(s, VTD_REG_ICS) & VTD_ICS_IWC)) {
                vtd_set32(s, VTD_REG_ICS, VTD_ICS_IWC);
                vtd_event_raise(s, VTD_EVENT_INVALIDATION);
            }
        }
        vtd_event_flush(s);
    }
    return VTD_IQEI_NONE;
}

/* 6.5.2.4 PASID-based IOTLB Invalidate */
static VTDQueueError vtd_desc_piotlb(VTDState *s, const uint64_t *d)
{
    unsigned g = extract64(d[0], 4, 2);

    if (g < 2 || (g == 3 && AM(d) > VTD_MAMV)) {
        return VTD_IQEI_RESERVED;
    }
    vtd_apply_piotlb(s, &(VTDInvalidation) {
        .gran = g == 2 ? VTD_GRAN_PASID : VTD_GRAN_PAGE,
        .did = DID(d), .pasid = PASID(d), .am = AM(d), .ih = IH(d),
        .addr = ADDR(d),
    });
    return VTD_IQEI_NONE;
}

/* 6.5.2.2 PASID-cache Invalidate */
static VTDQueueError vtd_desc_pasid_cache(VTDState *s, const uint64_t *d)
{
    static const VTDGranularity gran[] = {
        [0] = VTD_GRAN_DOMAIN, [1] = VTD_GRAN_PASID, [3] = VTD_GRAN_GLOBAL,
    };
    unsigned g = extract64(d[0], 4, 2);

    if (g == 2) {
        return VTD_IQEI_RESERVED;
    }
    vtd_apply_pasid_cache(s, &(VTDInvalidation) {
        .gran = gran[g], .did = DID(d), .pasid = PASID(d),
    });
    return VTD_IQEI_NONE;
}

/* 6.5.2.6 PASID-based Device-TLB Invalidate */
static VTDQueueError vtd_desc_pdevtlb(VTDState *s, const uint64_t *d)
{
    uint64_t mask = vtd_devtlb_mask(ADDR(d), d[1] & BIT(11));

    vtd_notify_devtlb(s, extract64(d[0], 16, 16), PASID(d), d[1] & 1,
                      ADDR(d) & ~mask, mask);
    return VTD_IQEI_NONE;
}

/* 7.7.1 Page Group Response */
static VTDQueueError vtd_desc_page_response(VTDState *s, const uint64_t *d)
{
    vtd_pri_respond(s, extract64(d[0], 16, 16),
                    d[0] & BIT(4) ? PASID(d) : PCI_NO_PASID,
                    extract64(d[1], 3, 9), extract64(d[0], 12, 4));
    return VTD_IQEI_NONE;
}

/*
 * Reserved bits: those of the first two quadwords here, all of the upper two
 * (a page response may carry private data there, which is ignored). Bits 11:9
 * of the first quadword extend the type and are always zero.
 */
static const struct {
    uint64_t reserved[2];
    uint64_t ecap;              /* the type exists only with these */
    bool wide;                  /* 256-bit descriptors only */
    VTDQueueError (*run)(VTDState *s, const uint64_t *d);
} vtd_descriptors[16] = {
    [1] = { { BITS(63, 50) | BITS(15, 12) | BITS(8, 6), UINT64_MAX },
            0, false, vtd_desc_context },
    [2] = { { BITS(63, 32) | BITS(15, 12) | BITS(8, 8), BITS(11, 7) },
            0, false, vtd_desc_iotlb },
    [3] = { { BITS(51, 48) | BITS(31, 21) | BITS(8, 4), BITS(11, 1) },
            VTD_ECAP_DT, false, vtd_desc_devtlb },
    [4] = { { BITS(63, 48) | BITS(26, 12) | BITS(8, 5), UINT64_MAX },
            VTD_ECAP_IR, false, vtd_desc_iec },
    [5] = { { BITS(31, 12) | BITS(8, 8), BITS(1, 0) },
            0, false, vtd_desc_wait },
    [6] = { { BITS(63, 52) | BITS(15, 12) | BITS(8, 6), BITS(11, 7) },
            VTD_ECAP_SMTS, true, vtd_desc_piotlb },
    [7] = { { BITS(63, 52) | BITS(15, 12) | BITS(8, 6), UINT64_MAX },
            VTD_ECAP_SMTS, true, vtd_desc_pasid_cache },
    [8] = { { 0, BITS(10, 1) },
            VTD_ECAP_SMTS | VTD_ECAP_DT, true, vtd_desc_pdevtlb },
    [9] = { { BITS(63, 52) | BITS(8, 6), BITS(63, 12) | BITS(1, 0) },
            VTD_ECAP_PRS, true, vtd_desc_page_response },
};

#define TYPE_PAGE_RESPONSE 9

VTDQueueError vtd_descriptor_run(VTDState *s, const uint64_t *d, bool wide)
{
    unsigned type = extract64(d[0], 0, 4);

    trace_intel_vtd_descriptor(d[0], d[1]);
    if (extract64(d[0], 9, 3) || !vtd_descriptors[type].run ||
        (s->ecap & vtd_descriptors[type].ecap) !=
        vtd_descriptors[type].ecap) {
        return VTD_IQEI_TYPE;
    }
    if (vtd_descriptors[type].wide && !wide) {
        return VTD_IQEI_WIDTH;
    }
    if ((d[0] & vtd_descriptors[type].reserved[0]) ||
        (d[1] & vtd_descriptors[type].reserved[1]) ||
        ((d[2] || d[3]) && type != TYPE_PAGE_RESPONSE)) {
        return VTD_IQEI_RESERVED;
    }
    return vtd_descriptors[type].run(s, d);
}
