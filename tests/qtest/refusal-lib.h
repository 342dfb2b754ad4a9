/*
 * Emulators that have to refuse to start
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_REFUSAL_LIB_H
#define TESTS_QTEST_REFUSAL_LIB_H

/**
 * refusal_of: what an emulator says that has to refuse to start.
 * @options: of its command line, besides those of an empty q35
 *
 * Fails if it starts. The caller frees the answer.
 */
char *refusal_of(const char *options);

#endif /* TESTS_QTEST_REFUSAL_LIB_H */
