/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libdsa.h"
#include "libtap.h"

#define PORTAL_SIZE 4096
#define TIMEOUT_SECONDS 60

bool dsa_open(struct dsa *d, const char *path)
{
    d->turn = 0;
    d->fd = open(path, O_RDWR | O_CLOEXEC);
    if (d->fd < 0) {
        return false;
    }
    d->portal = mmap(NULL, PORTAL_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                     d->fd, 0);
    if (d->portal == MAP_FAILED) {
        int saved = errno;

        close(d->fd);
        errno = saved;
        return false;
    }
    return true;
}

void dsa_close(struct dsa *d)
{
    munmap((void *)d->portal, PORTAL_SIZE);
    close(d->fd);
}

/* MOVDIR64B: 64 bytes from @source to @target in one write */
static void movdir64b(volatile void *target, const void *source)
{
    asm volatile("sfence\n\t"
                 ".byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
                 : : "a" (target), "d" (source) : "memory");
}

struct dsa_desc dsa_prepare(unsigned opcode, unsigned flags,
                            struct dsa_record *record)
{
    struct dsa_desc desc = {
        .opcode = opcode,
        .flags = flags | DSA_F_RECORD_VALID | DSA_F_RECORD,
        .record = (uintptr_t)record,
    };

    return desc;
}

void dsa_submit(struct dsa *d, const struct dsa_desc *desc)
{
    if ((desc->flags & DSA_F_RECORD_VALID) && !(desc->record & 31)) {
        memset((void *)(uintptr_t)desc->record, 0, sizeof(struct dsa_record));
    }
    /* a different place each time lets several writes be on their way */
    movdir64b(d->portal + 64 * (d->turn++ % (PORTAL_SIZE / 64)), desc);
}

unsigned dsa_wait(const struct dsa_record *record)
{
    /* volatile: the accelerator writes it */
    const volatile uint8_t *status = &record->status;
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!*status) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec > TIMEOUT_SECONDS) {
            return 0;
        }
        sched_yield();
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return *status;
}

unsigned dsa_run(struct dsa *d, const struct dsa_desc *desc)
{
    dsa_submit(d, desc);
    return dsa_wait((struct dsa_record *)(uintptr_t)desc->record);
}

const char *dsa_expect(const struct dsa_record *record, unsigned status,
                       unsigned expected)
{
    if (status == expected) {
        return NULL;
    }
    if (!status) {
        return "no completion record came";
    }
    return tap_why("status 0x%x instead of 0x%x, result %u, %u done, "
                   "fault address 0x%llx, word 0x%llx", status, expected,
                   record->result, record->done,
                   (unsigned long long)record->fault_address,
                   (unsigned long long)record->crc);
}

/* A page fault by the processor, contents unchanged */
static void touch(uint64_t address, bool write)
{
    /* volatile: the access is what counts */
    volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)address;

    if (write) {
        __atomic_fetch_or(byte, 0, __ATOMIC_RELAXED);
    } else {
        (void)*byte;
    }
}

unsigned dsa_run_touching(struct dsa *d, const struct dsa_desc *first,
                          unsigned *stops)
{
    const struct dsa_record *record =
        (struct dsa_record *)(uintptr_t)first->record;
    struct dsa_desc desc = *first;
    unsigned status;

    for (*stops = 0; ; ++*stops) {
        status = dsa_run(d, &desc);
        if ((status & DSA_STATUS_MASK) != DSA_FAULT || !desc.size ||
            record->done > desc.size) {
            return status;
        }
        touch(record->fault_address, status & DSA_STATUS_WRITE);
        if (desc.opcode != DSA_FILL && !record->result) {
            desc.src += record->done;
        }
        if (!record->result) {      /* else the rest lies at the front */
            desc.dst += record->done;
        }
        desc.size -= record->done;
    }
}
