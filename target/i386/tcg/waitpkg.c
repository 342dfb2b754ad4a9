/*
 * User-level waiting in TCG: UMONITOR, UMWAIT and TPAUSE
 *
 * UMWAIT and TPAUSE let the host's processor rest. They wait in the vCPU's
 * thread, without the big lock and inside cpu_exec(), in slices: between two
 * slices they look at the time-stamp counter, at the monitored line, and for
 * anything that wants this vCPU (an interrupt, masked or not; a request to
 * leave cpu_exec()). So whoever stops or kicks a vCPU waits for a slice at
 * most, and memory that is looked at stays in place, because cpu_exec() is one
 * RCU read section.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "accel/tcg/cpu-ldst.h"
#include "accel/tcg/probe.h"
#include "exec/helper-proto.h"
#include "exec/icount.h"
#include "exec/tlb-flags.h"
#include "hw/core/cpu.h"
#include "system/tcg.h"
#include "target/i386/tcg/helper-tcg.h"

/* IA32_UMWAIT_CONTROL (SDM vol. 4, MSR E1H) */
#define UMWAIT_CONTROL_NO_C02       (1u << 0)
#define UMWAIT_CONTROL_MAX_TIME     (~3u)       /* TSC units; 0: none */

/* Operand of UMWAIT and TPAUSE: the state. Both rest in the same way here. */
#define WAIT_OPERAND_RESERVED       (~1u)

/*
 * UMWAIT begins by giving the processor to other threads, because what it
 * waits for may be microseconds away and be another thread's work. After that
 * it sleeps, each time for about as long as the line has been waited for so
 * far, so that it is late by little, and never for longer than a slice, so
 * that interrupts and completions are not late by more. Programs wait again
 * at once if the operating system's limit ended a wait: that counts as one.
 */
#define WAIT_YIELD_NS   (5 * SCALE_US)
#define WAIT_SLICE_NS   (50 * SCALE_US)

/*
 * implementation choice: a store to the monitored line is noticed by what it
 * changes. One that writes what is there already, or what is changed back
 * within a slice, is not; so UMWAIT returns, as it may for reasons of the
 * implementation, after this time.
 */
#define WAIT_UNSEEN_NS  SCALE_MS

typedef struct UserWait {
    CPUX86State *env;
    uint64_t deadline;          /* TSC */
    bool os_limit;              /* the deadline is IA32_UMWAIT_CONTROL's */
    const uint64_t *line;       /* what UMWAIT watches, or NULL */
    int64_t before_ns;          /* how long it was waited for before */
    uint64_t begin_tsc;
    int64_t begin_ns;
} UserWait;

static uint64_t wait_tsc(CPUX86State *env)
{
    return cpu_get_tsc(env) + env->tsc_offset;
}

/* The host memory behind the line of @addr; NULL if it is no RAM */
static const uint64_t *wait_line(CPUX86State *env, vaddr addr, bool nonfault,
                                 uintptr_t ra)
{
    CPUTLBEntryFull *full;
    void *host;
    int flags;

    flags = probe_access_full(env, addr, 1, MMU_DATA_LOAD,
                              cpu_mmu_index(env_cpu(env), false), nonfault,
                              &host, &full, ra);
    return flags & TLB_INVALID_MASK ? NULL :
           QEMU_ALIGN_PTR_DOWN(host, UMONITOR_LINE);
}

/*
 * Ordered and checked like the load of a byte (SDM vol. 2, UMONITOR).
 * implementation choice: memory that is no RAM cannot be armed.
 */
void helper_umonitor(CPUX86State *env, target_ulong addr)
{
    X86UMonitor *m = &env->umonitor;
    const uint64_t *line = wait_line(env, addr, false, GETPC());
    bool same = m->addr == QEMU_ALIGN_DOWN(addr, UMONITOR_LINE) &&
                get_clock() - m->waited_at < WAIT_YIELD_NS;

    m->armed = line != NULL;
    m->addr = QEMU_ALIGN_DOWN(addr, UMONITOR_LINE);
    for (unsigned i = 0; line && i < ARRAY_SIZE(m->line); i++) {
        uint64_t now = qatomic_read(&line[i]);

        same &= m->line[i] == now;
        m->line[i] = now;
    }
    if (!same) {
        m->waited_ns = 0;
    }
    /* The program looks at the line itself only after this. */
    smp_rmb();
}

static bool wait_line_changed(const UserWait *w)
{
    for (unsigned i = 0; w->line && i < UMONITOR_LINE / 8; i++) {
        if (qatomic_read(&w->line[i]) != w->env->umonitor.line[i]) {
            return true;
        }
    }
    return false;
}

/* An interrupt ends the wait even if EFLAGS.IF is 0 (SDM vol. 2, UMWAIT). */
static bool wait_disturbed(const UserWait *w)
{
    CPUState *cs = env_cpu(w->env);

    return cpu_loop_exit_requested(cs) || cpu_test_interrupt(cs, ~0);
}

/*
 * Whether the vCPU may sleep. Not if other vCPUs depend on this thread, nor if
 * time stands still until it executes instructions, nor while everybody else
 * is stopped for the sake of this instruction.
 * implementation choice: then the wait ends at once and others have their turn.
 */
static bool wait_possible(CPUState *cs)
{
    return !icount_enabled() && !cpu_in_exclusive_context(cs) &&
           (qemu_tcg_mttcg_enabled() || !CPU_NEXT(first_cpu));
}

/*
 * One slice, no longer than the deadline is away as far as that is known: the
 * TSC has no fixed frequency here, so its speed is taken from earlier slices.
 */
static void wait_slice(const UserWait *w, uint64_t tsc)
{
    X86UMonitor *m = &w->env->umonitor;
    int64_t waited = w->before_ns + get_clock() - w->begin_ns;
    double left = (w->deadline - tsc) * m->ns_per_tick;
    int64_t slice = MIN(MIN(waited, WAIT_SLICE_NS), left);

    if (waited < WAIT_YIELD_NS || slice < SCALE_US) {
        g_thread_yield();
    } else {
        g_usleep(slice / SCALE_US);
    }
}

static bool wait_over(const UserWait *w)
{
    return wait_line_changed(w) || wait_disturbed(w) ||
           (w->line && get_clock() - w->begin_ns >= WAIT_UNSEEN_NS);
}

/*
 * The answer is CF: whether the operating system's limit ended the wait. The
 * other arithmetic flags are cleared (SDM vol. 2, UMWAIT and TPAUSE).
 */
static target_ulong wait_until(UserWait *w)
{
    uint64_t tsc = w->begin_tsc;

    if (!wait_possible(env_cpu(w->env))) {
        cpu_exit(env_cpu(w->env));
        return 0;
    }
    while (tsc < w->deadline && !wait_over(w)) {
        wait_slice(w, tsc);
        tsc = wait_tsc(w->env);
        w->env->umonitor.ns_per_tick = (get_clock() - w->begin_ns) /
                                       (double)(tsc - w->begin_tsc + 1);
    }
    return w->os_limit && tsc >= w->deadline ? CC_C : 0;
}

/* What both instructions check and how long they may last (SDM vol. 2) */
static UserWait wait_begin(CPUX86State *env, uint32_t control, uintptr_t ra)
{
    uint32_t max_time = env->umwait & UMWAIT_CONTROL_MAX_TIME;
    UserWait w = {
        .env = env,
        .deadline = (uint64_t)env->regs[R_EDX] << 32 |
                    (uint32_t)env->regs[R_EAX],
    };

    if ((control & WAIT_OPERAND_RESERVED) ||
        ((env->cr[4] & CR4_TSD_MASK) && (env->hflags & HF_CPL_MASK))) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    w.begin_ns = get_clock();
    w.begin_tsc = wait_tsc(env);
    if (max_time && w.begin_tsc + max_time < w.deadline) {
        w.deadline = w.begin_tsc + max_time;
        w.os_limit = true;
    }
    return w;
}

target_ulong helper_tpause(CPUX86State *env, uint32_t control)
{
    UserWait w = wait_begin(env, control, GETPC());

    /* Nobody's work is waited for, so there is no need to be patient first. */
    w.before_ns = WAIT_SLICE_NS;
    return wait_until(&w);
}

/*
 * The line is looked up again, because memory may have moved since UMONITOR.
 * implementation choice: UMWAIT disarms, whatever ended it.
 */
target_ulong helper_umwait(CPUX86State *env, uint32_t control)
{
    UserWait w = wait_begin(env, control, GETPC());
    X86UMonitor *m = &env->umonitor;
    target_ulong flags;

    if (!m->armed) {
        return 0;
    }
    m->armed = false;
    w.line = wait_line(env, m->addr, true, 0);
    if (!w.line) {
        return 0;
    }
    w.before_ns = m->waited_ns;
    flags = wait_until(&w);
    m->waited_at = get_clock();
    m->waited_ns = wait_line_changed(&w) ? 0 :
                   m->waited_ns + m->waited_at - w.begin_ns;
    return flags;
}

static void waitpkg_check_msr(CPUX86State *env, uint64_t reserved,
                              uintptr_t ra)
{
    if (!(env->features[FEAT_7_0_ECX] & CPUID_7_0_ECX_WAITPKG) || reserved) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

uint64_t waitpkg_rdmsr(CPUX86State *env, uintptr_t ra)
{
    waitpkg_check_msr(env, 0, ra);
    return env->umwait;
}

void waitpkg_wrmsr(CPUX86State *env, uint64_t val, uintptr_t ra)
{
    const uint64_t valid = UMWAIT_CONTROL_MAX_TIME | UMWAIT_CONTROL_NO_C02;

    waitpkg_check_msr(env, val & ~valid, ra);
    env->umwait = val;
}

/* CPUID.5:EAX, EBX: smallest and largest line (SDM vol. 2, CPUID) */
void waitpkg_realize(X86CPU *cpu)
{
    if (cpu->env.features[FEAT_7_0_ECX] & CPUID_7_0_ECX_WAITPKG) {
        cpu->mwait.eax = cpu->mwait.ebx = UMONITOR_LINE;
    }
}
