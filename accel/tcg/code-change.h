/*
 * Code that one vCPU changes while another translates it
 *
 * The base takes a translation away when its code is written: a page that has
 * translations is protected, and a store to a protected page first removes
 * those it overlaps. With a thread per vCPU that leaves gaps:
 *
 * - between that removal and the store another vCPU may translate what is
 *   about to be overwritten;
 * - a page is protected only after it was read, so a store in between goes
 *   by unnoticed;
 * - protection may come just when a TLB entry for the page is filled in, loses
 *   its mark or goes to or from the victim TLB, and pass it over.
 *
 * The translation is of the old code then and stays. Operating systems change
 * code that others are executing (Linux: static keys, kprobes), and rely on
 * SDM vol. 3, 10.1.3: who has serialized after the change executes the new.
 *
 * What closes the gaps: a page is protected before it is read; who fills in a
 * TLB entry or takes its mark away looks at the protection afterwards; an entry
 * is moved with all that belongs to it in one piece; and who has stored on the
 * slow path looks at the TLB entry afterwards, and removes translations once
 * more if it is marked. Each side writes first, then has a full barrier, then
 * reads what the other side writes.
 *
 * Not covered:
 *
 * - a store in generated code, on the fast path, that comes to a halt between
 *   the look into the TLB and the store (the host takes its processor away, or
 *   has to bring in the page), while another vCPU makes the first translation
 *   in a page without any. Nothing but stopping all vCPUs would wait for it.
 * - stores of helper functions by probe_access(): on x86 the FXSAVE, XSAVE and
 *   FSAVE families, FSTENV, FSTP of 80 bits, FBSTP and the task switch.
 *   MOVDIR64B to RAM stops the other vCPUs anyway.
 * - memory_region_set_dirty(), by which a few devices take protection away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_CODE_CHANGE_H
#define ACCEL_TCG_CODE_CHANGE_H

#include "exec/translation-block.h"

/**
 * code_read_begins: protect a page before it is read for translation.
 * @addr: any address in the page, or -1 for what is not RAM
 *
 * The vCPU's thread, with the page's lock held. User mode protects pages by
 * the host's means.
 */
#ifdef CONFIG_USER_ONLY
static inline void code_read_begins(tb_page_addr_t addr)
{
}
#else
void code_read_begins(tb_page_addr_t addr);
#endif

#endif /* ACCEL_TCG_CODE_CHANGE_H */
