/*
 * intel-dsa: what the device reports of itself, from its properties. The
 * defaults are what a part with VERSION 1.0 reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "dsa.h"

#define DSA_MAX_RDBUFS 255
#define DSA_IMS_UNIT 256
#define DSA_MAX_XFER_SHIFT 31
#define DSA_MAX_BATCH_SHIFT 10

typedef struct DSARange {
    const char *name;
    uint32_t value, min, max;
} DSARange;

static bool check_ranges(DSAState *s, Error **errp)
{
    const DSARange ranges[] = {
        { "wqs", s->wqs, 1, DSA_MAX_WQS },
        { "groups", s->groups, 1, DSA_MAX_GROUPS },
        { "engines", s->engines_num, 1, DSA_MAX_ENGINES },
        { "workers", s->workers, 1, DSA_MAX_WORKERS },
        { "wq-size", s->wq_size, 1, DSA_MAX_TOTAL_SIZE },
        { "read-buffers", s->rdbufs, 1, DSA_MAX_RDBUFS },
        { "ims", s->ims, 0, DSA_IMS_MAX },
        { "pasid-bits", s->pasid_bits, 1, DSA_MAX_PASID_BITS },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(ranges); i++) {
        const DSARange *r = &ranges[i];

        if (r->value < r->min || r->value > r->max) {
            error_setg(errp, "intel-dsa: %s=%u is out of range, choose a "
                       "value from %u to %u", r->name, r->value, r->min,
                       r->max);
            return false;
        }
    }
    return true;
}

static bool check_version(DSAState *s, Error **errp)
{
    if (!strcmp(s->version, "2.0")) {
        error_setg(errp, "intel-dsa: version=2.0 needs the event log, which "
                   "this device does not have, use version=1.0");
        return false;
    }
    if (strcmp(s->version, "1.0")) {
        error_setg(errp, "intel-dsa: version=%s is unknown, use version=1.0",
                   s->version);
        return false;
    }
    return true;
}

static bool check_combination(DSAState *s, Error **errp)
{
    if (s->wq_size < s->wqs) {
        error_setg(errp, "intel-dsa: wq-size=%u is less than one descriptor "
                   "for each of wqs=%u, choose a larger wq-size",
                   s->wq_size, s->wqs);
        return false;
    }
    if (s->rdbufs < 4 * s->engines_num) {
        error_setg(errp, "intel-dsa: read-buffers=%u is less than 4 for each "
                   "of engines=%u, choose a larger read-buffers", s->rdbufs,
                   s->engines_num);
        return false;
    }
    if (s->ims % DSA_IMS_UNIT) {
        error_setg(errp, "intel-dsa: ims=%u is no multiple of %u, choose one "
                   "up to %u", s->ims, DSA_IMS_UNIT, DSA_IMS_MAX);
        return false;
    }
    if (s->pri && !s->ats) {
        error_setg(errp, "intel-dsa: pri=on needs ats=on, set it or pri=off");
        return false;
    }
    if (s->bof && !s->pri) {
        error_setg(errp, "intel-dsa: block-on-fault=on needs pri=on, set it "
                   "or block-on-fault=off");
        return false;
    }
    if (s->shared && !s->pasid) {
        error_setg(errp, "intel-dsa: shared=on needs pasid=on, set it or "
                   "shared=off");
        return false;
    }
    return true;
}

static uint64_t make_gencap(const DSAState *s)
{
    uint64_t cap = 0;

    cap = FIELD_DP64(cap, GENCAP, BLOCK_ON_FAULT, s->bof);
    cap = FIELD_DP64(cap, GENCAP, OVERLAP_COPY, 1);
    cap = FIELD_DP64(cap, GENCAP, CACHE_CTRL_MEM, 1);
    cap = FIELD_DP64(cap, GENCAP, CACHE_CTRL_FLUSH, 1);
    cap = FIELD_DP64(cap, GENCAP, CMDCAP, s->cmdcap);
    cap = FIELD_DP64(cap, GENCAP, DEST_READBACK, 1);
    cap = FIELD_DP64(cap, GENCAP, MAX_XFER_SHIFT, DSA_MAX_XFER_SHIFT);
    cap = FIELD_DP64(cap, GENCAP, MAX_BATCH_SHIFT, DSA_MAX_BATCH_SHIFT);
    cap = FIELD_DP64(cap, GENCAP, IMS_SIZE, s->ims / DSA_IMS_UNIT);
    cap = FIELD_DP64(cap, GENCAP, CONFIGURABLE, 1);
    return FIELD_DP64(cap, GENCAP, UNNAMED38, 1);
}

static uint64_t make_wqcap(const DSAState *s)
{
    uint64_t cap = 0;

    cap = FIELD_DP64(cap, WQCAP, TOTAL_SIZE, s->wq_size);
    cap = FIELD_DP64(cap, WQCAP, NUM_WQS, s->wqs);
    cap = FIELD_DP64(cap, WQCAP, WQCFG_SIZE, ctz32(DSA_WQCFG_STRIDE) - 5);
    cap = FIELD_DP64(cap, WQCAP, SHARED, s->shared);
    cap = FIELD_DP64(cap, WQCAP, DEDICATED, 1);
    cap = FIELD_DP64(cap, WQCAP, ATS, s->ats);
    cap = FIELD_DP64(cap, WQCAP, PRIORITY, 1);
    cap = FIELD_DP64(cap, WQCAP, OCCUPANCY, 1);
    return FIELD_DP64(cap, WQCAP, OCCUPANCY_INT, 1);
}

bool dsa_caps_init(DSAState *s, Error **errp)
{
    if (!check_version(s, errp) || !check_ranges(s, errp) ||
        !check_combination(s, errp)) {
        return false;
    }
    s->gencap = make_gencap(s);
    s->wqcap = make_wqcap(s);
    /* 00 to 09, 10 to 15 and 20: the operations that there are */
    s->opcap[0] = 0x1003f03ff;
    return true;
}

uint64_t dsa_cap_version(const DSAState *s)
{
    return 0x100;
}

uint64_t dsa_cap_gencap(const DSAState *s)
{
    return s->gencap;
}

uint64_t dsa_cap_wqcap(const DSAState *s)
{
    return s->wqcap;
}

uint64_t dsa_cap_grpcap(const DSAState *s)
{
    uint64_t cap = 0;

    cap = FIELD_DP64(cap, GRPCAP, NUM_GROUPS, s->groups);
    cap = FIELD_DP64(cap, GRPCAP, TOTAL_RDBUFS, s->rdbufs);
    cap = FIELD_DP64(cap, GRPCAP, RDBUF_CTRL, 1);
    return FIELD_DP64(cap, GRPCAP, RDBUF_LIMIT, 1);
}

uint64_t dsa_cap_engcap(const DSAState *s)
{
    return FIELD_DP64(0, ENGCAP, NUM_ENGINES, s->engines_num);
}

uint64_t dsa_cap_opcap(const DSAState *s)
{
    return s->opcap[0];
}

uint64_t dsa_cap_offsets(const DSAState *s)
{
    uint64_t offs = 0;

    offs = FIELD_DP64(offs, OFFSETS0, GRPCFG,
                      DSA_GRPCFG_BASE / DSA_OFFSET_UNIT);
    offs = FIELD_DP64(offs, OFFSETS0, WQCFG,
                      DSA_WQCFG_BASE / DSA_OFFSET_UNIT);
    offs = FIELD_DP64(offs, OFFSETS0, MSIXPERM,
                      DSA_MSIXPERM_BASE / DSA_OFFSET_UNIT);
    return FIELD_DP64(offs, OFFSETS0, IMS,
                      s->ims ? DSA_IMS_BASE / DSA_OFFSET_UNIT : 0);
}

uint64_t dsa_cap_cmdcap(const DSAState *s)
{
    uint32_t all = MAKE_64BIT_MASK(DSA_CMD_ENABLE_DEVICE,
                                   DSA_CMD_RELEASE_INT_HANDLE);

    return s->cmdcap ? all : 0;
}

uint64_t dsa_gencap(const DSAState *s)
{
    return s->gencap;
}

const uint64_t *dsa_opcap(const DSAState *s)
{
    return s->opcap;
}
