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

/*
 * The stream in the file @path, which the caller changes, writes back and
 * frees. *@at is where the @size bytes @mark are in it; they must be there.
 */
char *migrate_stream(const char *path, const void *mark, size_t size,
                     char **at, gsize *length);

#endif /* MIGRATE_LIB_H */
