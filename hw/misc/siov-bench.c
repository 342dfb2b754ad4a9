/*
 * siov-bench: a PCI device that does DMA in a loop and times itself.
 *
 * A device for measuring, not for guests: what an access through an IOMMU
 * costs a device model can only be seen from inside the process, so the loop
 * runs here, on the same path as any device's DMA. tests/bench/ drives it.
 *
 * Registers (BAR 0, 64-bit each):
 *   0x00 BASE        first bus address
 *   0x08 STRIDE      bytes from one access's address to the next
 *   0x10 COUNT       accesses before the address starts again at BASE
 *   0x18 LENGTH      bytes of an access; 0 only translates the address
 *   0x20 ACCESSES    how many accesses each thread does, at most 2^24
 *   0x28 THREADS     1 to 8
 *   0x30 RUN         a write starts the loop; reads 1 until it has ended. No
 *                    register may be written in between
 *   0x38 NS          read only: the run's time in ns, the slowest thread's:
 *                    of one thread the processor time, which other load of
 *                    the host leaves alone; of several the elapsed time,
 *                    which counts when they wait for each other
 *   0x40 ERRORS      read only: accesses that were refused
 *   0x48 OPERATION   what an access is: 0 DMA by this device, 1 a memcpy() of
 *                    LENGTH bytes in guest memory, the next of COUNT such
 *                    pieces each time, 2 submitting COUNT
 *                    descriptors to an accelerator's portal and waiting for
 *                    their completion records
 *   0x50 SOURCE      memcpy: guest-physical address
 *   0x58 TARGET      memcpy: guest-physical address
 *   0x60 PORTAL      submit: guest-physical address of the portal
 *   0x68 DESCRIPTORS submit: guest-physical address, 64 bytes each
 *   0x70 RECORDS     submit: guest-physical address, 32 bytes each
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/pci/dmwr.h"
#include "hw/pci/pci_device.h"
#include "migration/vmstate.h"
#include "system/address-spaces.h"
#include "system/dma.h"

#define TYPE_SIOV_BENCH "siov-bench"
OBJECT_DECLARE_SIMPLE_TYPE(SIOVBench, SIOV_BENCH)

#define BENCH_DEVICE_ID 0x51b0
#define BENCH_MAX_ACCESSES (1ULL << 24)
#define BENCH_MAX_LENGTH (1ULL << 22)
#define BENCH_MAX_THREADS 8

enum {
    BENCH_BASE, BENCH_STRIDE, BENCH_COUNT, BENCH_LENGTH, BENCH_ACCESSES,
    BENCH_THREADS, BENCH_RUN, BENCH_NS, BENCH_ERRORS, BENCH_OPERATION,
    BENCH_SOURCE, BENCH_TARGET, BENCH_PORTAL, BENCH_DESCRIPTORS, BENCH_RECORDS,
    BENCH_REGS,
};

enum { OPERATION_DMA, OPERATION_MEMCPY, OPERATION_SUBMIT };

#define DESCRIPTOR_SIZE 64
#define RECORD_SIZE 32
#define BENCH_MAX_DESCRIPTORS 128
#define RECORD_TIMEOUT_NS (10LL * NANOSECONDS_PER_SECOND)

struct SIOVBench {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    uint64_t regs[BENCH_REGS];
    QemuThread runner;
    bool started, running;
};

typedef struct BenchThread {
    SIOVBench *bench;
    QemuThread thread;
    QemuEvent *go;
    uint64_t ns, errors;
} BenchThread;

static bool bench_access(AddressSpace *as, uint64_t addr, void *buf,
                         uint64_t length)
{
    hwaddr xlat, len = 1;
    MemoryRegion *mr;

    if (length) {
        return address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, buf,
                                  length) == MEMTX_OK;
    }
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(as, addr, &xlat, &len, false,
                                 MEMTXATTRS_UNSPECIFIED);
    return memory_region_is_ram(mr);
}

static int64_t bench_clock(bool elapsed)
{
#ifdef CLOCK_THREAD_CPUTIME_ID
    struct timespec ts;

    if (!elapsed && !clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts)) {
        return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
    }
#endif
    return get_clock();
}

static void *bench_thread(void *opaque)
{
    BenchThread *t = opaque;
    const uint64_t *regs = t->bench->regs;
    AddressSpace *as = pci_get_address_space(&t->bench->parent_obj);
    g_autofree uint8_t *buf = g_malloc(MAX(regs[BENCH_LENGTH], 1));
    bool elapsed = regs[BENCH_THREADS] > 1;
    uint64_t position = 0;
    int64_t start;

    rcu_register_thread();
    qemu_event_wait(t->go);
    start = bench_clock(elapsed);
    for (uint64_t i = 0; i < regs[BENCH_ACCESSES]; i++) {
        if (!bench_access(as,
                          regs[BENCH_BASE] + position * regs[BENCH_STRIDE],
                          buf, regs[BENCH_LENGTH])) {
            t->errors++;
        }
        if (++position >= regs[BENCH_COUNT]) {
            position = 0;
        }
    }
    t->ns = bench_clock(elapsed) - start;
    rcu_unregister_thread();
    return NULL;
}

/* Host addresses of guest RAM for the length of a run, or NULL */
static void *bench_map(uint64_t addr, hwaddr len)
{
    hwaddr mapped = len;
    void *host = address_space_map(&address_space_memory, addr, &mapped, true,
                                   MEMTXATTRS_UNSPECIFIED);

    if (host && mapped < len) {
        address_space_unmap(&address_space_memory, host, mapped, true, 0);
        host = NULL;
    }
    return host;
}

static void bench_unmap(void *host, hwaddr len)
{
    if (host) {
        address_space_unmap(&address_space_memory, host, len, true, len);
    }
}

static void bench_memcpy(SIOVBench *s)
{
    uint64_t length = s->regs[BENCH_LENGTH];
    uint64_t count = MIN(MAX(s->regs[BENCH_COUNT], 1), BENCH_MAX_DESCRIPTORS);
    uint64_t area = count * length;
    void *source = bench_map(s->regs[BENCH_SOURCE], area);
    void *target = bench_map(s->regs[BENCH_TARGET], area);

    if (source && target) {
        int64_t start = get_clock();

        for (uint64_t i = 0; i < s->regs[BENCH_ACCESSES]; i++) {
            uint64_t offset = i % count * length;

            memcpy(target + offset, source + offset, length);
            barrier();
        }
        s->regs[BENCH_NS] = get_clock() - start;
    } else {
        s->regs[BENCH_ERRORS] = s->regs[BENCH_ACCESSES];
    }
    bench_unmap(source, area);
    bench_unmap(target, area);
}

/* One access: all descriptors out, then all records in */
static bool bench_submit_once(SIOVBench *s, uint8_t *descriptors,
                              uint8_t *records, unsigned count)
{
    int64_t deadline = get_clock() + RECORD_TIMEOUT_NS;

    for (unsigned i = 0; i < count; i++) {
        qatomic_set(&records[i * RECORD_SIZE], 0);
        address_space_dmwr(&address_space_memory,
                           s->regs[BENCH_PORTAL] + i * DESCRIPTOR_SIZE,
                           descriptors + i * DESCRIPTOR_SIZE, DMWR_POSTED,
                           MEMTXATTRS_UNSPECIFIED);
    }
    for (unsigned i = 0; i < count; i++) {
        uint8_t status;

        for (unsigned polls = 0;
             !(status = qatomic_load_acquire(&records[i * RECORD_SIZE]));
             polls++) {
            /* Looking at the clock is work, which a sibling thread may miss */
            if (polls % 1024 == 1023 && get_clock() > deadline) {
                return false;
            }
            cpu_relax();
        }
        if (status != 1) {
            return false;
        }
    }
    return true;
}

static void bench_submit(SIOVBench *s)
{
    unsigned count = MIN(s->regs[BENCH_COUNT], BENCH_MAX_DESCRIPTORS);
    uint8_t *descriptors = bench_map(s->regs[BENCH_DESCRIPTORS],
                                     count * DESCRIPTOR_SIZE);
    uint8_t *records = bench_map(s->regs[BENCH_RECORDS], count * RECORD_SIZE);
    int64_t start = get_clock();

    for (uint64_t i = 0; i < s->regs[BENCH_ACCESSES]; i++) {
        if (!descriptors || !records ||
            !bench_submit_once(s, descriptors, records, count)) {
            s->regs[BENCH_ERRORS] = s->regs[BENCH_ACCESSES] - i;
            break;
        }
    }
    s->regs[BENCH_NS] = get_clock() - start;
    bench_unmap(descriptors, count * DESCRIPTOR_SIZE);
    bench_unmap(records, count * RECORD_SIZE);
}

static void bench_dma(SIOVBench *s)
{
    BenchThread threads[BENCH_MAX_THREADS] = {};
    unsigned n = s->regs[BENCH_THREADS];
    QemuEvent go;

    qemu_event_init(&go, false);
    for (unsigned i = 0; i < n; i++) {
        threads[i].bench = s;
        threads[i].go = &go;
        qemu_thread_create(&threads[i].thread, "siov-bench-dma", bench_thread,
                           &threads[i], QEMU_THREAD_JOINABLE);
    }
    qemu_event_set(&go);
    for (unsigned i = 0; i < n; i++) {
        qemu_thread_join(&threads[i].thread);
        s->regs[BENCH_NS] = MAX(s->regs[BENCH_NS], threads[i].ns);
        s->regs[BENCH_ERRORS] += threads[i].errors;
    }
    qemu_event_destroy(&go);
}

/* Off the big lock, which other devices may need to do their part */
static void *bench_runner(void *opaque)
{
    static void (*const run[])(SIOVBench *s) = {
        [OPERATION_DMA] = bench_dma,
        [OPERATION_MEMCPY] = bench_memcpy,
        [OPERATION_SUBMIT] = bench_submit,
    };
    SIOVBench *s = opaque;

    rcu_register_thread();
    run[s->regs[BENCH_OPERATION]](s);
    qatomic_store_release(&s->running, false);
    rcu_unregister_thread();
    return NULL;
}

static void bench_join(SIOVBench *s)
{
    if (s->started) {
        qemu_thread_join(&s->runner);
        s->started = false;
    }
}

static void bench_start(SIOVBench *s)
{
    bench_join(s);
    s->regs[BENCH_NS] = 0;
    s->regs[BENCH_ERRORS] = 0;
    s->started = true;
    qatomic_set(&s->running, true);
    qemu_thread_create(&s->runner, "siov-bench", bench_runner, s,
                       QEMU_THREAD_JOINABLE);
}

static uint64_t bench_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    SIOVBench *s = opaque;
    unsigned reg = addr / 8;

    if (reg == BENCH_RUN) {
        return qatomic_load_acquire(&s->running);
    }
    return reg < BENCH_REGS ? s->regs[reg] : 0;
}

static void bench_mmio_write(void *opaque, hwaddr addr, uint64_t value,
                             unsigned size)
{
    static const uint64_t limit[BENCH_REGS] = {
        [BENCH_BASE] = UINT64_MAX,
        [BENCH_STRIDE] = UINT64_MAX,
        [BENCH_COUNT] = UINT64_MAX,
        [BENCH_LENGTH] = BENCH_MAX_LENGTH,
        [BENCH_ACCESSES] = BENCH_MAX_ACCESSES,
        [BENCH_THREADS] = BENCH_MAX_THREADS,
        [BENCH_OPERATION] = OPERATION_SUBMIT,
        [BENCH_SOURCE] = UINT64_MAX,
        [BENCH_TARGET] = UINT64_MAX,
        [BENCH_PORTAL] = UINT64_MAX,
        [BENCH_DESCRIPTORS] = UINT64_MAX,
        [BENCH_RECORDS] = UINT64_MAX,
    };
    SIOVBench *s = opaque;
    unsigned reg = addr / 8;

    if (qatomic_load_acquire(&s->running)) {
        return;
    }
    if (reg == BENCH_RUN) {
        bench_start(s);
    } else if (reg < BENCH_REGS && limit[reg]) {
        s->regs[reg] = MIN(value, limit[reg]);
    }
}

static const MemoryRegionOps bench_mmio_ops = {
    .read = bench_mmio_read,
    .write = bench_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 8, .max_access_size = 8 },
    .impl = { .min_access_size = 8, .max_access_size = 8 },
};

static void bench_realize(PCIDevice *pci_dev, Error **errp)
{
    SIOVBench *s = SIOV_BENCH(pci_dev);

    memory_region_init_io(&s->mmio, OBJECT(s), &bench_mmio_ops, s,
                          "siov-bench", 4 * KiB);
    pci_register_bar(pci_dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
}

/* What is measured is this process. */
static const VMStateDescription vmstate_siov_bench = {
    .name = TYPE_SIOV_BENCH,
    .unmigratable = 1,
};

static void bench_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

    k->realize = bench_realize;
    k->vendor_id = PCI_VENDOR_ID_QEMU;
    k->device_id = BENCH_DEVICE_ID;
    k->class_id = PCI_CLASS_OTHERS;
    dc->vmsd = &vmstate_siov_bench;
    /* To wait for a run with the big lock held would be to wait for ever. */
    dc->hotpluggable = false;
    dc->desc = "DMA benchmark (for measuring, not for guests)";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo bench_types[] = {
    {
        .name = TYPE_SIOV_BENCH,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(SIOVBench),
        .class_init = bench_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(bench_types)
