// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cputest: what a program cannot do itself when it tests a processor.
 *
 * /dev/cputest sets IA32_PASID for the calling task without any IOMMU or
 * driver that would own a PASID, reads IA32_PASID and IA32_XSS, and has the
 * kernel use vector registers between kernel_fpu_begin() and kernel_fpu_end().
 *
 * IA32_PASID is part of a task's extended state. As long as that state is in
 * the registers, writing the MSR changes the task's value and the next XSAVES
 * keeps it. If the state is in memory (the task was switched out on its way
 * here), a write would be undone by the XRSTORS to come: the call fails with
 * EAGAIN then, and the next one finds the registers loaded.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/msr.h>

#include "cputest.h"

#define IA32_PASID 0xd93
#define IA32_XSS 0xda0
#define VECTORS 4
#define FPU_ROUNDS 20

/* access_pasid() - read or write the MSR while the task's state is live */
static long access_pasid(bool write, u64 *value)
{
	u32 low = lower_32_bits(*value), high = upper_32_bits(*value);
	long rc = -EAGAIN;

	fpregs_lock();
	if (!test_thread_flag(TIF_NEED_FPU_LOAD)) {
		if (write) {
			rc = wrmsr_safe(IA32_PASID, low, high);
		} else {
			rc = rdmsr_safe(IA32_PASID, &low, &high);
		}
		rc = rc ? -EIO : 0;
	}
	fpregs_unlock();
	*value = (u64)high << 32 | low;
	return rc;
}

static long read_xss(u64 *value)
{
	u32 low = 0, high = 0;

	if (rdmsr_safe(IA32_XSS, &low, &high)) {
		return -EIO;
	}
	*value = (u64)high << 32 | low;
	return 0;
}

/*
 * Vector registers 0-3 and 12-15: load, then see whether they stay. Rounds of
 * a few thousand instructions let interrupts come in between.
 */
static noinline bool vectors_stay(const u64 *in, u64 *out, bool avx)
{
	uint i;

	if (avx) {
		asm volatile("vmovdqu (%0), %%ymm0\n\t"
			     "vmovdqu 32(%0), %%ymm3\n\t"
			     "vmovdqu 64(%0), %%ymm12\n\t"
			     "vmovdqu 96(%0), %%ymm15" : : "r" (in) : "memory");
	} else {
		asm volatile("movdqu (%0), %%xmm0\n\t"
			     "movdqu 32(%0), %%xmm3\n\t"
			     "movdqu 64(%0), %%xmm12\n\t"
			     "movdqu 96(%0), %%xmm15" : : "r" (in) : "memory");
	}
	for (i = 0; i < 500; i++) {
		cpu_relax();
	}
	if (avx) {
		asm volatile("vmovdqu %%ymm0, (%0)\n\t"
			     "vmovdqu %%ymm3, 32(%0)\n\t"
			     "vmovdqu %%ymm12, 64(%0)\n\t"
			     "vmovdqu %%ymm15, 96(%0)" : : "r" (out) : "memory");
	} else {
		asm volatile("movdqu %%xmm0, (%0)\n\t"
			     "movdqu %%xmm3, 32(%0)\n\t"
			     "movdqu %%xmm12, 64(%0)\n\t"
			     "movdqu %%xmm15, 96(%0)" : : "r" (out) : "memory");
	}
	for (i = 0; i < VECTORS * 4; i++) {
		if ((avx || i % 4 < 2) && in[i] != out[i]) {
			return false;
		}
	}
	return true;
}

static long kernel_fpu(u64 *seed)
{
	u64 in[VECTORS * 4], out[VECTORS * 4] = { 0 };
	bool avx = boot_cpu_has(X86_FEATURE_AVX), good = true;
	uint round, i;

	for (round = 0; round < FPU_ROUNDS && good; round++) {
		for (i = 0; i < VECTORS * 4; i++) {
			in[i] = (*seed + round) * 0x9e3779b97f4a7c15ull + i;
		}
		kernel_fpu_begin();
		good = vectors_stay(in, out, avx);
		kernel_fpu_end();
	}
	return good ? 0 : -EILSEQ;
}

static long cputest_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	void __user *user = (void __user *)arg;
	u64 value = 0;
	long rc;

	if ((_IOC_DIR(cmd) & _IOC_WRITE) &&
	    copy_from_user(&value, user, sizeof(value))) {
		return -EFAULT;
	}
	switch (cmd) {
	case CPUTEST_SET_PASID:
	case CPUTEST_GET_PASID:
		rc = access_pasid(cmd == CPUTEST_SET_PASID, &value);
		break;
	case CPUTEST_KERNEL_FPU:
		rc = kernel_fpu(&value);
		break;
	case CPUTEST_GET_XSS:
		rc = read_xss(&value);
		break;
	default:
		return -ENOTTY;
	}
	if (!rc && (_IOC_DIR(cmd) & _IOC_READ) &&
	    copy_to_user(user, &value, sizeof(value))) {
		rc = -EFAULT;
	}
	return rc;
}

static const struct file_operations cputest_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = cputest_ioctl,
};

static struct miscdevice cputest_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cputest",
	.mode = 0666,
	.fops = &cputest_fops,
};
module_misc_device(cputest_misc);
MODULE_DESCRIPTION("IA32_PASID and kernel vector use, for tests");
MODULE_LICENSE("GPL");
