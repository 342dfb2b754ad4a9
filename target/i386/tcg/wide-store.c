/*
 * Direct stores and enqueue stores in TCG: 64 bytes from memory to one
 * destination
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "accel/tcg/cpu-ldst.h"
#include "accel/tcg/cpu-loop.h"
#include "accel/tcg/probe.h"
#include "exec/helper-proto.h"
#include "exec/tlb-flags.h"
#include "exec/translation-block.h"
#include "hw/pci/dmwr.h"
#include "target/i386/tcg/access.h"
#include "target/i386/tcg/helper-tcg.h"

/* 64 bytes in guest byte order, moved in the units that memory is moved in */
typedef union WideData {
    uint64_t q[DMWR_SIZE / 8];
    uint8_t b[DMWR_SIZE];
} WideData;

/* Where a 64-byte store goes, as the TLB knows it */
typedef struct WideDest {
    vaddr addr;
    int mmu_idx;
    int flags;              /* TLB_* */
    void *host;             /* RAM, or NULL */
    MemoryRegion *mr;       /* if not RAM: the region ... */
    hwaddr offset;          /* ... and the offset in it */
    MemTxAttrs attrs;
} WideDest;

/*
 * Other vCPUs run at the same time. Then an instruction that has to be alone
 * is executed again by itself while they stand still.
 */
static bool wide_in_parallel(CPUState *cs)
{
    return (cs->tcg_cflags & CF_PARALLEL) && !cpu_in_exclusive_context(cs);
}

/* The linear address of the destination has to be aligned: #GP(0) */
static void wide_check_aligned(CPUX86State *env, vaddr dst, uintptr_t ra)
{
    if (!QEMU_IS_ALIGNED(dst, DMWR_SIZE)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

/*
 * The source is an ordinary read: any alignment, no atomicity. It comes first,
 * because what the TLB says of the destination is only good until the next
 * access, and because a fault of the source has to leave the destination's
 * Accessed and Dirty bits alone.
 */
static void wide_load(CPUX86State *env, vaddr src, WideData *data,
                      uintptr_t ra)
{
    CPUState *cs = env_cpu(env);
    X86Access ac;

    access_prepare(&ac, env, src, DMWR_SIZE, MMU_DATA_LOAD, ra);

    /*
     * Reading a device may have effects and must happen once, so leave for
     * exclusive execution here rather than when the destination is known.
     */
    if ((!ac.haddr1 || (ac.size1 < DMWR_SIZE && !ac.haddr2)) &&
        wide_in_parallel(cs)) {
        cpu_loop_exit_atomic(cs, ra);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(data->q); i++) {
        data->q[i] = cpu_to_le64(access_ldq(&ac, src + i * 8));
    }
}

/* Page faults of a write, A and D bits, dirty tracking: as for any store */
static void wide_probe(CPUX86State *env, vaddr dst, WideDest *d, uintptr_t ra)
{
    CPUTLBEntryFull *full;

    d->addr = dst;
    d->mmu_idx = cpu_mmu_index(env_cpu(env), false);
    d->flags = probe_access_full(env, dst, DMWR_SIZE, MMU_DATA_STORE,
                                 d->mmu_idx, false, &d->host, &full, ra);
    d->mr = full->section->mr;
    d->offset = full->xlat_offset + dst;
    d->attrs = full->attrs;
}

/*
 * To RAM all 64 bytes become visible at once (SDM vol. 2, MOVDIR64B). No store
 * of the host promises that everywhere, so with several running vCPUs the
 * others are stopped. That is slow, but guests use the instruction for device
 * registers; a store to RAM that may be torn would be a silent error. Threads
 * of devices are not stopped: they see whole 8-byte units in rising order.
 */
static void wide_store_ram(CPUX86State *env, const WideDest *d,
                           const WideData *data, uintptr_t ra)
{
    CPUState *cs = env_cpu(env);
    uint64_t *host = d->host;

    if (wide_in_parallel(cs)) {
        cpu_loop_exit_atomic(cs, ra);
    }
    if (unlikely(d->flags & TLB_WATCHPOINT)) {
        probe_access(env, d->addr, DMWR_SIZE, MMU_DATA_STORE, d->mmu_idx, ra);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(data->q); i++) {
        qatomic_set(&host[i], data->q[i]);
    }
}

/* Devices that do not take 64 bytes at once, ROM, and nothing at all */
static void wide_store_pieces(CPUX86State *env, const WideDest *d,
                              const WideData *data, uintptr_t ra)
{
    for (unsigned i = 0; i < ARRAY_SIZE(data->q); i++) {
        cpu_stq_le_mmuidx_ra(env, d->addr + i * 8, le64_to_cpu(data->q[i]),
                             d->mmu_idx, ra);
    }
}

void helper_movdir64b(CPUX86State *env, target_ulong dst, target_ulong src)
{
    uintptr_t ra = GETPC();
    WideData data;
    WideDest d;

    wide_check_aligned(env, dst, ra);
    wide_load(env, src, &data, ra);
    wide_probe(env, dst, &d, ra);

    if (d.host) {
        wide_store_ram(env, &d, &data, ra);
    } else if (dmwr_region_is_target(d.mr)) {
        /* A posted write: what the target says does not come back. */
        dmwr_region_store(d.mr, d.offset, data.b, DMWR_POSTED, d.attrs);
    } else {
        wide_store_pieces(env, &d, &data, ra);
    }
}

/*
 * What a device gets in the first four bytes (SDM vol. 2, ENQCMD, "64-Byte
 * Data Written to Enqueue Registers"); the others are the program's.
 */
#define ENQUEUE_PASID       0x000fffffu
#define ENQUEUE_RESERVED    0x7ff00000u
#define ENQUEUE_PRIV        0x80000000u

QEMU_BUILD_BUG_ON((ENQUEUE_PASID | ENQUEUE_RESERVED | ENQUEUE_PRIV) != ~0u);

/* Source bits that have to be 0: #GP(0) */
static void wide_check_source(CPUX86State *env, const WideData *data,
                              uint32_t reserved, uintptr_t ra)
{
    if (ldl_le_p(data->b) & reserved) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

/*
 * An enqueue store (SDM vol. 2, ENQCMD): a deferrable write. Whatever does not
 * complete it, memory included, answers Retry and gets nothing. The result is
 * ZF alone; CF, PF, AF, SF and OF are cleared.
 */
static target_ulong wide_enqueue(CPUX86State *env, vaddr dst,
                                 const WideData *data, uintptr_t ra)
{
    DMWrStatus status = DMWR_RETRY;
    WideDest d;

    wide_probe(env, dst, &d, ra);
    if (!d.host) {
        status = dmwr_region_store(d.mr, d.offset, data->b, DMWR_DEFERRABLE,
                                   d.attrs);
    }
    return status == DMWR_ACCEPTED ? 0 : CC_Z;
}

/*
 * The PASID is IA32_PASID's, and PRIV is 0 at any privilege level. The order
 * of the #GP conditions and the source's page fault is not architectural.
 * implementation choice: IA32_PASID first, as an operating system that fills
 * it on #GP returns to the instruction anyway.
 */
target_ulong helper_enqcmd(CPUX86State *env, target_ulong dst, target_ulong src)
{
    uintptr_t ra = GETPC();
    WideData data;

    if (!(env->msr_pasid & MSR_PASID_VALID)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    wide_check_aligned(env, dst, ra);
    wide_load(env, src, &data, ra);
    wide_check_source(env, &data, ~0u, ra);
    stl_le_p(data.b, env->msr_pasid & MSR_PASID_PASID_MASK);
    return wide_enqueue(env, dst, &data, ra);
}

/* PASID and PRIV are the source's; the decoder has checked for CPL 0. */
target_ulong helper_enqcmds(CPUX86State *env, target_ulong dst,
                            target_ulong src)
{
    uintptr_t ra = GETPC();
    WideData data;

    wide_check_aligned(env, dst, ra);
    wide_load(env, src, &data, ra);
    wide_check_source(env, &data, ENQUEUE_RESERVED, ra);
    return wide_enqueue(env, dst, &data, ra);
}
