/*
 * Migration in the tests of devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATE_LIB_H
#define MIGRATE_LIB_H

#include "tests/qtest/libqtest.h"

/*
 * Wait until @qts has migrated, as the source or as the destination; the test
 * fails if that fails.
 */
void migrate_wait(QTestState *qts);

/*
 * Migrate @qts to a new file. Returns its path, which the caller removes and
 * frees.
 */
char *migrate_to_file(QTestState *qts);

#endif /* MIGRATE_LIB_H */
