/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /dev/cputest offers to programs; see cputest.c. */
#ifndef CPUTEST_H
#define CPUTEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Set or read the caller's IA32_PASID: EAGAIN means try again at once. */
#define CPUTEST_SET_PASID _IOW('c', 1, __u64)
#define CPUTEST_GET_PASID _IOR('c', 2, __u64)

/* The kernel uses vector registers, with a pattern made of the number. */
#define CPUTEST_KERNEL_FPU _IOW('c', 3, __u64)

/* IA32_XSS of the processor the caller is on. */
#define CPUTEST_GET_XSS _IOR('c', 4, __u64)

#endif
