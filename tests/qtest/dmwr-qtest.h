/*
 * 64-byte writes from a qtest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_DMWR_QTEST_H
#define TESTS_QTEST_DMWR_QTEST_H

#include "tests/qtest/libqtest.h"

typedef enum QTestDMWr {
    QTEST_DMWR_ACCEPTED,
    QTEST_DMWR_RETRY,
    QTEST_DMWR_ERROR,       /* the address is not a multiple of 64 */
} QTestDMWr;

/**
 * qtest_dmwr: write 64 bytes in one piece.
 * @s: the emulator
 * @addr: guest physical address
 * @deferrable: as ENQCMD does; otherwise posted, as MOVDIR64B does
 * @data: 64 bytes in guest byte order
 *
 * A posted write to something that does not take 64 bytes at once, such as
 * RAM, is an ordinary write of 64 bytes; a deferrable one changes nothing
 * there and gets QTEST_DMWR_RETRY.
 */
QTestDMWr qtest_dmwr(QTestState *s, uint64_t addr, bool deferrable,
                     const void *data);

#endif /* TESTS_QTEST_DMWR_QTEST_H */
