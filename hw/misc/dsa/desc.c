/*
 * intel-dsa: which descriptors are legal (DSA section 8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "desc.h"

/* Flags that every operation takes (DSA 8.1.3) */
#define ANY (DSA_FLAG_CRAV | DSA_FLAG_RCR | DSA_FLAG_RCI | DSA_FLAG_CRSTS | \
             DSA_FLAG_CR_TC)
/* Flags of operations that may be in a batch and read or write operands */
#define OPERAND (DSA_FLAG_FENCE | DSA_FLAG_BOF)
/* Flags of operations that write a destination */
#define DEST (DSA_FLAG_CC | DSA_FLAG_STORD | DSA_FLAG_DRDBK | DSA_FLAG_DSTS)

#define TC1 DSA_FLAG_ADDR1_TC
#define TC2 DSA_FLAG_ADDR2_TC
#define TC3 DSA_FLAG_ADDR3_TC
#define CRC_FLAGS (DSA_FLAG_CRC_SEED_MEM | DSA_FLAG_CRC_RAW | \
                   DSA_FLAG_CRC_RAW_DATA)
#define DRAIN_FLAGS (DSA_FLAG_DRAIN_RB1 | DSA_FLAG_DRAIN_RB2 | \
                     DSA_FLAG_DRAIN_NO_TC_A | DSA_FLAG_DRAIN_NO_TC_B)

/* Bytes of the descriptor that an operation uses, one bit each */
#define BYTES(offset, len) MAKE_64BIT_MASK(offset, len)
#define COMMON (BYTES(0, DSA_DESC_ADDR1) | BYTES(DSA_DESC_INT_HANDLE, 2))
#define ADDR1 BYTES(DSA_DESC_ADDR1, 8)
#define ADDR2 BYTES(DSA_DESC_ADDR2, 8)
#define SIZE BYTES(DSA_DESC_SIZE_FIELD, 4)
#define DIF_SRC (BYTES(DSA_DESC_SRC_DIF, 1) | BYTES(DSA_DESC_OP1, 8))
#define DIF_DST (BYTES(DSA_DESC_DST_DIF, 1) | BYTES(DSA_DESC_OP2, 8))
#define DIF BYTES(DSA_DESC_DIF, 1)

/* Reserved bits of the DIF flags, and of the expected result mask */
#define DIF_RSVD (0xf0 << 16)
#define DIF_DST_RSVD (0x07 << 8)
#define DIF_INSERT_RSVD (DSA_DST_DIF_APP_PASS | DSA_DST_DIF_GUARD_PASS | \
                         DSA_DST_DIF_REF_PASS)
#define DELTA_MASK_RSVD 0xf8

typedef struct DSAOpRules {
    bool known;
    uint32_t flags;         /* legal ones besides ANY */
    uint64_t bytes;         /* used ones besides COMMON */
    bool sized;             /* has a transfer size */
    uint32_t op0_rsvd;      /* reserved bits of bytes 0x28 to 0x2b */
    uint8_t op2_rsvd;       /* reserved bits of byte 0x38 */
} DSAOpRules;

/*
 * The formats of DSA 8.3. Implementation choices: BATCH takes Block On Fault,
 * which then governs faults on its list; the CRC seed and its address may both
 * be filled in, whichever is used, and so may the readback addresses of DRAIN;
 * an interrupt handle is looked at only if an interrupt is requested; what DIF
 * Insert could pass through from a source DIF, which it has not, is reserved.
 */
static const DSAOpRules op_rules[] = {
    [DSA_OP_NOOP] = { true, DSA_FLAG_FENCE, 0, false },
    [DSA_OP_BATCH] = { true, DSA_FLAG_BOF | TC1, ADDR1 | SIZE, false },
    [DSA_OP_DRAIN] = { true, DRAIN_FLAGS | TC1 | TC2, ADDR1 | ADDR2, false },
    [DSA_OP_MEMMOVE] = { true, OPERAND | DEST | TC1 | TC2,
                         ADDR1 | ADDR2 | SIZE, true },
    [DSA_OP_FILL] = { true, OPERAND | DEST | TC2 | DSA_FLAG_FILL_16,
                      ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 8), true },
    [DSA_OP_COMPARE] = { true, OPERAND | DSA_FLAG_CR | TC1 | TC2,
                         ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 1), true },
    [DSA_OP_COMPVAL] = { true, OPERAND | DSA_FLAG_CR | TC1,
                         ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 1), true },
    [DSA_OP_CREATE_DELTA] = { true, OPERAND | DEST | DSA_FLAG_CR | TC1 | TC2 |
                              TC3,
                              ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 8) |
                              BYTES(DSA_DESC_OP1, 4) | BYTES(DSA_DESC_OP2, 1),
                              true, .op2_rsvd = DELTA_MASK_RSVD },
    [DSA_OP_APPLY_DELTA] = { true, OPERAND | DEST | TC1 | TC2,
                             ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 4),
                             true },
    [DSA_OP_DUALCAST] = { true, OPERAND | DEST | TC1 | TC2 | TC3 |
                          DSA_FLAG_DUALCAST_ST2,
                          ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 8), true },
    [DSA_OP_CRCGEN] = { true, OPERAND | TC1 | TC3 | CRC_FLAGS,
                        ADDR1 | SIZE | BYTES(DSA_DESC_OP0, 4) |
                        BYTES(DSA_DESC_OP1, 8), true },
    [DSA_OP_COPY_CRC] = { true, OPERAND | DEST | TC1 | TC2 | TC3 | CRC_FLAGS,
                          ADDR1 | ADDR2 | SIZE | BYTES(DSA_DESC_OP0, 4) |
                          BYTES(DSA_DESC_OP1, 8), true },
    [DSA_OP_DIF_CHECK] = { true, OPERAND | TC1, ADDR1 | SIZE | DIF | DIF_SRC,
                           true, .op0_rsvd = DIF_RSVD },
    [DSA_OP_DIF_INSERT] = { true, OPERAND | DEST | TC1 | TC2,
                            ADDR1 | ADDR2 | SIZE | DIF | DIF_DST, true,
                            .op0_rsvd = DIF_RSVD | DIF_DST_RSVD |
                                        DIF_INSERT_RSVD },
    [DSA_OP_DIF_STRIP] = { true, OPERAND | DEST | TC1 | TC2,
                           ADDR1 | ADDR2 | SIZE | DIF | DIF_SRC, true,
                           .op0_rsvd = DIF_RSVD },
    [DSA_OP_DIF_UPDATE] = { true, OPERAND | DEST | TC1 | TC2,
                            ADDR1 | ADDR2 | SIZE | DIF | DIF_SRC | DIF_DST,
                            true, .op0_rsvd = DIF_RSVD | DIF_DST_RSVD },
    [DSA_OP_CFLUSH] = { true, OPERAND | TC2 | DSA_FLAG_CC, ADDR2 | SIZE, true },
};

static const DSAOpRules *find_rules(uint8_t opcode)
{
    if (opcode >= ARRAY_SIZE(op_rules) || !op_rules[opcode].known) {
        return NULL;
    }
    return &op_rules[opcode];
}

bool dsa_opcode_known(uint8_t opcode)
{
    return find_rules(opcode) != NULL;
}

void dsa_desc_decode(DSADesc *d, const uint8_t *raw)
{
    uint32_t word = ldl_le_p(raw + DSA_DESC_FLAGS);

    d->flags = word & DSA_FLAGS_ALL;
    d->opcode = word >> 24;
    d->cr_addr = ldq_le_p(raw + DSA_DESC_CR_ADDR);
    d->addr1 = ldq_le_p(raw + DSA_DESC_ADDR1);
    d->addr2 = ldq_le_p(raw + DSA_DESC_ADDR2);
    d->size = ldl_le_p(raw + DSA_DESC_SIZE_FIELD);
    d->int_handle = lduw_le_p(raw + DSA_DESC_INT_HANDLE);
    d->op[0] = ldq_le_p(raw + DSA_DESC_OP0);
    d->op[1] = ldq_le_p(raw + DSA_DESC_OP1);
    d->op[2] = ldq_le_p(raw + DSA_DESC_OP2);
}

static bool word_bit(const uint64_t *words, uint8_t bit)
{
    return words[bit / 64] & BIT_ULL(bit % 64);
}

static bool opcode_allowed(const DSADesc *d, const DSADescRules *rules)
{
    if (rules->in_batch &&
        (d->opcode == DSA_OP_BATCH || d->opcode == DSA_OP_DRAIN)) {
        return false;           /* DSA 8.3.2: neither may be in a batch */
    }
    return find_rules(d->opcode) && word_bit(rules->opcap, d->opcode) &&
           word_bit(rules->op_config, d->opcode);
}

static uint32_t legal_flags(const DSADesc *d, const DSADescRules *rules)
{
    uint32_t legal = ANY | op_rules[d->opcode].flags;
    uint64_t cc_cap = d->opcode == DSA_OP_CFLUSH ? DSA_GENCAP_CC_FLUSH
                                                 : DSA_GENCAP_CC_MEMORY;

    if (!(rules->gencap & cc_cap)) {
        legal &= ~DSA_FLAG_CC;
    }
    if (!(rules->gencap & DSA_GENCAP_DRDBK)) {
        legal &= ~DSA_FLAG_DRDBK;
    }
    /* DSA 8.1.3.1: Fence is for descriptors in a batch */
    if (!rules->in_batch) {
        legal &= ~DSA_FLAG_FENCE;
    }
    if (d->opcode == DSA_OP_DRAIN && !(rules->gencap & DSA_GENCAP_DRAIN_RB)) {
        legal &= ~(DSA_FLAG_DRAIN_RB1 | DSA_FLAG_DRAIN_RB2);
    }
    /* Implementation choice: version 2 is known by Translation Fetch */
    if (d->opcode == DSA_OP_FILL &&
        !word_bit(rules->opcap, DSA_OP_TRANSL_FETCH)) {
        legal &= ~DSA_FLAG_FILL_16;
    }
    return legal;
}

static bool reserved_clear(const DSADesc *d, const uint8_t *raw)
{
    const DSAOpRules *op = &op_rules[d->opcode];
    uint64_t used = COMMON | op->bytes;
    unsigned i;

    /* The upper half of a 16-byte pattern exists if a flag says so */
    if (d->opcode == DSA_OP_FILL && !(d->flags & DSA_FLAG_FILL_16)) {
        used &= ~BYTES(DSA_DESC_OP0, 8);
    }
    if (ldl_le_p(raw + DSA_DESC_PASID) & DSA_DESC_PASID_RSVD ||
        d->op[0] & op->op0_rsvd || d->op[2] & op->op2_rsvd) {
        return false;
    }
    for (i = DSA_DESC_ADDR1; i < 64; i++) {
        if (raw[i] && !(used & BIT_ULL(i))) {
            return false;
        }
    }
    return true;
}

/* DSA 8.3.2 */
static DSAStatus check_batch(const DSADesc *d, const DSADescRules *rules)
{
    uint64_t max = BIT_ULL(MIN(rules->batch_shift,
                               DSA_GENCAP_BATCH_SHIFT(rules->gencap)));

    if (d->size < 2 || d->size > MIN(max, DSA_BATCH_MAX)) {
        return DSA_ST_COUNT;
    }
    return d->addr1 % 64 ? DSA_ST_LIST_ALIGN : DSA_ST_SUCCESS;
}

/*
 * DSA 8.3.8, 8.3.9. Implementation choice: a maximum size that is no multiple
 * of an entry leaves its last bytes unused.
 */
static DSAStatus check_delta(const DSADesc *d)
{
    bool create = d->opcode == DSA_OP_CREATE_DELTA;
    uint32_t record = create ? d->op[1] : d->op[0];
    uint64_t addrs = d->addr1 | d->addr2 | (create ? d->op[0] : 0);

    if (d->size % DSA_DELTA_UNIT || d->size > DSA_DELTA_XFER_MAX) {
        return DSA_ST_SIZE;
    }
    if (create ? record < DSA_DELTA_RECORD_MIN
               : !record || record % DSA_DELTA_ENTRY) {
        return DSA_ST_DELTA_SIZE;
    }
    return addrs % DSA_DELTA_UNIT ? DSA_ST_ADDR_ALIGN : DSA_ST_SUCCESS;
}

static DSAStatus check_size(const DSADesc *d, const DSADescRules *rules)
{
    uint64_t max = BIT_ULL(MIN(rules->xfer_shift,
                               DSA_GENCAP_XFER_SHIFT(rules->gencap)));

    if (op_rules[d->opcode].sized && (!d->size || d->size > max)) {
        return DSA_ST_SIZE;
    }
    switch (d->opcode) {
    case DSA_OP_BATCH:
        return check_batch(d, rules);
    case DSA_OP_CREATE_DELTA:
    case DSA_OP_APPLY_DELTA:
        return check_delta(d);
    case DSA_OP_DIF_CHECK:
    case DSA_OP_DIF_INSERT:
    case DSA_OP_DIF_STRIP:
    case DSA_OP_DIF_UPDATE:
        return d->size % dsa_dif_src_step(d) ? DSA_ST_SIZE : DSA_ST_SUCCESS;
    }
    return DSA_ST_SUCCESS;
}

/* Source and destination of operations whose operands differ in size */
static bool unequal_overlap(const DSADesc *d)
{
    uint64_t size = d->size;

    switch (d->opcode) {
    case DSA_OP_CREATE_DELTA:
        return dsa_ranges_overlap2(d->op[0], (uint32_t)d->op[1], d->addr1,
                                   size) ||
               dsa_ranges_overlap2(d->op[0], (uint32_t)d->op[1], d->addr2,
                                   size);
    case DSA_OP_APPLY_DELTA:
        return dsa_ranges_overlap2(d->addr1, (uint32_t)d->op[0], d->addr2,
                                   size);
    default:
        return dsa_ranges_overlap2(d->addr1, size, d->addr2,
                                   size / dsa_dif_src_step(d) *
                                   dsa_dif_dst_step(d));
    }
}

static DSAStatus check_ranges(const DSADesc *d, const DSADescRules *rules)
{
    uint64_t dest2 = d->op[0];

    switch (d->opcode) {
    case DSA_OP_MEMMOVE:
        if (rules->gencap & DSA_GENCAP_OVERLAP) {
            break;
        }
        /* fall through */
    case DSA_OP_COPY_CRC:
        if (dsa_ranges_overlap(d->addr1, d->addr2, d->size)) {
            return DSA_ST_OVERLAP;
        }
        break;
    case DSA_OP_DUALCAST:
        if ((d->addr2 ^ dest2) & 0xfff) {
            return DSA_ST_DUALCAST;
        }
        if (dsa_ranges_overlap(d->addr1, d->addr2, d->size) ||
            dsa_ranges_overlap(d->addr1, dest2, d->size) ||
            dsa_ranges_overlap(d->addr2, dest2, d->size)) {
            return DSA_ST_OVERLAP;
        }
        break;
    case DSA_OP_CREATE_DELTA:
    case DSA_OP_APPLY_DELTA:
    case DSA_OP_DIF_INSERT:
    case DSA_OP_DIF_STRIP:
    case DSA_OP_DIF_UPDATE:
        return unequal_overlap(d) ? DSA_ST_OVERLAP : DSA_ST_SUCCESS;
    }
    return DSA_ST_SUCCESS;
}

/*
 * Implementation choice: writes that are to be strictly ordered before the
 * completion record must travel in its traffic class.
 */
static bool tc_conflict(const DSADesc *d, const DSADescRules *rules)
{
    uint8_t cr = d->flags & DSA_FLAG_CR_TC ? rules->tc_b : rules->tc_a;
    uint8_t a2 = d->flags & DSA_FLAG_ADDR2_TC ? rules->tc_b : rules->tc_a;
    uint8_t a3 = d->flags & DSA_FLAG_ADDR3_TC ? rules->tc_b : rules->tc_a;

    if (!(d->flags & DSA_FLAG_STORD) || !(d->flags & DSA_FLAG_CRAV)) {
        return false;
    }
    /* Create Delta Record only reads its second operand */
    return (a2 != cr && d->opcode != DSA_OP_CREATE_DELTA) ||
           (a3 != cr && (d->opcode == DSA_OP_DUALCAST ||
                         d->opcode == DSA_OP_CREATE_DELTA));
}

DSAStatus dsa_desc_check(const DSADesc *d, const uint8_t *raw,
                         const DSADescRules *rules, uint32_t *invalid_flags)
{
    DSAStatus status;
    uint32_t bad;

    *invalid_flags = 0;
    if (rules->priv && !rules->priv_ok) {
        return DSA_ST_PRIV;
    }
    if ((d->flags & DSA_FLAG_CRAV) && d->cr_addr % DSA_CR_SIZE) {
        return DSA_ST_CR_ALIGN;
    }
    if (!opcode_allowed(d, rules)) {
        return DSA_ST_OPCODE;
    }
    if (!reserved_clear(d, raw)) {
        return DSA_ST_RESERVED;
    }
    bad = d->flags & ~legal_flags(d, rules);
    /* DSA 8.1.3.4: a record cannot be requested without an address for it */
    if ((d->flags & (DSA_FLAG_RCR | DSA_FLAG_CRAV)) == DSA_FLAG_RCR) {
        bad |= DSA_FLAG_RCR;
    }
    if (bad) {
        *invalid_flags = bad;
        return DSA_ST_FLAGS;
    }
    status = check_size(d, rules);
    if (status == DSA_ST_SUCCESS) {
        status = check_ranges(d, rules);
    }
    if (status == DSA_ST_SUCCESS && tc_conflict(d, rules)) {
        status = DSA_ST_TC;
    }
    return status;
}
