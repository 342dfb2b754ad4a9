/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpasid.h"
#include "libtap.h"

const char *pasid_set(const struct pasid_env *e, uint32_t pasid)
{
    return cputest_set_pasid(e->fd, PASID_VALID | pasid) ? NULL :
           "IA32_PASID cannot be written";
}

const char *pasid_clear(const struct pasid_env *e)
{
    return cputest_set_pasid(e->fd, 0) ? NULL : "IA32_PASID cannot be cleared";
}

const char *pasid_is(const struct pasid_env *e, uint64_t value)
{
    uint64_t is = 0;

    if (!cputest_get_pasid(e->fd, &is)) {
        return "IA32_PASID cannot be read";
    }
    return is == value ? NULL :
           tap_why("IA32_PASID is 0x%llx, expected 0x%llx",
                   (unsigned long long)is, (unsigned long long)value);
}

/* A command: every double word but the first its own */
static void fill(uint32_t data[16], unsigned slot)
{
    static __thread uint32_t serial;

    serial++;
    for (unsigned i = 0; i < 16; i++) {
        data[i] = slot << 24 | i << 20 | (serial & 0xfffff);
    }
    data[0] = 0;
}

const char *pasid_submits(const struct pasid_env *e, unsigned slot,
                          uint32_t pasid)
{
    /* volatile: a device's memory */
    volatile uint8_t *to = e->device.portals + TD_LOCKLESS + slot * TD_SLOT;
    uint32_t sent[16] __attribute__((aligned(64))), seen[16];
    enum enq result;

    fill(sent, slot);
    result = enqcmd(to, sent);
    if (result != ENQ_ACCEPTED) {
        return tap_why("ENQCMD: %s, expected %s", enq_names[result],
                       enq_names[ENQ_ACCEPTED]);
    }
    testdev_slot(&e->device, slot, seen);
    sent[0] = pasid;
    for (unsigned i = 0; i < 16; i++) {
        if (seen[i] != sent[i]) {
            return tap_why("slot %u, double word %u arrived as 0x%x, "
                           "expected 0x%x", slot, i, seen[i], sent[i]);
        }
    }
    return NULL;
}

const char *pasid_refused(const struct pasid_env *e, unsigned slot)
{
    /* volatile: a device's memory */
    volatile uint8_t *to = e->device.portals + TD_LOCKLESS + slot * TD_SLOT;
    uint32_t sent[16] __attribute__((aligned(64))), before[16], after[16];
    const char *why = pasid_is(e, 0);
    enum enq result;

    if (why) {
        return why;
    }
    fill(sent, slot);
    testdev_slot(&e->device, slot, before);
    result = enqcmd(to, sent);
    if (result != ENQ_FAULT) {
        return tap_why("ENQCMD: %s, expected %s", enq_names[result],
                       enq_names[ENQ_FAULT]);
    }
    testdev_slot(&e->device, slot, after);
    return memcmp(before, after, sizeof(before)) ?
           "a refused command arrived" : NULL;
}

const char *pasid_child(struct pasid_env *e, uint32_t pasid,
                        const char *(*test)(struct pasid_env *e))
{
    static char text[256];
    const char *why;
    int ends[2], status;
    ssize_t size;
    pid_t child;

    if (pipe(ends)) {
        return "no pipe";
    }
    child = fork();
    if (child < 0) {
        return "no child";
    }
    if (child == 0) {
        why = pasid ? pasid_set(e, pasid) : NULL;
        why = why ? why : test(e);
        if (why && write(ends[1], why, strlen(why)) < 0) {
            _exit(2);
        }
        _exit(why != NULL);
    }
    close(ends[1]);
    size = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    if (waitpid(child, &status, 0) != child || status) {
        text[size > 0 ? size : 0] = '\0';
        return tap_why("in the child (status 0x%x): %s", status, text);
    }
    return NULL;
}
