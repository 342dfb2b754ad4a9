/*
 * User-level waiting (WAITPKG) in TCG: UMONITOR, UMWAIT and TPAUSE
 *
 * Included by target/i386/cpu.h. References are to the Intel 64 and IA-32
 * Architectures Software Developer's Manual (SDM).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_WAITPKG_H
#define I386_TCG_WAITPKG_H

/* CPUID.(EAX=7,ECX=0):ECX. User emulation has no IA32_UMWAIT_CONTROL. */
#ifdef CONFIG_USER_ONLY
#define TCG_7_0_ECX_WAITPKG 0
#else
#define TCG_7_0_ECX_WAITPKG CPUID_7_0_ECX_WAITPKG
#endif

#define UMONITOR_LINE 64        /* bytes that one UMONITOR watches */

/*
 * What UMONITOR armed, and what earlier waits have taught. A reset clears it
 * and migration leaves it behind: an UMWAIT with nothing armed ends at once,
 * which it may at any time.
 */
typedef struct X86UMonitor {
    bool armed;
    uint64_t addr;                          /* linear, of the line */
    uint64_t line[UMONITOR_LINE / 8];       /* its contents at that time */
    int64_t waited_ns;                      /* for the line, in vain ... */
    int64_t waited_at;                      /* ... until then, host clock */
    double ns_per_tick;                     /* of the TSC; 0 if not known */
} X86UMonitor;

struct ArchCPU;
struct CPUArchState;

/**
 * waitpkg_realize: complete what CPUID leaf 5 says of the monitored line.
 * @cpu: a processor under realization, its features final
 */
void waitpkg_realize(struct ArchCPU *cpu);

/**
 * waitpkg_rdmsr, waitpkg_wrmsr: IA32_UMWAIT_CONTROL (SDM vol. 4, MSR E1H).
 * @ra: the caller's GETPC()
 *
 * Raise #GP(0) if the processor has no WAITPKG, and for reserved bits of @val.
 */
uint64_t waitpkg_rdmsr(struct CPUArchState *env, uintptr_t ra);
void waitpkg_wrmsr(struct CPUArchState *env, uint64_t val, uintptr_t ra);

#endif /* I386_TCG_WAITPKG_H */
