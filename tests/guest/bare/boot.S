/*
 * Start of a bare-metal test: from the multiboot loader's 32-bit protected mode
 * to bare_main(), in 64-bit or in 32-bit mode, and the way of exceptions into
 * guarded_call()
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "selectors.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_ADDRESSES 0x10000 /* the fields from header_addr on count */

        .section .multiboot, "a"
        .balign 4
header:
        .long   MULTIBOOT_MAGIC
        .long   MULTIBOOT_ADDRESSES
        .long   -(MULTIBOOT_MAGIC + MULTIBOOT_ADDRESSES)
        .long   header
        .long   image_start
        .long   image_load_end
        .long   image_end
        .long   entry

        .bss
        .balign 4096
#if BARE_BITS == 64
pml4:   .skip   4096
pdpt:   .skip   4096
pd:     .skip   4 * 4096        /* 4 GiB in pages of 2 MiB, to themselves */
window_pd:
        .skip   4096
        .globl  pml4, pdpt, pd
        .globl  window_pt       /* the test's own pages, see bare.h */
window_pt:
        .skip   4096
#endif
        .skip   16384
stack_top:
        .skip   4096
ap_stack_top:
        .skip   4096
        .globl  user_stack_top, ring0_stack_top
user_stack_top:
        .skip   4096
ring0_stack_top:                /* where an exception of user mode begins */

        .section .text
        .code32
        .globl  entry
entry:
        cli
        cld
        mov     $stack_top, %esp
        mov     %ebx, %ebp      /* the multiboot information */
        lgdt    gdt_pointer
#if BARE_BITS == 64
#define PRESENT_WRITE 3
#define LARGE 0x80
        movl    $pdpt + PRESENT_WRITE, pml4
        movl    $window_pd + PRESENT_WRITE, pdpt + 256 * 8
        movl    $window_pt + PRESENT_WRITE, window_pd
        mov     $4, %ecx
        mov     $pd + PRESENT_WRITE, %eax
        mov     $pdpt, %edi
1:      mov     %eax, (%edi)
        add     $4096, %eax
        add     $8, %edi
        loop    1b
        mov     $4 * 512, %ecx
        mov     $PRESENT_WRITE + LARGE, %eax
        mov     $pd, %edi
2:      mov     %eax, (%edi)
        add     $0x200000, %eax
        add     $8, %edi
        loop    2b

enter_mode:
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $0x20, %eax             /* CR4.PAE */
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx       /* EFER.LME */
        rdmsr
        or      $0x100, %eax
        wrmsr
        mov     $0x80010001, %eax       /* CR0: PG, WP, PE */
        mov     %eax, %cr0
        ljmp    $0x18, $start
        .code64
#else
enter_mode:
        ljmp    $0x08, $start
#endif
start:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     %eax, %fs
        mov     %eax, %gs
        test    %ebp, %ebp
        jz      ap_start
#if BARE_BITS == 64
        mov     %ebp, %edi
        call    bare_start
#else
        push    %ebp
        call    bare_start
#endif
1:      hlt
        jmp     1b

ap_start:
        mov     ap_function, %eax
#if BARE_BITS == 64
        call    *%rax
#else
        call    *%eax
#endif
1:      hlt
        jmp     1b

/*
 * Where a second processor starts, in real mode. Copied below 1 MiB, where
 * its code segment begins at the first byte.
 */
        .code16
        .globl  ap_trampoline, ap_trampoline_end
ap_trampoline:
        cli
        mov     %cs, %ax
        mov     %ax, %ds
        lgdtl   1f - ap_trampoline
        mov     %cr0, %eax
        or      $1, %eax
        mov     %eax, %cr0
        ljmpl   $0x08, $2f
1:      .word   gdt_pointer - gdt - 1
        .long   gdt
ap_trampoline_end:

        .code32
2:      mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %ss
        mov     $ap_stack_top, %esp
        xor     %ebp, %ebp
        jmp     enter_mode
#if BARE_BITS == 64
        .code64
#endif

/*
 * int guarded_call(void (*fn)(void *), void *arg)
 * An exception in fn comes back here as guarded_call()'s return value.
 */
        .globl  guarded_call
guarded_call:
#if BARE_BITS == 64
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     %rsp, guard_sp
        mov     %rdi, %rax
        mov     %rsi, %rdi
        call    *%rax
        mov     $-1, %eax
guard_return:
        movq    $0, guard_sp
        add     $8, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
#else
        mov     4(%esp), %eax
        mov     8(%esp), %ecx
        push    %ebx
        push    %ebp
        push    %esi
        push    %edi
        mov     %esp, guard_sp
        push    %ecx
        call    *%eax
        add     $4, %esp
        mov     $-1, %eax
guard_return:
        movl    $0, guard_sp
        mov     $0x10, %ecx
        mov     %ecx, %ds
        mov     %ecx, %es
        mov     %ecx, %gs
        pop     %edi
        pop     %esi
        pop     %ebp
        pop     %ebx
        ret
#endif

/*
 * int user_enter(void (*fn)(void *), void *arg)
 * guarded_call() at privilege level 3. A fn that returns comes to user_done,
 * whose #UD is the way back.
 */
        .globl  user_enter, user_done
user_enter:
#if BARE_BITS == 64
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     %rsp, guard_sp
        mov     $user_stack_top - 8, %eax
        movq    $user_done, (%rax)
        push    $USER_DATA
        push    %rax
        push    $2                      /* RFLAGS */
        push    $USER_CODE
        push    %rdi
        mov     %rsi, %rdi
        iretq
#else
        mov     4(%esp), %edx
        mov     8(%esp), %ecx
        push    %ebx
        push    %ebp
        push    %esi
        push    %edi
        mov     %esp, guard_sp
        mov     $user_stack_top - 8, %eax
        movl    $user_done, (%eax)
        mov     %ecx, 4(%eax)
        push    $USER_DATA
        push    %eax
        push    $2                      /* EFLAGS */
        push    $USER_CODE
        push    %edx
        mov     $USER_DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        iret
#endif
user_done:
        ud2

/* One entry for each of the 32 exceptions, 16 bytes each */
        .globl  exception_entries
        .balign 16
exception_entries:
        .set    vector, 0
        .rept   32
        .balign 16
        /* those with an error code: 8, 10 to 14, 17, 21, 29, 30 */
        .if     !((0x60227d00 >> vector) & 1)
        push    $0
        .endif
        push    $vector
        jmp     exception
        .set    vector, vector + 1
        .endr

exception:
        cld
#if BARE_BITS == 64
        pop     %rax
        pop     fault + 8
        mov     %rax, fault
        mov     (%rsp), %rcx
        mov     %rcx, fault + 16
        mov     %cr2, %rcx
        mov     %rcx, fault + 24
        cmpq    $0, guard_sp
        je      exception_fatal
        mov     guard_sp, %rsp
#else
        mov     $0x10, %eax
        mov     %eax, %ds
        pop     %eax
        pop     fault + 4
        mov     %eax, fault
        mov     (%esp), %ecx
        mov     %ecx, fault + 8
        mov     %cr2, %ecx
        mov     %ecx, fault + 12
        cmpl    $0, guard_sp
        je      exception_fatal
        mov     guard_sp, %esp
#endif
        jmp     guard_return

        .data
        .balign 8
        .globl  gdt
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 0x08: 32-bit code */
        .quad   0x00cf93000000ffff      /* 0x10: data */
        .quad   0x00af9b000000ffff      /* 0x18: 64-bit code */
        .quad   0x00cf93000000ffff      /* 0x20: data, for the test to change */
#if BARE_BITS == 64
        .quad   0x00cffb000000ffff      /* 0x28: 32-bit user code */
        .quad   0x00affb000000ffff      /* 0x30: user code */
#else
        .quad   0
        .quad   0x00cffb000000ffff
#endif
        .quad   0x00cff3000000ffff      /* 0x38: user data */
        .quad   0, 0                    /* 0x40: TSS, by user_call() */
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
        .long   0
        .balign 8
guard_sp:
        .quad   0
        .globl  ap_function
ap_function:
        .quad   0

        .section .note.GNU-stack, "", @progbits
