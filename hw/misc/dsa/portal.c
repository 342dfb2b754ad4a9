/*
 * intel-dsa: portals, where descriptors come in (DSA section 3.3).
 *
 * Runs in the submitting vCPU without the big lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/dmwr.h"
#include "dsa.h"
#include "trace.h"

static uint64_t dsa_portal_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

/* Only 64-byte writes submit; anything narrower is dropped */
static void dsa_portal_write(void *opaque, hwaddr addr, uint64_t val,
                             unsigned size)
{
    trace_dsa_portal_narrow(addr, size);
}

const MemoryRegionOps dsa_portal_ops = {
    .read = dsa_portal_read,
    .write = dsa_portal_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/*
 * A posted write that no queue takes is lost, and SWERR is all that tells.
 * Nobody reads a refused deferrable write's error: its submitter was told.
 */
static void report_dropped(DSAState *s, unsigned wq, const uint8_t *desc)
{
    const DSASwErr err = {
        .error = DSA_SWERR_DROPPED,
        .desc_valid = true,
        .wq_valid = true,
        .wq = wq,
        .opcode = desc[7],
        .priv = desc[3] >> 7,
        .pasid = extract32(ldl_le_p(desc), 0, 20),
    };

    dsa_swerr_record(s, &err);
}

static DMWrStatus dsa_portal_dmwr(void *opaque, hwaddr addr, const void *data,
                                  DMWrKind kind, MemTxAttrs attrs)
{
    DSAState *s = opaque;
    unsigned wq = addr >> DSA_PORTALS_SHIFT;
    unsigned page = extract64(addr, DSA_PORTAL_SHIFT, 2);
    DSASubmit ret;

    if (wq >= s->wqs || addr & (DSA_DESC_SIZE - 1)) {
        return DMWR_RETRY;
    }
    if (kind == DMWR_DEFERRABLE && !pcie_dmwr_admit(&s->dmwr)) {
        return DMWR_RETRY;
    }
    ret = dsa_wq_submit(s, wq, page, data, kind == DMWR_DEFERRABLE);
    trace_dsa_submit(wq, page, kind, ret);
    if (ret != DSA_SUBMIT_OK && kind == DMWR_POSTED) {
        report_dropped(s, wq, data);
    }
    return ret == DSA_SUBMIT_OK ? DMWR_ACCEPTED : DMWR_RETRY;
}

void dsa_portal_register(void)
{
    dmwr_register_target(&dsa_portal_ops, dsa_portal_dmwr);
}
