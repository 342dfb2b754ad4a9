/*
 * intel-vtd: the register file
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "state.h"
#include "trace.h"

#define ADDR_LOW    VTD_BITS(31, 2)     /* message address, 11.4.7.5 */
#define DATA        VTD_BITS(15, 0)     /* 16-bit message data, 11.4.7.4 */
#define ALL32       VTD_BITS(31, 0)
#define IM_IP       .rw = VTD_EVENT_IM, .reset = VTD_EVENT_IM, \
                    .hook = vtd_event_control_write

#define REG(name_, size_, ...) \
    { .name = #name_, .offset = VTD_REG_ ## name_, .size = size_, __VA_ARGS__ }

/*
 * VT-d 11.4. Registers of capabilities that are not offered (protected
 * memory, advanced fault log, MTRRs, performance, commands) have no row: they
 * read zero and ignore writes. VER, CAP and ECAP get their values, and rows
 * of optional features their masks, in vtd_regs_init().
 */
static const VTDReg vtd_reg_table[] = {
    REG(VER, 4, .reset = VTD_VER_VALUE),
    REG(CAP, 8),
    REG(ECAP, 8),
    REG(GCMD, 4, .write_only = true, .hook = vtd_gcmd_write),
    REG(GSTS, 4),
    REG(RTADDR, 8, .rw = VTD_RTADDR_ADDR | VTD_RTADDR_TTM),
    REG(CCMD, 8, .rw = VTD_CCMD_CIRG | VTD_CCMD_FM | VTD_CCMD_SID |
                       VTD_CCMD_DID, .hook = vtd_ccmd_write),
    REG(FSTS, 4, .w1c = VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE |
                        VTD_FSTS_ITE, .hook = vtd_fsts_write),
    REG(FECTL, 4, IM_IP),
    REG(FEDATA, 4, .rw = DATA),
    REG(FEADDR, 4, .rw = ADDR_LOW),
    REG(FEUADDR, 4, .rw = ALL32),
    REG(IQH, 8),
    REG(IQT, 8, .rw = VTD_IQ_POINTER, .hook = vtd_iqt_write),
    REG(IQA, 8, .rw = VTD_IQA_ADDR | VTD_IQA_DW | VTD_IQA_QS),
    REG(ICS, 4, .w1c = VTD_ICS_IWC, .hook = vtd_ics_write),
    REG(IECTL, 4, IM_IP),
    REG(IEDATA, 4, .rw = DATA),
    REG(IEADDR, 4, .rw = ADDR_LOW),
    REG(IEUADDR, 4, .rw = ALL32),
    REG(IQERCD, 8),
    REG(IRTA, 8, .rw = VTD_IRTA_ADDR | VTD_IRTA_EIME | VTD_IRTA_S),
    REG(PQH, 8, .rw = VTD_PQ_POINTER),
    REG(PQT, 8, .rw = VTD_PQ_POINTER),
    REG(PQA, 8, .rw = VTD_PQA_ADDR | VTD_PQA_PQS),
    REG(PRS, 4, .w1c = VTD_PRS_PPR | VTD_PRS_PRO, .hook = vtd_prs_write),
    REG(PECTL, 4, IM_IP),
    REG(PEDATA, 4, .rw = DATA),
    REG(PEADDR, 4, .rw = ADDR_LOW),
    REG(PEUADDR, 4, .rw = ALL32),
    REG(IVA, 8, .rw = VTD_IVA_ADDR | VTD_IVA_IH | VTD_IVA_AM,
        .write_only = true),
    REG(IOTLB, 8, .rw = VTD_IOTLB_IIRG | VTD_IOTLB_DR | VTD_IOTLB_DW |
                        VTD_IOTLB_DID, .hook = vtd_iotlb_write),
};

/* Registers that exist only with a capability */
static const struct {
    uint64_t ecap;
    uint16_t first, last;
    uint64_t bits;
} vtd_reg_needs[] = {
    { VTD_ECAP_EIM,  VTD_REG_FEUADDR, VTD_REG_FEUADDR, UINT64_MAX },
    { VTD_ECAP_EIM,  VTD_REG_IEUADDR, VTD_REG_IEUADDR, UINT64_MAX },
    { VTD_ECAP_EIM,  VTD_REG_PEUADDR, VTD_REG_PEUADDR, UINT64_MAX },
    { VTD_ECAP_EIM,  VTD_REG_IRTA,    VTD_REG_IRTA,    VTD_IRTA_EIME },
    { VTD_ECAP_IR,   VTD_REG_IRTA,    VTD_REG_IRTA,    UINT64_MAX },
    { VTD_ECAP_SMTS, VTD_REG_IQA,     VTD_REG_IQA,     VTD_IQA_DW },
    { VTD_ECAP_SMTS, VTD_REG_RTADDR,  VTD_REG_RTADDR,  VTD_RTADDR_TTM },
    { VTD_ECAP_PRS,  VTD_REG_PQH,     VTD_REG_PEUADDR, UINT64_MAX },
};

/* Registers with a physical address in their upper bits */
static const uint16_t vtd_reg_addresses[] = {
    VTD_REG_RTADDR, VTD_REG_IQA, VTD_REG_IRTA, VTD_REG_PQA,
};

uint32_t vtd_get32(VTDState *s, unsigned reg)
{
    return ldl_le_p(&s->csr[reg]);
}

uint64_t vtd_get64(VTDState *s, unsigned reg)
{
    return ldq_le_p(&s->csr[reg]);
}

void vtd_set32(VTDState *s, unsigned reg, uint32_t val)
{
    stl_le_p(&s->csr[reg], val);
}

void vtd_set64(VTDState *s, unsigned reg, uint64_t val)
{
    stq_le_p(&s->csr[reg], val);
}

static VTDReg *vtd_reg_find(VTDState *s, unsigned offset)
{
    unsigned row = s->reg_index[offset / 4];

    return row ? &s->regs[row - 1] : NULL;
}

static void vtd_reg_add(VTDState *s, const VTDReg *reg)
{
    s->regs[s->reg_count++] = *reg;
    for (unsigned i = 0; i < reg->size; i += 4) {
        s->reg_index[(reg->offset + i) / 4] = s->reg_count;
    }
}

void vtd_regs_init(VTDState *s)
{
    unsigned records = s->cfg.fault_records;

    s->regs = g_new0(VTDReg, ARRAY_SIZE(vtd_reg_table) + 2 * records);
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_reg_table); i++) {
        vtd_reg_add(s, &vtd_reg_table[i]);
    }
    for (unsigned i = 0; i < records; i++) {
        vtd_reg_add(s, &(VTDReg) {
            .name = "FRCD_LO", .offset = VTD_FRCD_LO(i), .size = 8,
        });
        vtd_reg_add(s, &(VTDReg) {
            .name = "FRCD_HI", .offset = VTD_FRCD_HI(i), .size = 8,
            .w1c = VTD_FRCD_F, .hook = vtd_frcd_write,
        });
    }

    vtd_reg_find(s, VTD_REG_CAP)->reset = s->cap;
    vtd_reg_find(s, VTD_REG_ECAP)->reset = s->ecap;
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_reg_needs); i++) {
        if (s->ecap & vtd_reg_needs[i].ecap) {
            continue;
        }
        for (unsigned j = 0; j < s->reg_count; j++) {
            VTDReg *reg = &s->regs[j];

            if (reg->offset >= vtd_reg_needs[i].first &&
                reg->offset <= vtd_reg_needs[i].last) {
                reg->rw &= ~vtd_reg_needs[i].bits;
                reg->w1c &= ~vtd_reg_needs[i].bits;
                reg->reset &= ~vtd_reg_needs[i].bits;
            }
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_reg_addresses); i++) {
        vtd_reg_find(s, vtd_reg_addresses[i])->rw &=
            MAKE_64BIT_MASK(0, s->features.haw);
    }
    qemu_mutex_init(&s->reg_lock);
}

void vtd_regs_reset(VTDState *s)
{
    QEMU_LOCK_GUARD(&s->reg_lock);

    memset(s->csr, 0, sizeof(s->csr));
    for (unsigned i = 0; i < s->reg_count; i++) {
        const VTDReg *reg = &s->regs[i];

        if (reg->size == 4) {
            vtd_set32(s, reg->offset, reg->reset);
        } else {
            vtd_set64(s, reg->offset, reg->reset);
        }
    }
}

/* --- access (VT-d 11.2: aligned doublewords and quadwords) -------------- */

static uint64_t vtd_reg_value(VTDState *s, const VTDReg *reg)
{
    return reg->size == 4 ? vtd_get32(s, reg->offset)
                          : vtd_get64(s, reg->offset);
}

static uint64_t vtd_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    VTDState *s = opaque;
    uint64_t val = 0;

    if (addr + size > VTD_REG_SPACE) {
        return 0;
    }
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        for (unsigned i = 0; i < size; i += 4) {
            const VTDReg *reg = vtd_reg_find(s, addr + i);

            if (reg && !reg->write_only) {
                val |= (uint64_t)vtd_get32(s, addr + i) << (8 * i);
            }
        }
    }
    trace_intel_vtd_reg_read(addr, size, val);
    return val;
}

static void vtd_reg_write(VTDState *s, const VTDReg *reg, uint64_t val,
                          uint64_t mask)
{
    uint64_t old, new;

    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        old = vtd_reg_value(s, reg);
        new = (old & ~(reg->rw & mask)) | (val & reg->rw & mask);
        new &= ~(val & reg->w1c & mask);
        if (reg->size == 4) {
            vtd_set32(s, reg->offset, new);
        } else {
            vtd_set64(s, reg->offset, new);
        }
    }
    if (reg->hook) {
        reg->hook(s, reg, old, val & mask, mask);
    }
}

static void vtd_mmio_write(void *opaque, hwaddr addr, uint64_t val,
                           unsigned size)
{
    VTDState *s = opaque;
    const VTDReg *reg;

    trace_intel_vtd_reg_write(addr, size, val);
    if (addr + size > VTD_REG_SPACE) {
        return;
    }
    reg = vtd_reg_find(s, addr);
    if (size == 8 && reg && reg->size == 8 && reg->offset == addr) {
        vtd_reg_write(s, reg, val, UINT64_MAX);
        return;
    }
    for (unsigned i = 0; i < size; i += 4) {
        reg = vtd_reg_find(s, addr + i);
        if (reg) {
            unsigned shift = (addr + i - reg->offset) * 8;

            vtd_reg_write(s, reg, extract64(val, 8 * i, 32) << shift,
                          VTD_BITS(31, 0) << shift);
        }
    }
}

const MemoryRegionOps vtd_mmio_ops = {
    .read = vtd_mmio_read,
    .write = vtd_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
