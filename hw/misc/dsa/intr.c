/*
 * intel-dsa: interrupts by MSI-X and by the device's own Interrupt Message
 * Storage (DSA sections 3.7 and 9.2.22), from any thread.
 *
 * Messages are sent with the big lock held. A thread without it, in particular
 * a worker, leaves a bit for the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "dsa.h"
#include "trace.h"

static uint32_t ims_addr(unsigned entry, unsigned off)
{
    return DSA_IMS_BASE + entry * DSA_IMS_STRIDE + off;
}

static void msix_send(DSAState *s, unsigned vector)
{
    PCIDevice *pci = PCI_DEVICE(s);

    trace_dsa_intr(vector, false);
    if (msix_enabled(pci)) {
        msix_notify(pci, vector);
    }
}

static void ims_send(DSAState *s, unsigned entry)
{
    uint32_t *ctrl = &s->regs[ims_addr(entry, 12) / 4];
    MSIMessage msg = {
        .address = dsa_reg64(s, ims_addr(entry, 0)),
        .data = dsa_reg(s, ims_addr(entry, 8)),
    };

    trace_dsa_intr(entry, true);
    if (FIELD_EX32(*ctrl, PERM, MASK)) {
        qatomic_set(ctrl, FIELD_DP32(*ctrl, PERM, PENDING, 1));
    } else {
        msi_send_message(PCI_DEVICE(s), msg);
    }
}

void dsa_ims_unmasked(DSAState *s, unsigned entry)
{
    uint32_t *ctrl = &s->regs[ims_addr(entry, 12) / 4];

    if (FIELD_EX32(*ctrl, PERM, PENDING) && !FIELD_EX32(*ctrl, PERM, MASK)) {
        qatomic_set(ctrl, FIELD_DP32(*ctrl, PERM, PENDING, 0));
        ims_send(s, entry);
    }
}

/*
 * Sending may be the end of the device: a guest may aim a message at the
 * register of its slot's power. Nothing is sent after that.
 */
static void send_now(DSAState *s, unsigned handle, bool ims)
{
    if (s->gone) {
        return;
    }
    if (ims) {
        ims_send(s, handle);
    } else {
        msix_send(s, handle);
    }
}

void dsa_intr_send(DSAState *s, uint16_t handle, bool ims)
{
    if (bql_locked()) {
        send_now(s, handle, ims);
        return;
    }
    set_bit_atomic(handle, ims ? s->ims_pending : s->msix_pending);
    qemu_bh_schedule(s->intr_bh);
}

void dsa_intr_cause(DSAState *s, uint32_t cause)
{
    /* Software clears the causes it has seen before it serves them */
    if (!(qatomic_fetch_or(&s->intcause, cause) & cause)) {
        dsa_intr_send(s, 0, false);
    }
}

static void flush_map(DSAState *s, unsigned long *map, unsigned bits, bool ims)
{
    unsigned word;

    for (word = 0; word < BITS_TO_LONGS(bits); word++) {
        unsigned long set;

        if (!qatomic_read(&map[word])) {
            continue;
        }
        set = qatomic_xchg(&map[word], 0);
        while (set) {
            unsigned bit = ctzl(set);

            set &= set - 1;
            dsa_intr_send(s, word * BITS_PER_LONG + bit, ims);
        }
    }
}

void dsa_intr_flush(DSAState *s)
{
    flush_map(s, s->msix_pending, DSA_MAX_VECTORS, false);
    flush_map(s, s->ims_pending, s->ims, true);
}

void dsa_intr_bh(void *opaque)
{
    DSAState *s = opaque;

    /* While the machine is stopped its interrupt controllers may be loading */
    if (!s->stopped) {
        dsa_intr_flush(s);
    }
}

void dsa_intr_reset(DSAState *s)
{
    qatomic_set(&s->intcause, 0);
    bitmap_zero(s->msix_pending, DSA_MAX_VECTORS);
    bitmap_zero(s->ims_pending, DSA_IMS_MAX);
    memset(s->int_handles, 0, sizeof(s->int_handles));
}

/*
 * Handles are indices of MSI-X vectors or IMS entries. Vector 0 belongs to the
 * device's own causes (implementation choice: it is no completion interrupt).
 */
bool dsa_intr_handle_exists(const DSAState *s, uint16_t handle, bool ims)
{
    return ims ? handle < s->ims : handle >= 1 && handle <= s->wqs;
}

static unsigned handle_bit(uint16_t handle, bool ims)
{
    return ims ? DSA_MAX_VECTORS + handle : handle;
}

DSACmdStatus dsa_intr_request_handle(DSAState *s, uint16_t index, bool ims,
                                     uint16_t *handle)
{
    unsigned bit = handle_bit(index, ims);

    if (!dsa_intr_handle_exists(s, index, ims)) {
        return DSA_CMD_INT_INDEX;
    }
    qatomic_or(&s->int_handles[bit / 64], 1ull << bit % 64);
    *handle = index;
    return DSA_CMD_SUCCESS;
}

DSACmdStatus dsa_intr_release_handle(DSAState *s, uint16_t handle, bool ims)
{
    unsigned bit = handle_bit(handle, ims);

    if (!dsa_intr_handle_exists(s, handle, ims) ||
        !(s->int_handles[bit / 64] & 1ull << bit % 64)) {
        return DSA_CMD_INT_NOT_ASSOCIATED;
    }
    qatomic_and(&s->int_handles[bit / 64], ~(1ull << bit % 64));
    return DSA_CMD_SUCCESS;
}

/* DSA 9.2.22: whose descriptors may use the entry */
static bool permitted(const DSAState *s, const DSAJob *job, uint16_t handle)
{
    uint32_t perm = dsa_reg(s, job->ims_portal ? ims_addr(handle, 12) :
                            DSA_MSIXPERM_BASE + handle * DSA_MSIXPERM_STRIDE);

    if (FIELD_EX32(perm, PERM, IGNORE)) {
        return true;
    }
    if (!FIELD_EX32(perm, PERM, PASID_EN)) {
        return job->pasid == PCI_NO_PASID;
    }
    return job->pasid == FIELD_EX32(perm, PERM, PASID);
}

bool dsa_completion_interrupt(DSAState *s, const DSAJob *job, uint16_t handle,
                              bool check_only)
{
    unsigned bit = handle_bit(handle, job->ims_portal);

    if (!dsa_intr_handle_exists(s, handle, job->ims_portal) ||
        !permitted(s, job, handle)) {
        return false;
    }
    if (s->cmdcap &&
        !(qatomic_read(&s->int_handles[bit / 64]) & 1ull << bit % 64)) {
        return false;
    }
    /* DSA 9.2.8: interrupts for user-mode descriptors need to be enabled */
    if (job->pasid != PCI_NO_PASID && !job->priv &&
        !FIELD_EX32(dsa_reg(s, A_GENCFG), GENCFG, USER_INT_EN)) {
        return false;
    }
    if (!check_only) {
        dsa_intr_send(s, handle, job->ims_portal);
    }
    return true;
}
