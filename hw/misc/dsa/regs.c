/*
 * intel-dsa: BAR0 as one table (DSA section 9.2).
 *
 * Software uses any naturally aligned access of 1 to 8 bytes, so everything
 * here works on doublewords with byte lanes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "dsa.h"
#include "trace.h"

/* When a register's writable bits may be written */
typedef enum DSARegLock {
    LOCK_NEVER,         /* always writable */
    LOCK_DEVICE,        /* while the device is disabled */
    LOCK_WQ,            /* while its work queue is disabled */
} DSARegLock;

/* How many of an array's elements this device has */
typedef enum DSARegCount {
    COUNT_ONE, COUNT_WQS, COUNT_GROUPS, COUNT_VECTORS, COUNT_IMS,
} DSARegCount;

typedef struct DSAReg {
    const char *name;
    uint16_t addr;
    uint8_t width;                      /* bytes, a multiple of 4 */
    uint8_t stride;
    DSARegCount count;
    DSARegLock lock;
    uint64_t rw;                        /* writable bits */
    uint64_t (*reset)(const DSAState *s);
    /* a doubleword of a register that is kept elsewhere */
    uint32_t (*read)(DSAState *s, unsigned index, unsigned dword);
    /* after a write; @val has zeroes in the lanes that were not written */
    void (*write)(DSAState *s, unsigned index, unsigned dword, uint32_t val);
    bool whole;                         /* ignore writes of part of a dword */
} DSAReg;

static uint32_t read_gensts(DSAState *s, unsigned index, unsigned dword)
{
    uint32_t val = FIELD_DP32(0, GENSTS, STATE, s->state);

    return FIELD_DP32(val, GENSTS, RESET_TYPE, s->reset_type);
}

static uint32_t read_intcause(DSAState *s, unsigned index, unsigned dword)
{
    return qatomic_read(&s->intcause);
}

static void write_intcause(DSAState *s, unsigned index, unsigned dword,
                           uint32_t val)
{
    qatomic_and(&s->intcause, ~val);
}

static void write_cmd(DSAState *s, unsigned index, unsigned dword,
                      uint32_t val)
{
    dsa_cmd_write(s, val);
}

static uint32_t read_cmdsts(DSAState *s, unsigned index, unsigned dword)
{
    return dsa_cmd_status(s);
}

static uint32_t read_swerr(DSAState *s, unsigned index, unsigned dword)
{
    return dsa_swerr_read(s, dword);
}

static void write_swerr(DSAState *s, unsigned index, unsigned dword,
                        uint32_t val)
{
    if (dword == 0) {
        dsa_swerr_ack(s, val);
    }
}

static uint32_t read_wqcfg6(DSAState *s, unsigned wq, unsigned dword)
{
    uint32_t val = dsa_wqcfg(s, wq, 6);

    val = FIELD_DP32(val, WQCFG6, OCCUPANCY, dsa_wq_occupancy(s, wq));
    return FIELD_DP32(val, WQCFG6, STATE, s->queues[wq].state);
}

static void write_occupancy(DSAState *s, unsigned wq, unsigned dword,
                            uint32_t val)
{
    if (s->queues[wq].state == DSA_WQ_ENABLED) {
        dsa_wq_check_occupancy(s, wq);
    }
}

static void write_ims_ctrl(DSAState *s, unsigned entry, unsigned dword,
                           uint32_t val)
{
    dsa_ims_unmasked(s, entry);
}

#define GRPFLAGS_RW (R_GRPFLAGS_TC_A_MASK | R_GRPFLAGS_TC_B_MASK | \
                     R_GRPFLAGS_USE_RDBUF_LIMIT_MASK | \
                     R_GRPFLAGS_RDBUFS_RESERVED_MASK | \
                     R_GRPFLAGS_RDBUFS_ALLOWED_MASK)
#define WQCFG2_RW   (R_WQCFG2_DEDICATED_MASK | R_WQCFG2_BOF_MASK | \
                     R_WQCFG2_ATS_DISABLE_MASK | R_WQCFG2_PRIORITY_MASK | \
                     R_WQCFG2_PASID_MASK | R_WQCFG2_PASID_EN_MASK | \
                     R_WQCFG2_PRIV_MASK)
#define PERM_RW     (R_PERM_IGNORE_MASK | R_PERM_PASID_EN_MASK | \
                     R_PERM_PASID_MASK)

/* The rest of BAR0 reads as zero and ignores writes */
static const DSAReg dsa_regs[] = {
    { "reserved" },
    { "VERSION", A_VERSION, 4, .reset = dsa_cap_version },
    { "GENCAP", A_GENCAP, 8, .reset = dsa_cap_gencap },
    { "WQCAP", A_WQCAP, 8, .reset = dsa_cap_wqcap },
    { "GRPCAP", A_GRPCAP, 8, .reset = dsa_cap_grpcap },
    { "ENGCAP", A_ENGCAP, 8, .reset = dsa_cap_engcap },
    { "OPCAP", A_OPCAP, 8, .reset = dsa_cap_opcap },
    { "OFFSETS", A_OFFSETS0, 8, .reset = dsa_cap_offsets },
    { "GENCFG", A_GENCFG, 4, .lock = LOCK_DEVICE,
      .rw = R_GENCFG_RDBUF_LIMIT_MASK | R_GENCFG_USER_INT_EN_MASK },
    { "GENCTRL", A_GENCTRL, 4,
      .rw = R_GENCTRL_SWERR_INT_EN_MASK | R_GENCTRL_HALT_INT_EN_MASK },
    { "GENSTS", A_GENSTS, 4, .read = read_gensts },
    { "INTCAUSE", A_INTCAUSE, 4, .read = read_intcause,
      .write = write_intcause },
    /* implementation choice: a command is written as a whole doubleword */
    { "CMD", A_CMD, 4, .write = write_cmd, .whole = true },
    { "CMDSTS", A_CMDSTS, 4, .read = read_cmdsts },
    { "CMDCAP", A_CMDCAP, 4, .reset = dsa_cap_cmdcap },
    { "SWERR", A_SWERR, 32, .read = read_swerr, .write = write_swerr },

    /*
     * GRPCFG. Bits of queues and engines that do not exist can be written:
     * ENABLE_DEVICE is where they count.
     */
    { "GRPWQCFG", DSA_GRPCFG_BASE + DSA_GRP_WQS, 8, DSA_GRPCFG_STRIDE,
      COUNT_GROUPS, LOCK_DEVICE, UINT64_MAX },
    { "GRPENGCFG", DSA_GRPCFG_BASE + DSA_GRP_ENGINES, 8, DSA_GRPCFG_STRIDE,
      COUNT_GROUPS, LOCK_DEVICE, UINT64_MAX },
    { "GRPFLGCFG", DSA_GRPCFG_BASE + DSA_GRP_FLAGS, 8, DSA_GRPCFG_STRIDE,
      COUNT_GROUPS, LOCK_DEVICE, GRPFLAGS_RW },

    /* WQCFG. The sizes divide one storage, for as long as the device is on */
    { "WQCFG0", DSA_WQCFG_BASE + 0, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_DEVICE, R_WQCFG0_SIZE_MASK },
    { "WQCFG1", DSA_WQCFG_BASE + 4, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_WQ, R_WQCFG1_THRESHOLD_MASK },
    { "WQCFG2", DSA_WQCFG_BASE + 8, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_WQ, WQCFG2_RW },
    { "WQCFG3", DSA_WQCFG_BASE + 12, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_WQ,
      R_WQCFG3_MAX_XFER_SHIFT_MASK | R_WQCFG3_MAX_BATCH_SHIFT_MASK },
    { "WQCFG4", DSA_WQCFG_BASE + 16, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_WQ,
      R_WQCFG4_OCCUPANCY_HANDLE_MASK | R_WQCFG4_OCCUPANCY_IMS_MASK },
    { "WQCFG5", DSA_WQCFG_BASE + 20, 4, DSA_WQCFG_STRIDE,
      COUNT_WQS, LOCK_NEVER,
      R_WQCFG5_OCCUPANCY_LIMIT_MASK | R_WQCFG5_OCCUPANCY_INT_EN_MASK,
      .write = write_occupancy },
    { "WQCFG6", DSA_WQCFG_BASE + 24, 4, DSA_WQCFG_STRIDE, COUNT_WQS,
      .read = read_wqcfg6 },

    { "MSIXPERM", DSA_MSIXPERM_BASE, 4, DSA_MSIXPERM_STRIDE,
      COUNT_VECTORS, LOCK_NEVER, PERM_RW },

    /* Interrupt Message Storage: address, data, control */
    { "IMS_ADDR", DSA_IMS_BASE, 8, DSA_IMS_STRIDE,
      COUNT_IMS, LOCK_NEVER, ~3ull },
    { "IMS_DATA", DSA_IMS_BASE + 8, 4, DSA_IMS_STRIDE,
      COUNT_IMS, LOCK_NEVER, UINT32_MAX },
    { "IMS_CTRL", DSA_IMS_BASE + 12, 4, DSA_IMS_STRIDE,
      COUNT_IMS, LOCK_NEVER, PERM_RW | R_PERM_MASK_MASK,
      .write = write_ims_ctrl },
};

static unsigned reg_count(const DSAState *s, const DSAReg *r)
{
    switch (r->count) {
    case COUNT_WQS:
        return s->wqs;
    case COUNT_GROUPS:
        return s->groups;
    case COUNT_VECTORS:
        return s->wqs + 1;
    case COUNT_IMS:
        return s->ims;
    default:
        return 1;
    }
}

void dsa_regs_init(DSAState *s)
{
    unsigned row, i, dw;

    memset(s->reg_row, 0, sizeof(s->reg_row));
    for (row = 1; row < ARRAY_SIZE(dsa_regs); row++) {
        const DSAReg *r = &dsa_regs[row];

        for (i = 0; i < reg_count(s, r); i++) {
            for (dw = 0; dw < r->width / 4; dw++) {
                s->reg_row[(r->addr + i * r->stride) / 4 + dw] = row;
            }
        }
    }
}

void dsa_regs_set_caps(DSAState *s)
{
    unsigned row;

    for (row = 1; row < ARRAY_SIZE(dsa_regs); row++) {
        const DSAReg *r = &dsa_regs[row];

        if (r->reset) {
            uint64_t val = r->reset(s);

            s->regs[r->addr / 4] = val;
            if (r->width == 8) {
                s->regs[r->addr / 4 + 1] = val >> 32;
            }
        }
    }
}

void dsa_regs_reset(DSAState *s)
{
    memset(s->regs, 0, sizeof(s->regs));
    dsa_regs_set_caps(s);
}

static const DSAReg *reg_at(DSAState *s, hwaddr addr, unsigned *index,
                            unsigned *dword)
{
    const DSAReg *r = &dsa_regs[s->reg_row[addr / 4]];
    unsigned off = addr - r->addr;

    *index = r->stride ? off / r->stride : 0;
    *dword = (off - *index * r->stride) / 4;
    return r;
}

static bool reg_locked(const DSAState *s, const DSAReg *r, unsigned index)
{
    switch (r->lock) {
    case LOCK_DEVICE:
        return s->state != DSA_STATE_DISABLED;
    case LOCK_WQ:
        return s->queues[index].state != DSA_WQ_DISABLED;
    default:
        return false;
    }
}

static uint32_t read_dword(DSAState *s, hwaddr addr)
{
    unsigned index, dword;
    const DSAReg *r = reg_at(s, addr, &index, &dword);

    return r->read ? r->read(s, index, dword) : dsa_reg(s, addr);
}

static void write_dword(DSAState *s, hwaddr addr, uint32_t val, uint32_t lanes)
{
    unsigned index, dword;
    const DSAReg *r = reg_at(s, addr, &index, &dword);
    uint32_t rw = dword == 1 && r->width == 8 ? r->rw >> 32 : r->rw;

    if (r->whole && lanes != UINT32_MAX) {
        return;
    }
    if (rw && !reg_locked(s, r, index)) {
        uint32_t old = s->regs[addr / 4];

        rw &= lanes;
        qatomic_set(&s->regs[addr / 4], (old & ~rw) | (val & rw));
    }
    if (r->write) {
        r->write(s, index, dword, val & lanes);
    }
}

static uint64_t dsa_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    DSAState *s = opaque;
    uint64_t val;

    if (s->gone) {
        return UINT64_MAX;      /* it waited for the big lock too long */
    }
    val = read_dword(s, addr & ~3);
    if (size == 8) {
        val |= (uint64_t)read_dword(s, addr + 4) << 32;
    } else {
        val = extract64(val, (addr & 3) * 8, size * 8);
    }
    trace_dsa_mmio_read(addr, size, val);
    return val;
}

static void dsa_mmio_write(void *opaque, hwaddr addr, uint64_t val,
                           unsigned size)
{
    DSAState *s = opaque;
    unsigned shift = (addr & 3) * 8;

    trace_dsa_mmio_write(addr, size, val);
    if (s->gone) {
        return;
    }
    if (size == 8) {
        write_dword(s, addr, val, UINT32_MAX);
        write_dword(s, addr + 4, val >> 32, UINT32_MAX);
    } else {
        write_dword(s, addr & ~3, val << shift,
                    MAKE_64BIT_MASK(shift, size * 8));
    }
}

const MemoryRegionOps dsa_mmio_ops = {
    .read = dsa_mmio_read,
    .write = dsa_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};
