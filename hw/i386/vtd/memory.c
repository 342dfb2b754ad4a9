/*
 * intel-vtd: guest memory as the remapping hardware sees it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "qemu/atomic.h"
#include "exec/translation-block.h"
#include "system/physmem.h"
#include "system/tcg.h"
#include "memory.h"

typedef struct VTDRam {
    uint64_t start, size;
    uint8_t *host;
    MemoryRegion *mr;           /* referenced */
    uint64_t mr_offset;
    bool readonly;
} VTDRam;

struct VTDRamMap {
    struct rcu_head rcu;
    unsigned count;
    VTDRam ram[];
};

/* The range that this thread hit last: walks stay in one or two ranges */
static __thread unsigned vtd_ram_hint;

/* --- the map ------------------------------------------------------------ */

static void vtd_ram_map_free(VTDRamMap *map)
{
    for (unsigned i = 0; i < map->count; i++) {
        memory_region_unref(map->ram[i].mr);
    }
    g_free(map);
}

static void vtd_memory_publish(VTDMemory *m, const GArray *ram)
{
    unsigned count = ram ? ram->len : 0;
    VTDRamMap *old = m->map, *map;

    map = g_malloc0(sizeof(*map) + count * sizeof(VTDRam));
    map->count = count;
    if (count) {
        memcpy(map->ram, ram->data, count * sizeof(VTDRam));
    }
    qatomic_rcu_set(&m->map, map);
    if (old) {
        call_rcu(old, vtd_ram_map_free, rcu);
    }
}

static void vtd_memory_begin(MemoryListener *listener)
{
    VTDMemory *m = container_of(listener, VTDMemory, listener);

    g_array_set_size(m->building, 0);
    m->changed = false;
}

static void vtd_memory_add(MemoryListener *listener,
                           MemoryRegionSection *section)
{
    VTDMemory *m = container_of(listener, VTDMemory, listener);
    MemoryRegion *mr = section->mr;
    VTDRam ram;

    m->changed = true;
    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr)) {
        return;
    }
    /*
     * The map outlives the flat view that the section came from, so it keeps
     * its own references. They are taken when the map is complete.
     */
    ram = (VTDRam) {
        .start = section->offset_within_address_space,
        .size = int128_get64(section->size),
        .host = (uint8_t *)memory_region_get_ram_ptr(mr) +
                section->offset_within_region,
        .mr = mr,
        .mr_offset = section->offset_within_region,
        .readonly = section->readonly,
    };
    g_array_append_val(m->building, ram);
}

static void vtd_memory_del(MemoryListener *listener,
                           MemoryRegionSection *section)
{
    container_of(listener, VTDMemory, listener)->changed = true;
}

static int vtd_ram_compare(const void *a, const void *b)
{
    const VTDRam *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static void vtd_memory_commit(MemoryListener *listener)
{
    VTDMemory *m = container_of(listener, VTDMemory, listener);

    /* Without any section the flat view is the same: so is the map */
    if (!m->changed) {
        return;
    }
    for (unsigned i = 0; i < m->building->len; i++) {
        memory_region_ref(g_array_index(m->building, VTDRam, i).mr);
    }
    g_array_sort(m->building, vtd_ram_compare);
    vtd_memory_publish(m, m->building);
    g_array_set_size(m->building, 0);
    m->changed = false;
}

void vtd_memory_init(VTDMemory *m, AddressSpace *as)
{
    m->building = g_array_new(false, false, sizeof(VTDRam));
    vtd_memory_publish(m, NULL);
    m->listener = (MemoryListener) {
        .name = "intel-vtd",
        .begin = vtd_memory_begin,
        .region_add = vtd_memory_add,
        .region_nop = vtd_memory_add,
        .region_del = vtd_memory_del,
        .commit = vtd_memory_commit,
    };
    memory_listener_register(&m->listener, as);
}

/* --- access ------------------------------------------------------------- */

static inline bool vtd_ram_covers(const VTDRam *ram, uint64_t addr,
                                  unsigned len)
{
    uint64_t offset = addr - ram->start;

    return offset < ram->size && ram->size - offset >= len;
}

/* Inside an RCU read section */
static inline const VTDRam *vtd_ram_find(VTDMemory *m, uint64_t addr,
                                         unsigned len)
{
    const VTDRamMap *map = qatomic_rcu_read(&m->map);
    unsigned hint = vtd_ram_hint, lo = 0, hi = map->count;

    if (likely(hint < hi && vtd_ram_covers(&map->ram[hint], addr, len))) {
        return &map->ram[hint];
    }
    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (addr < map->ram[mid].start) {
            hi = mid;
        } else if (addr - map->ram[mid].start < map->ram[mid].size) {
            if (!vtd_ram_covers(&map->ram[mid], addr, len)) {
                return NULL;
            }
            vtd_ram_hint = mid;
            return &map->ram[mid];
        } else {
            lo = mid + 1;
        }
    }
    return NULL;
}

static inline uint8_t *vtd_ram_host(const VTDRam *ram, uint64_t addr)
{
    return ram->host + (addr - ram->start);
}

/*
 * A write that went around the memory API: let migration and display see it,
 * and drop code that was translated from there.
 */
static void vtd_ram_dirty(const VTDRam *ram, uint64_t addr, unsigned len)
{
    uint8_t clients = memory_region_get_dirty_log_mask(ram->mr);
    ram_addr_t at = memory_region_get_ram_addr(ram->mr) + ram->mr_offset +
                    (addr - ram->start);

    if (clients) {
        clients = physical_memory_range_includes_clean(at, len, clients);
    }
    if (tcg_enabled() && (clients & BIT(DIRTY_MEMORY_CODE))) {
        tb_invalidate_phys_range(NULL, at, at + len - 1);
        clients &= ~BIT(DIRTY_MEMORY_CODE);
    }
    physical_memory_set_dirty_range(at, len, clients);
}

bool vtd_memory_read(VTDMemory *m, uint64_t addr, void *buf, unsigned len)
{
    RCU_READ_LOCK_GUARD();
    const VTDRam *ram = vtd_ram_find(m, addr, len);

    if (!ram) {
        return false;
    }
    memcpy(buf, vtd_ram_host(ram, addr), len);
    return true;
}

bool vtd_memory_write(VTDMemory *m, uint64_t addr, const void *buf,
                      unsigned len)
{
    RCU_READ_LOCK_GUARD();
    const VTDRam *ram = vtd_ram_find(m, addr, len);

    if (!ram || ram->readonly) {
        return false;
    }
    memcpy(vtd_ram_host(ram, addr), buf, len);
    vtd_ram_dirty(ram, addr, len);
    return true;
}

static bool vtd_mem_load(void *opaque, uint64_t addr, uint64_t *entry)
{
    const VTDRam *ram = vtd_ram_find(opaque, addr, 8);

    if (unlikely(!ram)) {
        return false;
    }
    *entry = le64_to_cpu(qatomic_read((uint64_t *)vtd_ram_host(ram, addr)));
    return true;
}

static bool vtd_mem_cmpxchg(void *opaque, uint64_t addr, uint64_t old,
                            uint64_t new, uint64_t *seen)
{
    const VTDRam *ram = vtd_ram_find(opaque, addr, 8);
    uint64_t expected = cpu_to_le64(old), found;

    if (unlikely(!ram || ram->readonly)) {
        return false;
    }
    found = qatomic_cmpxchg((uint64_t *)vtd_ram_host(ram, addr), expected,
                            cpu_to_le64(new));
    *seen = le64_to_cpu(found);
    if (found == expected) {
        vtd_ram_dirty(ram, addr, 8);
    }
    return true;
}

static void *vtd_mem_host_page(void *opaque, uint64_t addr)
{
    const VTDRam *ram;

    addr &= ~0xfffULL;
    ram = vtd_ram_find(opaque, addr, 0x1000);
    return ram && !ram->readonly ? vtd_ram_host(ram, addr) : NULL;
}

const VTDMemoryOps vtd_memory_ops = {
    .load = vtd_mem_load,
    .cmpxchg = vtd_mem_cmpxchg,
    .host_page = vtd_mem_host_page,
};
