// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dmaclient: a dmaengine client that exercises memory copies.
 *
 * Takes every free DMA_MEMCPY channel of the driver named by "driver", copies
 * between buffers at random offsets and with random lengths, checks every byte
 * of the destination, inside and outside the copied range, and prints one line
 * per channel:
 *
 *   dmaclient: dma0chan0 interrupt: 10000 copies, 0 failures, 40961234 bytes
 *
 * All work is done while the module loads. Loading fails with -EIO if a copy
 * failed, with -ENODEV if there is no channel. After a copy that never
 * completed the module stays, as its callback may still be called.
 *
 * mode=interrupt sleeps until the completion callback has run; mode=polled
 * spins for it. The idxd driver reports no cookie order (DMA_OUT_OF_ORDER) and
 * looks at completion records only after an interrupt, so the callback is the
 * only completion a client of it can see: that is what dmatest uses, too.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MAX_DEPTH 16
#define TIMEOUT (30 * HZ)

static char *driver = "idxd";
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "name of the driver whose channels are used");

static char *mode = "interrupt";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "interrupt (sleep) or polled (spin)");

static uint iterations = 10000;
module_param(iterations, uint, 0444);
MODULE_PARM_DESC(iterations, "copies per channel");

static uint size = 16384;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of each buffer");

static uint depth = 4;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "copies in flight at a time, 1 to 16");

static uint seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "start of the random sequence");

/* One copy in flight */
struct slot {
    u8 *src, *dst;
    dma_addr_t src_dma, dst_dma;
    u32 from, to, len;
    u8 key;         /* makes this copy's bytes its own */
    bool busy;
    bool failed;
    struct completion done;
};

struct run {
    struct dma_chan *chan;
    struct slot slots[MAX_DEPTH];
    u32 random;
    u32 copies, failures;
    u64 bytes;
    bool polled;
    bool stuck;     /* the device may still write: keep buffers */
};

static u32 next_random(struct run *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 17;
    r->random ^= r->random << 5;
    return r->random;
}

static u8 src_byte(const struct slot *s, u32 i)
{
    return (u8)(i * 7 + (i >> 8)) ^ s->key;
}

static u8 dst_byte(const struct slot *s)
{
    return ~s->key;
}

static void copied(void *arg, const struct dmaengine_result *result)
{
    struct slot *s = arg;

    s->failed = result && result->result != DMA_TRANS_NOERROR;
    complete(&s->done);
}

static bool map_slot(struct run *r, struct slot *s)
{
    struct device *dev = r->chan->device->dev;

    s->src_dma = dma_map_single(dev, s->src, size, DMA_TO_DEVICE);
    if (dma_mapping_error(dev, s->src_dma)) {
        return false;
    }
    s->dst_dma = dma_map_single(dev, s->dst, size, DMA_BIDIRECTIONAL);
    if (dma_mapping_error(dev, s->dst_dma)) {
        dma_unmap_single(dev, s->src_dma, size, DMA_TO_DEVICE);
        return false;
    }
    return true;
}

static void unmap_slot(struct run *r, struct slot *s)
{
    struct device *dev = r->chan->device->dev;

    dma_unmap_single(dev, s->src_dma, size, DMA_TO_DEVICE);
    dma_unmap_single(dev, s->dst_dma, size, DMA_BIDIRECTIONAL);
}

static void fill_slot(struct run *r, struct slot *s)
{
    u32 i;

    s->key = next_random(r);
    s->len = 1 + next_random(r) % size;
    s->from = next_random(r) % (size - s->len + 1);
    s->to = next_random(r) % (size - s->len + 1);
    for (i = 0; i < size; i++) {
        s->src[i] = src_byte(s, i);
    }
    memset(s->dst, dst_byte(s), size);
    s->failed = false;
    reinit_completion(&s->done);
}

static void fail(struct run *r, const struct slot *s, const char *why)
{
    if (r->failures++ < 5) {
        pr_err("dmaclient: %s: %s (length %u, from %u, to %u)\n",
               dma_chan_name(r->chan), why, s->len, s->from, s->to);
    }
}

static void start(struct run *r, struct slot *s)
{
    struct dma_async_tx_descriptor *tx;
    dma_cookie_t cookie;

    fill_slot(r, s);
    r->copies++;
    if (!map_slot(r, s)) {
        fail(r, s, "mapping failed");
        return;
    }
    tx = dmaengine_prep_dma_memcpy(r->chan, s->dst_dma + s->to,
                                   s->src_dma + s->from, s->len,
                                   DMA_CTRL_ACK | DMA_PREP_INTERRUPT);
    if (!tx) {
        fail(r, s, "no descriptor");
        goto unmap;
    }
    tx->callback = NULL;
    tx->callback_result = copied;
    tx->callback_param = s;
    cookie = dmaengine_submit(tx);
    if (dma_submit_error(cookie)) {
        fail(r, s, "submission refused");
        goto unmap;
    }
    s->busy = true;
    dma_async_issue_pending(r->chan);
    return;
unmap:
    unmap_slot(r, s);
}

static bool wait_for_slot(struct run *r, struct slot *s)
{
    unsigned long end = jiffies + TIMEOUT;

    if (!r->polled) {
        return wait_for_completion_timeout(&s->done, TIMEOUT);
    }

    while (!completion_done(&s->done)) {
        if (time_after(jiffies, end)) {
            return false;
        }
        cpu_relax();
        cond_resched();
    }
    return true;
}

static const char *verify(const struct slot *s)
{
    u32 i;

    for (i = 0; i < s->to; i++) {
        if (s->dst[i] != dst_byte(s)) {
            return "bytes before the destination changed";
        }
    }
    for (i = 0; i < s->len; i++) {
        if (s->dst[s->to + i] != src_byte(s, s->from + i)) {
            return "copied bytes differ";
        }
    }
    for (i = s->to + s->len; i < size; i++) {
        if (s->dst[i] != dst_byte(s)) {
            return "bytes after the destination changed";
        }
    }
    for (i = 0; i < size; i++) {
        if (s->src[i] != src_byte(s, i)) {
            return "the source changed";
        }
    }
    return NULL;
}

static void finish(struct run *r, struct slot *s)
{
    const char *why;

    if (!s->busy) {
        return;
    }
    if (!wait_for_slot(r, s)) {
        fail(r, s, "no completion");
        r->stuck = true;
        return;
    }
    s->busy = false;
    unmap_slot(r, s);
    why = s->failed ? "completed with an error" : verify(s);
    if (why) {
        fail(r, s, why);
    } else {
        r->bytes += s->len;
    }
}

static void free_slots(struct run *r)
{
    uint i;

    for (i = 0; i < depth; i++) {
        kfree(r->slots[i].src);
        kfree(r->slots[i].dst);
    }
}

static bool alloc_slots(struct run *r)
{
    uint i;

    for (i = 0; i < depth; i++) {
        struct slot *s = &r->slots[i];

        init_completion(&s->done);
        s->src = kmalloc(size, GFP_KERNEL);
        s->dst = kmalloc(size, GFP_KERNEL);
        if (!s->src || !s->dst) {
            free_slots(r);
            return false;
        }
    }
    return true;
}

/* Returns the number of failures; *@stuck becomes true with a copy pending. */
static uint run_channel(struct dma_chan *chan, bool *stuck)
{
    struct run *r = kzalloc(sizeof(*r), GFP_KERNEL);
    uint failures, i;

    if (!r) {
        return 1;
    }
    r->chan = chan;
    r->random = seed ? seed : 1;
    r->polled = !strcmp(mode, "polled");
    if (!alloc_slots(r)) {
        kfree(r);
        return 1;
    }

    for (i = 0; i < iterations && !r->stuck; i++) {
        struct slot *s = &r->slots[i % depth];

        finish(r, s);
        if (!r->stuck) {
            start(r, s);
        }
    }
    for (i = 0; i < depth; i++) {
        finish(r, &r->slots[i]);
    }

    pr_info("dmaclient: %s %s: %u copies, %u failures, %llu bytes\n",
            dma_chan_name(chan), mode, r->copies, r->failures, r->bytes);
    failures = r->failures;
    if (r->stuck) {
        *stuck = true;
        return failures;
    }
    free_slots(r);
    kfree(r);
    return failures;
}

static bool wanted(struct dma_chan *chan, void *arg)
{
    struct device *dev = chan->device->dev;

    return dev->driver && !strcmp(dev->driver->name, driver);
}

static int __init dmaclient_init(void)
{
    struct dma_chan *chans[8];
    uint i, n, failures = 0;
    dma_cap_mask_t mask;
    bool stuck = false;

    if (!size || size > 1024 * 1024 || !depth || depth > MAX_DEPTH ||
        (strcmp(mode, "polled") && strcmp(mode, "interrupt"))) {
        pr_err("dmaclient: bad parameters\n");
        return -EINVAL;
    }

    dma_cap_zero(mask);
    dma_cap_set(DMA_MEMCPY, mask);
    for (n = 0; n < ARRAY_SIZE(chans); n++) {
        chans[n] = dma_request_channel(mask, wanted, NULL);
        if (!chans[n]) {
            break;
        }
    }
    if (!n) {
        pr_err("dmaclient: no free memcpy channel of driver %s\n",
               driver);
        return -ENODEV;
    }

    for (i = 0; i < n; i++) {
        failures += run_channel(chans[i], &stuck);
        dma_release_channel(chans[i]);
    }
    return failures && !stuck ? -EIO : 0;
}

static void __exit dmaclient_exit(void)
{
}

module_init(dmaclient_init);
module_exit(dmaclient_exit);
MODULE_DESCRIPTION("dmaengine memory copy exerciser");
MODULE_LICENSE("GPL");
