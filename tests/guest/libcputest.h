/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/cputest, ENQCMD, and the test device that records 64-byte writes. */
#ifndef LIBCPUTEST_H
#define LIBCPUTEST_H

#include <stdbool.h>
#include <stdint.h>

#define PASID_VALID (1u << 31)      /* of IA32_PASID */
#define PASID_MASK 0xfffffu

/* Opens /dev/cputest; -1 if there is none. */
int cputest_open(void);

/* The calling task's IA32_PASID. False if the processor refuses. */
bool cputest_set_pasid(int fd, uint64_t value);
bool cputest_get_pasid(int fd, uint64_t *value);

/* IA32_XSS of some processor: Linux has the same on all */
bool cputest_get_xss(int fd, uint64_t *value);

/* What came of an ENQCMD */
enum enq {
    ENQ_ACCEPTED,       /* ZF = 0 */
    ENQ_RETRY,          /* ZF = 1 */
    ENQ_FLAGS,          /* CF, PF, AF, SF or OF was not cleared */
    ENQ_FAULT,          /* SIGSEGV */
};

/*
 * ENQCMD from @from to @to with all status flags set before it. It may fault
 * once enq_catch() has been called.
 */
enum enq enqcmd(volatile void *to, const void *from);

/* Handle SIGSEGV of enqcmd(): for the whole process, may be called again. */
void enq_catch(void);

/*
 * The signal context's instruction is that of enqcmd(): step over it and make
 * the function return ENQ_FAULT. For handlers of one's own.
 */
bool enq_step_over(void *context);

extern const char *const enq_names[];

/*
 * Of enqcmd(), for its handler: the flags after the instruction, which is at
 * enqcmd_insn; enqcmd_next returns from the function.
 */
unsigned long enqcmd_flags(volatile void *to, const void *from);
extern const char enqcmd_insn[], enqcmd_next[];

/* dmwr-testdev: registers of BAR 0 and offsets in BAR 2 */
enum {
    TD_POSTED = 0x00,
    TD_DEFERRABLE = 0x04,
    TD_PIECES = 0x08,
    TD_ANSWER = 0x14,
    TD_CLEAR = 0x18,
    TD_SLOTS = 0x1000,      /* 64 records of 64 bytes */

    TD_LOCKLESS = 0x0000,
    TD_LOCKED = 0x1000,
    TD_ORDINARY = 0x2000,
    TD_NOTHING = 0x3000,

    TD_SLOT = 64,           /* bytes */
};

struct testdev {
    volatile uint8_t *regs;                 /* volatile: BAR 0 */
    volatile uint8_t *portals;              /* volatile: BAR 2 */
    const volatile uint8_t *portals_ro;     /* the same, read-only */
};

/* Finds and maps the device; false, with a message, if there is none. */
bool testdev_open(struct testdev *t);

uint32_t testdev_read(const struct testdev *t, unsigned reg);
void testdev_write(const struct testdev *t, unsigned reg, uint32_t value);

/* The last accepted write to slot @slot of any portal page */
void testdev_slot(const struct testdev *t, unsigned slot, uint32_t data[16]);

#endif
