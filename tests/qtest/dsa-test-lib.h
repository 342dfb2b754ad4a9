/*
 * Driving an intel-dsa from a qtest: its place in PCI, registers, commands,
 * configuration, descriptors and their submission.
 *
 * The numbers are written down here a second time, from the specification, and
 * not taken from the device's own headers: a test that shares the device's
 * constants shares its mistakes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_DSA_TEST_LIB_H
#define TESTS_QTEST_DSA_TEST_LIB_H

#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "dmwr-qtest.h"

/* The device's slot on pcie.0 */
#define DSA_TEST_SLOT           4

/* Registers (DSA 9.2) */
#define DSA_TEST_VERSION        0x00
#define DSA_TEST_GENCAP         0x10
#define DSA_TEST_WQCAP          0x20
#define DSA_TEST_GRPCAP         0x30
#define DSA_TEST_ENGCAP         0x38
#define DSA_TEST_OPCAP          0x40
#define DSA_TEST_OFFSETS        0x60
#define DSA_TEST_GENCFG         0x80
#define DSA_TEST_GENCTRL        0x88
#define DSA_TEST_GENSTS         0x90
#define DSA_TEST_INTCAUSE       0x98
#define DSA_TEST_CMD            0xa0
#define DSA_TEST_CMDSTS         0xa8
#define DSA_TEST_CMDCAP         0xb0
#define DSA_TEST_SWERR          0xc0

#define DSA_TEST_CMDSTS_ACTIVE  (1u << 31)
#define DSA_TEST_CMD_INT        (1u << 31)

/* Commands (DSA 9.2.12) */
enum {
    DSA_TEST_ENABLE_DEV = 1, DSA_TEST_DISABLE_DEV, DSA_TEST_DRAIN_ALL,
    DSA_TEST_ABORT_ALL, DSA_TEST_RESET_DEV, DSA_TEST_ENABLE_WQ,
    DSA_TEST_DISABLE_WQ, DSA_TEST_DRAIN_WQ, DSA_TEST_ABORT_WQ,
    DSA_TEST_RESET_WQ, DSA_TEST_DRAIN_PASID, DSA_TEST_ABORT_PASID,
    DSA_TEST_REQUEST_HANDLE, DSA_TEST_RELEASE_HANDLE,
};

/* WQCFG doubleword 2 (DSA 9.2.21) */
#define DSA_TEST_WQ_DEDICATED   (1u << 0)
#define DSA_TEST_WQ_BOF         (1u << 1)
#define DSA_TEST_WQ_ATS_DISABLE (1u << 2)
#define DSA_TEST_WQ_PRIO(p)     ((uint32_t)(p) << 4)
#define DSA_TEST_WQ_PASID(p)    ((uint32_t)(p) << 8 | 1u << 28)
#define DSA_TEST_WQ_PRIV        (1u << 29)

/* Descriptor flags and opcodes (DSA 8.1) */
#define DSA_TEST_FENCE          (1u << 0)
#define DSA_TEST_BOF            (1u << 1)
#define DSA_TEST_CRAV           (1u << 2)
#define DSA_TEST_RCR            (1u << 3)
#define DSA_TEST_RCI            (1u << 4)
enum {
    DSA_TEST_NOOP = 0x00, DSA_TEST_BATCH = 0x01, DSA_TEST_DRAIN = 0x02,
    DSA_TEST_MEMMOVE = 0x03, DSA_TEST_FILL = 0x04, DSA_TEST_COMPARE = 0x05,
    DSA_TEST_COMPVAL = 0x06, DSA_TEST_DUALCAST = 0x09,
    DSA_TEST_CRCGEN = 0x10, DSA_TEST_COPY_CRC = 0x11, DSA_TEST_CFLUSH = 0x20,
};

#define DSA_TEST_CR_SIZE        32
#define DSA_TEST_SUCCESS        0x01

typedef struct DSATest {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev;
    QPCIBar mmio, portals;
    unsigned bdf;               /* bus, device and function */
    uint64_t grpcfg, wqcfg, msixperm, ims;  /* offsets in BAR0; 0 for none */
    unsigned wqs, groups, engines, wq_size;
} DSATest;

/* A descriptor before it is laid out; addresses as the device sees them */
typedef struct DSATestDesc {
    uint8_t opcode;
    uint32_t flags;
    uint32_t pasid;             /* for shared queues */
    bool priv;
    uint64_t cr;                /* completion record; with DSA_TEST_CRAV */
    uint64_t addr1, addr2;      /* source, destination */
    uint32_t size;              /* bytes or descriptors */
    uint16_t int_handle;
    uint64_t op[3];             /* bytes 0x28 to 0x3f */
} DSATestDesc;

/**
 * dsa_test_start: a q35 machine with an intel-dsa in DSA_TEST_SLOT, its BARs
 * mapped, memory and bus mastering on.
 * @props: further properties of the device, each with a comma before it, or ""
 * @machine: further arguments for the emulator, or ""
 */
DSATest *dsa_test_start(const char *props, const char *machine);

/**
 * dsa_test_attach: the same with a running emulator whose arguments were
 * dsa_test_args().
 */
DSATest *dsa_test_attach(QTestState *qts);
/* The same with the device behind a root port in @slot */
DSATest *dsa_test_attach_behind(QTestState *qts, unsigned slot);
/* Release @t, but not the emulator */
void dsa_test_detach(DSATest *t);
char *dsa_test_args(const char *props, const char *machine);

/* Go on with @qts, to which the machine was migrated; the old one is quit */
void dsa_test_move(DSATest *t, QTestState *qts);

/* Release everything; quits the emulator too */
void dsa_test_stop(DSATest *t);

/*
 * For qtest_add(): a machine of its own for each case. The case's data are the
 * device's further properties as for dsa_test_start(), or NULL.
 */
typedef struct DSATestFixture {
    DSATest *t;
} DSATestFixture;

void dsa_test_setup(DSATestFixture *f, const void *props);
void dsa_test_teardown(DSATestFixture *f, const void *props);

/* Registers of BAR0 */
uint32_t dsa_test_read(DSATest *t, uint64_t reg);
uint64_t dsa_test_read64(DSATest *t, uint64_t reg);
void dsa_test_write(DSATest *t, uint64_t reg, uint32_t val);
void dsa_test_write64(DSATest *t, uint64_t reg, uint64_t val);

/* Extended configuration space, which port I/O does not reach */
uint32_t dsa_test_cfg(DSATest *t, unsigned offset);
void dsa_test_cfg_write(DSATest *t, unsigned offset, uint32_t val);
void dsa_test_cfg_writew(DSATest *t, unsigned offset, uint16_t val);
/* Offset of an extended capability, or 0 */
unsigned dsa_test_ext_cap(DSATest *t, uint16_t id);
/* Function Level Reset, and memory and bus mastering on again */
void dsa_test_flr(DSATest *t);

/* Write CMD and return at once; @code with DSA_TEST_CMD_INT if wanted */
void dsa_test_cmd_start(DSATest *t, uint32_t code, uint32_t operand);
/* Wait until no command is active; returns CMDSTS */
uint32_t dsa_test_cmd_wait(DSATest *t);
/* Both; returns the status code */
uint8_t dsa_test_cmd(DSATest *t, uint32_t code, uint32_t operand);
/* The same, and it must succeed */
void dsa_test_cmd_ok(DSATest *t, uint32_t code, uint32_t operand);

/* GRPCFG: bitmaps of queues and engines, all read buffers allowed */
void dsa_test_group(DSATest *t, unsigned group, uint64_t wqs, uint64_t engines);
/* WQCFG: size, threshold, doubleword 2, and the largest transfer and batch */
void dsa_test_wq(DSATest *t, unsigned wq, unsigned size, unsigned threshold,
                 uint32_t mode);
uint64_t dsa_test_wqcfg(DSATest *t, unsigned wq, unsigned dword);
/* One dedicated queue 0 of @size on engine 0, device and queue enabled */
void dsa_test_one_wq(DSATest *t, unsigned size, uint32_t mode);

/* How many descriptors are in a queue */
unsigned dsa_test_occupancy(DSATest *t, unsigned wq);
/* The error in SWERR, or 0 if there is none; acknowledges it */
uint8_t dsa_test_swerr(DSATest *t);
/* Wait until there is one; returns it and leaves it there */
uint8_t dsa_test_wait_swerr(DSATest *t);

/* Random bytes, also in guest memory at @at; the caller frees them */
uint8_t *dsa_test_put_random(DSATest *t, uint64_t at, size_t len);
void dsa_test_expect_bytes(DSATest *t, uint64_t at, const uint8_t *want,
                           size_t len);

/*
 * Stop and continue the machine. That stops the engines and nothing else:
 * what is submitted stays in the queues.
 */
void dsa_test_pause(DSATest *t);
void dsa_test_resume(DSATest *t);
/*
 * Go on with the same machine, whose device has properties @props, in another
 * emulator. It stays paused if it was.
 */
void dsa_test_migrate(DSATest *t, const char *props);

/* Lay @d out in 64 bytes */
void dsa_test_desc(const DSATestDesc *d, uint8_t raw[64]);
/* Submit through a queue's portal page 0 to 3, as MOVDIR64B or as ENQCMD */
QTestDMWr dsa_test_submit_raw(DSATest *t, unsigned wq, unsigned page,
                              bool deferrable, const uint8_t raw[64]);
QTestDMWr dsa_test_submit(DSATest *t, unsigned wq, const DSATestDesc *d);
/* The same deferrably, as ENQCMD, through page @page */
QTestDMWr dsa_test_enqueue(DSATest *t, unsigned wq, unsigned page,
                           const DSATestDesc *d);
/* Clear the completion record at guest physical @gpa */
void dsa_test_clear_cr(DSATest *t, uint64_t gpa);
/* Wait until it has a status; returns the status */
uint8_t dsa_test_wait_cr(DSATest *t, uint64_t gpa);

/*
 * Program MSI-X vector @vector to store @data at guest physical @gpa, and
 * MSI-X on.
 */
void dsa_test_msix(DSATest *t, unsigned vector, uint64_t gpa, uint32_t data);
/* Wait until the doubleword at @gpa is @data */
void dsa_test_wait_u32(DSATest *t, uint64_t gpa, uint32_t data);

#endif /* TESTS_QTEST_DSA_TEST_LIB_H */
