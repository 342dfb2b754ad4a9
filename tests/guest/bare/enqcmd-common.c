/*
 * Enqueue stores: what the tests of both modes share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "enqcmd.h"

static int judge(int vector, const Op *op)
{
    if (vector != NO_FAULT) {
        return vector;
    }
    switch (op->flags & FLAGS) {
    case 0:
        return NO_FAULT;
    case ZF:
        return REFUSED;
    default:
        note("flags %x", (unsigned)op->flags);
        return BAD_FLAGS;
    }
}

int enqueue(void (*fn)(void *), void *dst, const void *src)
{
    Op op = { .dst = dst, .src = src, .flags = FLAGS | 2 };

    return judge(guarded_call(fn, &op), &op);
}

int enqueue_user(void (*fn)(void *), void *dst, const void *src)
{
    static Op op;               /* where user mode may write */

    op = (Op) { .dst = dst, .src = src, .flags = FLAGS | 2 };
    return judge(user_call(fn, &op), &op);
}

void fill_command(unsigned offset, uint32_t dword)
{
    fill();
    memcpy(source + offset, &dword, 4);
    testdev[CLEAR] = 0;
}

bool arrived(const void *dst, uint32_t dword, const uint8_t *src)
{
    const uint8_t *data = (const uint8_t *)(testdev + DATA);

    return testdev[DEFERRABLE] == 1 && testdev[ACCEPTED] == 1 &&
           testdev[POSTED] == 0 && testdev[PIECES] == 0 &&
           portals + testdev[OFFSET] == dst &&
           testdev[DATA] == dword && !memcmp(data + 4, src + 4, 60);
}

bool untouched(void)
{
    return testdev[DEFERRABLE] == 0 && testdev[POSTED] == 0 &&
           testdev[PIECES] == 0;
}

void set_pasid(uint32_t val)
{
    wrmsr(IA32_PASID, val);
}

void check_enqcmd_cpuid(void)
{
    bool want = !option("absent");
    uint32_t regs[4];

    cpuid(7, 0, regs);
    check(!!(regs[2] & HAS_ENQCMD) == want, "CPUID: ENQCMD %s",
          want ? "present" : "absent");
}
