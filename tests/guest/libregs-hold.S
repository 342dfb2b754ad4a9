/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading and storing registers with no compiled code in between. */
#include "libregs-layout.h"

    .text

/* load_all: registers from (%rsi), %r12d features; %rax, %rcx, %rdx go */
    .type load_all, @function
load_all:
    fninit
    fldcw REGS_FCW(%rsi)
    movzwl REGS_ST_COUNT(%rsi), %ecx
    lea REGS_ST(%rsi), %rdx
    jmp 2f
1:
    fldt (%rdx)
    add $16, %rdx
    dec %ecx
2:
    test %ecx, %ecx
    jnz 1b
    ldmxcsr REGS_MXCSR(%rsi)
    test $REGS_AVX, %r12d
    jz 3f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu \n*32(%rsi), %ymm\n
    .endr
    jmp 4f
3:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu \n*32(%rsi), %xmm\n
    .endr
4:
    test $REGS_PKU, %r12d
    jz 5f
    mov REGS_PKRU(%rsi), %eax
    xor %ecx, %ecx
    xor %edx, %edx
    wrpkru
5:
    ret

/* store_all: registers to (%rdi), %r12d features; %rax, %rcx, %rdx go */
    .type store_all, @function
store_all:
    fnstenv REGS_ENV(%rdi)
    movzwl REGS_ST_COUNT(%rdi), %ecx
    lea REGS_ST(%rdi), %rdx
    jmp 2f
1:
    fstpt (%rdx)
    add $16, %rdx
    dec %ecx
2:
    test %ecx, %ecx
    jnz 1b
    stmxcsr REGS_MXCSR(%rdi)
    test $REGS_AVX, %r12d
    jz 3f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu %ymm\n, \n*32(%rdi)
    .endr
    jmp 4f
3:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu %xmm\n, \n*32(%rdi)
    .endr
4:
    test $REGS_PKU, %r12d
    jz 5f
    xor %ecx, %ecx
    rdpkru
    mov %eax, REGS_PKRU(%rdi)
5:
    ret

/* void regs_hold(struct hold *h) */
    .globl regs_hold
    .type regs_hold, @function
regs_hold:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    mov %rdi, %rbx
    mov HOLD_FEATURES(%rbx), %r12d
    xor %r14d, %r14d
    test $REGS_PKU, %r12d
    jz 1f
    xor %ecx, %ecx
    rdpkru
    mov %eax, %r14d
1:
    mov HOLD_IN(%rbx), %rsi
    mov HOLD_OUT(%rbx), %rdi
    movzwl REGS_ST_COUNT(%rsi), %eax
    mov %ax, REGS_ST_COUNT(%rdi)
    call load_all
    mov HOLD_COUNT(%rbx), %r13
2:
    mov HOLD_SPIN(%rbx), %rbp
    jmp 4f
3:
    pause
    dec %rbp
4:
    test %rbp, %rbp
    jnz 3b
    mov HOLD_NR(%rbx), %rax
    test %rax, %rax
    js 5f
    mov HOLD_ARG(%rbx), %rdi
    mov HOLD_ARG + 8(%rbx), %rsi
    mov HOLD_ARG + 16(%rbx), %rdx
    mov HOLD_ARG + 24(%rbx), %r10
    mov HOLD_ARG + 32(%rbx), %r8
    mov HOLD_ARG + 40(%rbx), %r9
    syscall
    mov %rax, HOLD_RESULT(%rbx)
5:
    mov HOLD_CALL(%rbx), %rax
    test %rax, %rax
    jz 8f
    call *%rax
8:
    dec %r13
    jg 2b
    mov HOLD_OUT(%rbx), %rdi
    call store_all
    /* the psABI's state at a return, and the caller's PKRU */
    fninit
    pushq $0x1f80
    ldmxcsr (%rsp)
    pop %rax
    test $REGS_AVX, %r12d
    jz 6f
    vzeroupper
6:
    test $REGS_PKU, %r12d
    jz 7f
    mov %r14d, %eax
    xor %ecx, %ecx
    xor %edx, %edx
    wrpkru
7:
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size regs_hold, . - regs_hold

/* void regs_clobber(const struct regs *garbage, uint32_t features) */
    .globl regs_clobber
    .type regs_clobber, @function
regs_clobber:
    push %r12
    mov %esi, %r12d
    mov %rdi, %rsi
    call load_all
    pop %r12
    ret
    .size regs_clobber, . - regs_clobber

/* void regs_signal_entry(int sig, siginfo_t *info, void *context) */
    .globl regs_signal_entry
    .type regs_signal_entry, @function
regs_signal_entry:
    push %rbp
    mov %rsp, %rbp
    push %r12
    push %rbx
    sub $REGS_SIZE + 8, %rsp
    mov %edi, %ebx
    mov %rdx, %r8
    mov regs_handler_features(%rip), %r12d
    mov %rsp, %rdi
    movw $0, REGS_ST_COUNT(%rdi)
    call store_all
    mov %ebx, %edi
    mov %r8, %rdx
    mov %rsp, %rcx
    call *regs_signal_handler(%rip)
    lea -16(%rbp), %rsp
    pop %rbx
    pop %r12
    pop %rbp
    ret
    .size regs_signal_entry, . - regs_signal_entry

    .section .note.GNU-stack, "", @progbits
