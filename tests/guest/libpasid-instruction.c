/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ENQCMD as one task sees it. */
#include <string.h>
#include <sys/mman.h>

#include "libpasid.h"
#include "libtap.h"

#define PASID 0x12345

static uint32_t command[16] __attribute__((aligned(64)));

/* ENQCMD of @from to @to gives @expected. */
static const char *gives(volatile void *to, const void *from,
                         enum enq expected)
{
    enum enq result = enqcmd(to, from);

    return result == expected ? NULL :
           tap_why("%s, expected %s", enq_names[result], enq_names[expected]);
}

static const char *values(struct pasid_env *e)
{
    static const uint32_t pasids[] = { PASID, 0, 1, PASID_MASK };
    const char *why = NULL;

    for (unsigned i = 0; i < 4 && !why; i++) {
        why = pasid_set(e, pasids[i]);
        why = why ? why : pasid_is(e, PASID_VALID | pasids[i]);
        why = why ? why : pasid_submits(e, SLOT_MAIN, pasids[i]);
    }
    return why;
}

static const char *invalid(struct pasid_env *e)
{
    if (!cputest_set_pasid(e->fd, PASID)) {
        return "a PASID without the valid bit cannot be written";
    }
    return gives(e->device.portals, command, ENQ_FAULT);
}

static const char *reserved(struct pasid_env *e)
{
    const char *why = pasid_set(e, PASID);

    for (unsigned bit = 20; bit < 64 && !why; bit++) {
        if (bit != 31 && cputest_set_pasid(e->fd, PASID_VALID | 1ull << bit)) {
            why = tap_why("bit %u of IA32_PASID can be set", bit);
        }
    }
    return why ? why : pasid_is(e, PASID_VALID | PASID);
}

static const char *retry(struct pasid_env *e)
{
    uint32_t writes = testdev_read(&e->device, TD_DEFERRABLE);
    uint32_t before[16], after[16];
    const char *why;

    testdev_slot(&e->device, SLOT_OTHER, before);
    testdev_write(&e->device, TD_ANSWER, 1);
    why = gives(e->device.portals + SLOT_OTHER * TD_SLOT, command, ENQ_RETRY);
    testdev_write(&e->device, TD_ANSWER, 0);
    testdev_slot(&e->device, SLOT_OTHER, after);
    if (!why && testdev_read(&e->device, TD_DEFERRABLE) != writes + 1) {
        why = "the command did not come to the device";
    }
    if (!why && memcmp(before, after, sizeof(before))) {
        why = "the device took it nevertheless";
    }
    return why ? why : pasid_submits(e, SLOT_OTHER, PASID);
}

static const char *locked(struct pasid_env *e)
{
    uint32_t seen[16];
    const char *why = gives(e->device.portals + TD_LOCKED +
                            SLOT_OTHER * TD_SLOT, command, ENQ_ACCEPTED);

    testdev_slot(&e->device, SLOT_OTHER, seen);
    if (!why && seen[0] != PASID) {
        why = tap_why("double word 0 arrived as 0x%x", seen[0]);
    }
    return why;
}

static const char *memory(struct pasid_env *e)
{
    static uint32_t target[16] __attribute__((aligned(64)));
    const char *why;

    (void)e;
    memset(target, 0x5a, sizeof(target));
    why = gives(target, command, ENQ_RETRY);
    for (unsigned i = 0; i < 16 && !why; i++) {
        if (target[i] != 0x5a5a5a5a) {
            why = "memory was written";
        }
    }
    return why;
}

static const char *no_target(struct pasid_env *e)
{
    uint32_t pieces = testdev_read(&e->device, TD_PIECES);
    const char *why = gives(e->device.portals + TD_ORDINARY, command,
                            ENQ_RETRY);

    why = why ? why : gives(e->device.portals + TD_NOTHING, command,
                            ENQ_RETRY);
    if (!why && testdev_read(&e->device, TD_PIECES) != pieces) {
        why = "the ordinary region was written";
    }
    return why;
}

static const char *low_bits(struct pasid_env *e)
{
    uint32_t data[16] = { 0 };
    const char *why = NULL;

    for (unsigned bit = 0; bit < 32 && !why; bit++) {
        data[0] = 1u << bit;
        why = gives(e->device.portals, data, ENQ_FAULT);
        why = why ? tap_why("bit %u: %s", bit, why) : NULL;
    }
    return why;
}

static const char *misaligned(struct pasid_env *e)
{
    const char *why = NULL;

    for (unsigned offset = 1; offset < 64 && !why; offset++) {
        why = gives(e->device.portals + offset, command, ENQ_FAULT);
        why = why ? tap_why("offset %u: %s", offset, why) : NULL;
    }
    return why;
}

static const char *read_only(struct pasid_env *e)
{
    return gives((void *)e->device.portals_ro, command, ENQ_FAULT);
}

/* An unaligned source in two pages; then the second one is gone */
static const char *source(struct pasid_env *e)
{
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t seen[16];
    const char *why;

    memset(pages, 0x11, 8192);
    memset(pages + 4096 - 21, 0, 4);
    why = gives(e->device.portals, pages + 4096 - 21, ENQ_ACCEPTED);
    testdev_slot(&e->device, 0, seen);
    for (unsigned i = 0; i < 16 && !why; i++) {
        if (seen[i] != (i ? 0x11111111 : PASID)) {
            why = tap_why("double word %u arrived as 0x%x", i, seen[i]);
        }
    }
    munmap(pages + 4096, 4096);
    why = why ? why : gives(e->device.portals, pages + 4096 - 21, ENQ_FAULT);
    munmap(pages, 4096);
    return why;
}

static const char *cleared(struct pasid_env *e)
{
    const char *why = pasid_clear(e);

    return why ? why : pasid_refused(e, SLOT_MAIN);
}

void test_pasid_instruction(struct pasid_env *e)
{
    tap_result(pasid_refused(e, SLOT_MAIN), "no PASID: SIGSEGV");
    tap_result(values(e), "with a PASID commands arrive, with it inside");
    tap_result(invalid(e), "a PASID that is not valid: SIGSEGV");
    tap_result(reserved(e), "reserved bits of IA32_PASID cannot be set");
    tap_result(retry(e), "a device that is full: ZF=1, accepted later");
    tap_result(locked(e), "a region that needs the big lock takes commands");
    tap_result(memory(e), "memory takes none: ZF=1, nothing is written");
    tap_result(no_target(e), "nor do ordinary and missing regions: ZF=1");
    tap_result(low_bits(e), "any bit in the PASID's place: SIGSEGV");
    tap_result(misaligned(e), "misaligned: SIGSEGV");
    tap_result(read_only(e), "a portal mapped read-only: SIGSEGV");
    tap_result(source(e), "a source at any place; SIGSEGV if it is not there");
    tap_result(cleared(e), "the PASID taken away: SIGSEGV");
}
