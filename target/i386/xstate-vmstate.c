/*
 * Migration of IA32_PASID
 *
 * The subsection is sent if the MSR is not 0, or if IA32_XSS says that the
 * operating system switches it: it may be 0 on each processor just then. A
 * stream without it is the base's, and a destination without the feature is
 * never sent it by a guest that does not use the feature. IA32_XSS has a
 * subsection in the base.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "cpu.h"
#include "migration/vmstate.h"

static bool pasid_needed(void *opaque)
{
    const CPUX86State *env = &X86_CPU(opaque)->env;

    return env->msr_pasid || (env->xss & XSTATE_PASID_MASK);
}

static bool pasid_post_load(void *opaque, int version_id, Error **errp)
{
    X86CPU *cpu = opaque;
    CPUX86State *env = &cpu->env;

    if (!(env->features[FEAT_7_0_ECX] & CPUID_7_0_ECX_ENQCMD)) {
        error_setg(errp, "The guest uses IA32_PASID, which this processor "
                   "does not have; use the source's -cpu option.");
        return false;
    }
    if (env->msr_pasid & MSR_PASID_RESERVED) {
        error_setg(errp, "The migration stream is damaged: IA32_PASID has "
                   "reserved bits set (0x%" PRIx64 ").", env->msr_pasid);
        return false;
    }
    return true;
}

const VMStateDescription vmstate_x86_pasid = {
    .name = "cpu/pasid",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = pasid_needed,
    .post_load_errp = pasid_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(env.msr_pasid, X86CPU),
        VMSTATE_END_OF_LIST()
    }
};
