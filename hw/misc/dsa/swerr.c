/*
 * intel-dsa: SWERR, the error that no completion record carries (DSA section
 * 9.2.14). The first error stays until software acknowledges it; errors in
 * between only set the overflow bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/lockable.h"
#include "dsa.h"
#include "trace.h"

static void swerr_pack(const DSASwErr *err, uint64_t q[4])
{
    uint32_t pasid = err->pasid == PCI_NO_PASID ? 0 : err->pasid;

    q[0] = FIELD_DP64(0, SWERR, VALID, 1);
    q[0] = FIELD_DP64(q[0], SWERR, DESC_VALID, err->desc_valid);
    q[0] = FIELD_DP64(q[0], SWERR, WQ_VALID, err->wq_valid);
    q[0] = FIELD_DP64(q[0], SWERR, BATCH, err->batch);
    q[0] = FIELD_DP64(q[0], SWERR, WRITE, err->write);
    q[0] = FIELD_DP64(q[0], SWERR, PRIV, err->priv);
    q[0] = FIELD_DP64(q[0], SWERR, ERROR, err->error);
    q[0] = FIELD_DP64(q[0], SWERR, WQ, err->wq);
    q[0] = FIELD_DP64(q[0], SWERR, OPCODE, err->opcode);
    q[0] = FIELD_DP64(q[0], SWERR, PASID, pasid & 0xfffff);
    q[1] = FIELD_DP64(0, SWERR1, BATCH_INDEX, err->batch_index);
    q[1] = FIELD_DP64(q[1], SWERR1, INVALID_FLAGS, err->invalid_flags);
    q[2] = err->fault_addr;
    q[3] = 0;
}

void dsa_swerr_record(DSAState *s, const DSASwErr *err)
{
    bool news = true;

    trace_dsa_swerr(err->error, err->wq, err->opcode, err->fault_addr);
    WITH_QEMU_LOCK_GUARD(&s->swerr_lock) {
        if (!FIELD_EX64(s->swerr[0], SWERR, VALID)) {
            swerr_pack(err, s->swerr);
        } else if (!FIELD_EX64(s->swerr[0], SWERR, OVERFLOW)) {
            s->swerr[0] = FIELD_DP64(s->swerr[0], SWERR, OVERFLOW, 1);
        } else {
            news = false;
        }
    }
    if (news && FIELD_EX32(dsa_reg(s, A_GENCTRL), GENCTRL, SWERR_INT_EN)) {
        dsa_intr_cause(s, DSA_INTCAUSE_SWERR);
    }
}

void dsa_swerr_code(DSAState *s, uint8_t error)
{
    const DSASwErr err = { .error = error, .pasid = PCI_NO_PASID };

    dsa_swerr_record(s, &err);
}

uint32_t dsa_swerr_read(DSAState *s, unsigned dword)
{
    QEMU_LOCK_GUARD(&s->swerr_lock);
    return s->swerr[dword / 2] >> (dword % 2 * 32);
}

/*
 * Software clears what it has read: without the valid bit the rest means
 * nothing, and an overflow that came after its read stays to be seen.
 */
void dsa_swerr_ack(DSAState *s, uint32_t val)
{
    QEMU_LOCK_GUARD(&s->swerr_lock);
    s->swerr[0] &= ~(uint64_t)(val & (R_SWERR_VALID_MASK |
                                      R_SWERR_OVERFLOW_MASK));
    if (!FIELD_EX64(s->swerr[0], SWERR, VALID)) {
        s->swerr[0] &= R_SWERR_OVERFLOW_MASK;
        s->swerr[1] = s->swerr[2] = 0;
    }
}

void dsa_swerr_reset(DSAState *s)
{
    QEMU_LOCK_GUARD(&s->swerr_lock);
    memset(s->swerr, 0, sizeof(s->swerr));
}
