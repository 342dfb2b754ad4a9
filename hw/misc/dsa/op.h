/*
 * intel-dsa: the operations, as resumable steps over memory windows.
 *
 * An operation sees memory as windows: host addresses of as many bytes as lie
 * together. Where windows come from is not its business, so unit tests link the
 * op-*.c files without the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_OP_H
#define HW_MISC_DSA_OP_H

#include "desc.h"

/**
 * DSAWindow: bytes of an operand that lie together in host memory.
 * @host: the first byte
 * @len: how many, at least one
 * @region: for DSAMem.wrote(); opaque to operations
 * @offset: for DSAMem.wrote(); opaque to operations
 */
typedef struct DSAWindow {
    uint8_t *host;
    uint64_t len;
    void *region;
    uint64_t offset;
} DSAWindow;

/**
 * DSAMem: how an operation reaches memory.
 */
typedef struct DSAMem DSAMem;
struct DSAMem {
    /**
     * @window: find the window at @addr for up to @len bytes (at least one);
     * with @backward the bytes that end before @addr. Does no translation
     * that is not known already: returns false if it needs one.
     */
    bool (*window)(DSAMem *mem, uint64_t addr, uint64_t len, bool write,
                   bool backward, DSAWindow *win);
    /**
     * @wrote: the first @len bytes of a window were written.
     */
    void (*wrote)(DSAMem *mem, const DSAWindow *win, uint64_t len);
};

typedef enum DSAStep {
    DSA_STEP_MORE,      /* progress was made, or the budget is used up */
    DSA_STEP_DONE,      /* the operation is over; status and result are set */
    DSA_STEP_MISS,      /* miss says which window is needed first */
} DSAStep;

/* The operand of a miss, as DSA_CR_FAULT_INFO reports it */
typedef enum DSAOperand {
    DSA_OPERAND_NONE = 0,
    DSA_OPERAND_ADDR1 = 1,
    DSA_OPERAND_ADDR2 = 2,
    DSA_OPERAND_ADDR3 = 3,
} DSAOperand;

/* Result of Create Delta Record (DSA 8.3.8) */
typedef enum DSADeltaResult {
    DSA_DELTA_EQUAL = 0,
    DSA_DELTA_FITS = 1,
    DSA_DELTA_OVERFLOW = 2,
} DSADeltaResult;

/**
 * DSAMiss: what an operation waits for.
 * @addr: the first byte that cannot be reached
 * @first: the first byte that will be needed
 * @len: how many bytes from @first will be needed
 * @hopeless: a page request would not help
 */
typedef struct DSAMiss {
    uint64_t addr;
    uint64_t first, len;
    bool write, hopeless;
    uint8_t operand;
} DSAMiss;

/**
 * DSAOp: one operation in progress. Everything but @d and @backward, which
 * dsa_op_init() derives from the descriptor, is migrated.
 * @d: the descriptor
 * @backward: works from the end of its operands towards their start
 * @done: bytes done, of dsa_op_total()
 * @crc: CRC operations: the register, reflected
 * @record: Create Delta Record: bytes of record written
 * @next: Apply Delta Record: the lowest offset that may come
 * @stage: what besides the bytes was done already (a seed fetched, ...)
 * @status: at the end
 * @result: Result of the completion record at the end
 * @miss: filled with DSA_STEP_MISS
 */
typedef struct DSAOp {
    DSADesc d;
    bool backward;
    uint64_t done;
    union {                     /* migrated as crc */
        uint32_t crc;
        uint32_t record;
        uint32_t next;
    };
    uint8_t stage;
    uint8_t status;
    uint8_t result;
    DSAMiss miss;
} DSAOp;

/**
 * dsa_op_init: prepare the operation of descriptor @d, which must be legal and
 * not BATCH.
 */
void dsa_op_init(DSAOp *op, const DSADesc *d);

/**
 * dsa_op_step: do a part of the operation.
 * @op: the operation
 * @mem: its memory
 * @budget: how many bytes it may move; reduced by those it moved. Operations on
 * blocks do the last one whole even if it is larger than that.
 *
 * Resumable: after a miss the same call is made again once the window exists.
 * Lock-free and allocation-free.
 */
DSAStep dsa_op_step(DSAOp *op, DSAMem *mem, uint64_t *budget);

/**
 * dsa_op_crc_value: the CRC of the bytes done so far, as the completion record
 * has it and as a following descriptor takes it as seed (DSA 8.3.12).
 */
uint32_t dsa_op_crc_value(const DSAOp *op);

/**
 * dsa_op_total: how many bytes @done counts up to: the transfer size, or the
 * size of the record that Apply Delta Record works through.
 */
uint64_t dsa_op_total(const DSAOp *op);

/**
 * dsa_op_progress_ok: whether the operation may be under way with this much
 * done. For state that comes from outside.
 */
bool dsa_op_progress_ok(const DSAOp *op);

/**
 * dsa_op_fill_record: the operation's own fields of the completion record
 * (DSA 8.2.2 and following), also after a fault: software goes on with them.
 * @cr: DSA_CR_SIZE bytes, of which the last 16 may be written
 */
void dsa_op_fill_record(const DSAOp *op, uint8_t *cr);

/* op-mem.c: a window of an operand, or the miss that tells why not */
bool dsa_op_window(DSAOp *op, DSAMem *mem, uint64_t addr, uint64_t len,
                   bool write, DSAOperand operand, DSAWindow *win);
DSAStep dsa_op_advance(DSAOp *op, uint64_t n, uint64_t *budget);

/*
 * op-mem.c: copy all of @len bytes out of or into an operand, or nothing and
 * set the miss. @len is small: it is not counted against a budget.
 */
bool dsa_op_read(DSAOp *op, DSAMem *mem, uint64_t addr, void *buf,
                 uint64_t len, DSAOperand operand);
bool dsa_op_write(DSAOp *op, DSAMem *mem, uint64_t addr, const void *buf,
                  uint64_t len, DSAOperand operand);

/* op-dif.c */
DSAStep dsa_op_step_dif(DSAOp *op, DSAMem *mem, uint64_t *budget);
void dsa_op_dif_record(const DSAOp *op, uint8_t *cr);

/* op-delta.c */
DSAStep dsa_op_step_create_delta(DSAOp *op, DSAMem *mem, uint64_t *budget);
DSAStep dsa_op_step_apply_delta(DSAOp *op, DSAMem *mem, uint64_t *budget);

/* op-crc.c */
DSAStep dsa_op_step_crc(DSAOp *op, DSAMem *mem, uint64_t *budget);
DSAStep dsa_op_step_copy_crc(DSAOp *op, DSAMem *mem, uint64_t *budget);

/**
 * dsa_crc32c: CRC-32C (polynomial 0x1edc6f41) over a buffer.
 * @reg: the register in reflected form
 * @raw_data: take the bits of each byte most significant first
 *
 * Returns the register after @len bytes at @buf.
 */
uint32_t dsa_crc32c(uint32_t reg, const uint8_t *buf, size_t len,
                    bool raw_data);

#endif /* HW_MISC_DSA_OP_H */
