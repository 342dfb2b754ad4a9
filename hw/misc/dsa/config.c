/*
 * intel-dsa: what ENABLE_DEVICE and ENABLE_WQ demand of the configuration (DSA
 * sections 3.2, 3.4 and 9.2.20, 9.2.21), as lists of checks with their status.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pasid-dma.h"
#include "dsa.h"
#include "trace.h"

static uint64_t group_wqs(const DSAState *s, unsigned grp)
{
    return dsa_grpcfg(s, grp, DSA_GRP_WQS);
}

static uint64_t group_engines(const DSAState *s, unsigned grp)
{
    return dsa_grpcfg(s, grp, DSA_GRP_ENGINES);
}

static unsigned wq_size(const DSAState *s, unsigned wq)
{
    return FIELD_EX32(dsa_wqcfg(s, wq, 0), WQCFG0, SIZE);
}

/* --- ENABLE_DEVICE -------------------------------------------------------- */

typedef struct DSADeviceCheck {
    DSACmdStatus status;
    bool (*wrong)(DSAState *s);
} DSADeviceCheck;

static bool device_not_disabled(DSAState *s)
{
    return s->state != DSA_STATE_DISABLED;
}

static bool no_bus_master(DSAState *s)
{
    return !(pci_get_word(PCI_DEVICE(s)->config + PCI_COMMAND) &
             PCI_COMMAND_MASTER);
}

/* Page requests need an allocation within the capacity (PCIe 6.0 10.5.2) */
static bool bad_prs_allocation(DSAState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    uint32_t alloc = pcie_pri_get_req_alloc(pci);

    return pcie_pri_enabled(pci) &&
           (!alloc || alloc > pci_get_long(pci->config + pci->exp.pri_cap +
                                           PCI_PRI_MAX_REQ));
}

static bool names_what_is_not(DSAState *s)
{
    unsigned g;

    for (g = 0; g < s->groups; g++) {
        if (group_wqs(s, g) >> s->wqs ||
            group_engines(s, g) >> s->engines_num) {
            return true;
        }
    }
    return false;
}

bool dsa_config_bad_size_sum(DSAState *s)
{
    unsigned sum = 0, i;

    for (i = 0; i < s->wqs; i++) {
        sum += wq_size(s, i);
    }
    return sum == 0 || sum > s->wq_size;
}

static bool group_incomplete(DSAState *s)
{
    unsigned g;

    for (g = 0; g < s->groups; g++) {
        if (!group_wqs(s, g) != !group_engines(s, g)) {
            return true;
        }
    }
    return false;
}

/* Each queue that has a size is in one group, and no queue in two */
static bool bad_group_wq(DSAState *s)
{
    uint64_t seen = 0;
    unsigned g, i;

    for (g = 0; g < s->groups; g++) {
        if (seen & group_wqs(s, g)) {
            return true;
        }
        seen |= group_wqs(s, g);
    }
    for (i = 0; i < s->wqs; i++) {
        if (wq_size(s, i) && !(seen & (1ull << i))) {
            return true;
        }
    }
    return false;
}

static bool bad_group_engine(DSAState *s)
{
    uint64_t seen = 0;
    unsigned g;

    for (g = 0; g < s->groups; g++) {
        if (seen & group_engines(s, g)) {
            return true;
        }
        seen |= group_engines(s, g);
    }
    return false;
}

/* Read buffers, of groups that have engines */
static bool bad_group_rdbufs(DSAState *s)
{
    unsigned g, sum = 0;

    for (g = 0; g < s->groups; g++) {
        uint64_t flags = dsa_grpcfg(s, g, DSA_GRP_FLAGS);
        unsigned reserved = FIELD_EX64(flags, GRPFLAGS, RDBUFS_RESERVED);
        unsigned allowed = FIELD_EX64(flags, GRPFLAGS, RDBUFS_ALLOWED);

        if (group_engines(s, g) &&
            (!allowed || allowed > s->rdbufs || allowed < reserved)) {
            return true;
        }
        sum += group_engines(s, g) ? reserved : 0;
    }
    return sum > s->rdbufs;
}

static const DSADeviceCheck device_checks[] = {
    { DSA_CMD_DEV_NOT_DISABLED, device_not_disabled },
    { DSA_CMD_BUS_MASTER, no_bus_master },
    { DSA_CMD_PRS_ALLOC, bad_prs_allocation },
    { DSA_CMD_DEV_CONFIG, names_what_is_not },
    { DSA_CMD_WQ_SIZE_SUM, dsa_config_bad_size_sum },
    { DSA_CMD_GROUP_INCOMPLETE, group_incomplete },
    { DSA_CMD_GROUP_WQ, bad_group_wq },
    { DSA_CMD_GROUP_ENGINE, bad_group_engine },
    { DSA_CMD_GROUP_RDBUFS, bad_group_rdbufs },
};

void dsa_config_publish_groups(DSAState *s, bool enabled)
{
    unsigned g;

    for (g = 0; g < DSA_MAX_GROUPS; g++) {
        bool on = enabled && g < s->groups;

        /* Those that exist: what migration brings may name others */
        qatomic_set(&s->group_wqs[g],
                    on ? group_wqs(s, g) & dsa_all_wqs(s) : 0);
    }
}

DSACmdStatus dsa_config_enable_device(DSAState *s)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(device_checks); i++) {
        if (device_checks[i].wrong(s)) {
            return device_checks[i].status;
        }
    }
    dsa_config_publish_groups(s, true);
    s->state = DSA_STATE_ENABLED;
    return DSA_CMD_SUCCESS;
}

/* --- ENABLE_WQ ------------------------------------------------------------ */

typedef struct DSAWQCheck {
    DSACmdStatus status;
    bool (*wrong)(DSAState *s, unsigned wq, uint32_t mode);
} DSAWQCheck;

static bool device_not_enabled(DSAState *s, unsigned wq, uint32_t mode)
{
    return s->state != DSA_STATE_ENABLED;
}

static bool no_such_wq(DSAState *s, unsigned wq, uint32_t mode)
{
    return wq >= s->wqs;
}

static bool wq_not_disabled(DSAState *s, unsigned wq, uint32_t mode)
{
    return s->queues[wq].state != DSA_WQ_DISABLED;
}

/* implementation choice: a threshold above the size is a bad size too */
static bool bad_wq_size(DSAState *s, unsigned wq, uint32_t mode)
{
    unsigned threshold = FIELD_EX32(dsa_wqcfg(s, wq, 1), WQCFG1, THRESHOLD);
    unsigned size = wq_size(s, wq);

    return !size || (!FIELD_EX32(mode, WQCFG2, DEDICATED) && threshold > size);
}

static bool bad_wq_priority(DSAState *s, unsigned wq, uint32_t mode)
{
    return !FIELD_EX32(mode, WQCFG2, PRIORITY);
}

static bool bad_wq_mode(DSAState *s, unsigned wq, uint32_t mode)
{
    return !FIELD_EX32(mode, WQCFG2, DEDICATED) && !s->shared;
}

static bool bad_wq_bof(DSAState *s, unsigned wq, uint32_t mode)
{
    return FIELD_EX32(mode, WQCFG2, BOF) && !s->bof;
}

/*
 * Shared queues need PASIDs, and PASIDs the function's capability enabled.
 * implementation choice: one that is too wide for it is as wrong.
 */
static bool bad_wq_pasid(DSAState *s, unsigned wq, uint32_t mode)
{
    bool pasid_en = FIELD_EX32(mode, WQCFG2, PASID_EN);

    if (!FIELD_EX32(mode, WQCFG2, DEDICATED) && !pasid_en) {
        return true;
    }
    return pasid_en &&
           (!pcie_pasid_enabled(PCI_DEVICE(s)) ||
            !pci_pasid_fits(PCI_DEVICE(s), FIELD_EX32(mode, WQCFG2, PASID)));
}

static bool bad_wq_batch(DSAState *s, unsigned wq, uint32_t mode)
{
    return FIELD_EX32(dsa_wqcfg(s, wq, 3), WQCFG3, MAX_BATCH_SHIFT) >
           FIELD_EX64(s->gencap, GENCAP, MAX_BATCH_SHIFT);
}

static bool bad_wq_xfer(DSAState *s, unsigned wq, uint32_t mode)
{
    return FIELD_EX32(dsa_wqcfg(s, wq, 3), WQCFG3, MAX_XFER_SHIFT) >
           FIELD_EX64(s->gencap, GENCAP, MAX_XFER_SHIFT);
}

static bool bad_wq_priv(DSAState *s, unsigned wq, uint32_t mode)
{
    return FIELD_EX32(mode, WQCFG2, DEDICATED) &&
           FIELD_EX32(mode, WQCFG2, PASID_EN) &&
           FIELD_EX32(mode, WQCFG2, PRIV) &&
           !pcie_pasid_priv_enabled(PCI_DEVICE(s));
}

static bool bad_wq_occupancy(DSAState *s, unsigned wq, uint32_t mode)
{
    uint32_t where = dsa_wqcfg(s, wq, 4), arm = dsa_wqcfg(s, wq, 5);

    return FIELD_EX32(arm, WQCFG5, OCCUPANCY_INT_EN) &&
           (FIELD_EX32(arm, WQCFG5, OCCUPANCY_LIMIT) >= wq_size(s, wq) ||
            !dsa_intr_handle_exists(s, FIELD_EX32(where, WQCFG4,
                                                  OCCUPANCY_HANDLE),
                                    FIELD_EX32(where, WQCFG4,
                                               OCCUPANCY_IMS)));
}

static bool bad_wq_ats(DSAState *s, unsigned wq, uint32_t mode)
{
    return FIELD_EX32(mode, WQCFG2, ATS_DISABLE) && !s->ats;
}

static const DSAWQCheck wq_checks[] = {
    { DSA_CMD_DEV_NOT_ENABLED, device_not_enabled },
    { DSA_CMD_INVALID_WQ, no_such_wq },
    { DSA_CMD_WQ_NOT_DISABLED, wq_not_disabled },
    { DSA_CMD_WQ_SIZE, bad_wq_size },
    { DSA_CMD_WQ_PRIORITY, bad_wq_priority },
    { DSA_CMD_WQ_MODE, bad_wq_mode },
    { DSA_CMD_WQ_BOF, bad_wq_bof },
    { DSA_CMD_WQ_PASID, bad_wq_pasid },
    { DSA_CMD_WQ_MAX_BATCH, bad_wq_batch },
    { DSA_CMD_WQ_MAX_XFER, bad_wq_xfer },
    { DSA_CMD_WQ_PRIV, bad_wq_priv },
    { DSA_CMD_WQ_OCCUPANCY, bad_wq_occupancy },
    { DSA_CMD_WQ_ATS, bad_wq_ats },
};

static void make_view(DSAState *s, unsigned wq, DSAWQView *view)
{
    uint32_t mode = dsa_wqcfg(s, wq, 2), max = dsa_wqcfg(s, wq, 3);
    bool ats = !FIELD_EX32(mode, WQCFG2, ATS_DISABLE);
    uint64_t flags;
    unsigned g;

    for (g = 0; g + 1 < s->groups; g++) {
        if (group_wqs(s, g) & (1ull << wq)) {
            break;
        }
    }
    flags = dsa_grpcfg(s, g, DSA_GRP_FLAGS);
    *view = (DSAWQView) {
        .index = wq,
        .group = g,
        .priority = FIELD_EX32(mode, WQCFG2, PRIORITY),
        .dedicated = FIELD_EX32(mode, WQCFG2, DEDICATED),
        .block_on_fault = FIELD_EX32(mode, WQCFG2, BOF),
        .ats = ats,
        .prs = ats && s->pri,
        .pasid_en = FIELD_EX32(mode, WQCFG2, PASID_EN),
        .priv = FIELD_EX32(mode, WQCFG2, PRIV),
        .pasid = FIELD_EX32(mode, WQCFG2, PASID),
        .max_xfer_shift = FIELD_EX32(max, WQCFG3, MAX_XFER_SHIFT),
        .max_batch_shift = FIELD_EX32(max, WQCFG3, MAX_BATCH_SHIFT),
        .tc_a = FIELD_EX64(flags, GRPFLAGS, TC_A),
        .tc_b = FIELD_EX64(flags, GRPFLAGS, TC_B),
    };
    /* A 32-byte WQCFG has no operation configuration */
    memset(view->op_config, 0xff, sizeof(view->op_config));
}

DSACmdStatus dsa_config_enable_wq(DSAState *s, unsigned wq)
{
    DSAWQView view;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(wq_checks); i++) {
        uint32_t mode = wq < s->wqs ? dsa_wqcfg(s, wq, 2) : 0;

        if (wq_checks[i].wrong(s, wq, mode)) {
            return wq_checks[i].status;
        }
    }
    make_view(s, wq, &view);
    trace_dsa_wq_enable(wq, view.group, wq_size(s, wq), view.dedicated,
                        view.pasid_en ? view.pasid : PCI_NO_PASID);
    dsa_wq_open(s, wq, &view, wq_size(s, wq),
                FIELD_EX32(dsa_wqcfg(s, wq, 1), WQCFG1, THRESHOLD));
    return DSA_CMD_SUCCESS;
}

/*
 * RESET_WQ. The size stays, since it cannot be written again while the device
 * is enabled and drivers enable the queue again right after the reset.
 */
void dsa_config_clear_wq(DSAState *s, unsigned wq, bool all)
{
    unsigned dw;

    for (dw = all ? 0 : 1; dw < DSA_WQCFG_STRIDE / 4; dw++) {
        qatomic_set(&s->regs[(DSA_WQCFG_BASE + wq * DSA_WQCFG_STRIDE) / 4 + dw],
                    0);
    }
}
