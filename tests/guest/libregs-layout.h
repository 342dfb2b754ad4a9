/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Struct regs and struct hold of libregs.h, for C and for assembly. */
#ifndef LIBREGS_LAYOUT_H
#define LIBREGS_LAYOUT_H

#define REGS_ST 512
#define REGS_MXCSR 640
#define REGS_PKRU 644
#define REGS_FCW 648
#define REGS_ST_COUNT 650
#define REGS_ENV 652
#define REGS_SIZE 680

#define HOLD_IN 0
#define HOLD_OUT 8
#define HOLD_NR 16
#define HOLD_ARG 24
#define HOLD_COUNT 72
#define HOLD_SPIN 80
#define HOLD_RESULT 88
#define HOLD_FEATURES 96
#define HOLD_CALL 104

#define REGS_AVX 1
#define REGS_PKU 2

#endif
