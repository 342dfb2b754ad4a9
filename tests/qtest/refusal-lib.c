/*
 * Emulators that have to refuse to start
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "refusal-lib.h"

char *refusal_of(const char *options)
{
    /* One that does start would run for ever */
    g_autofree char *command =
        g_strdup_printf("timeout 60 %s -accel qtest -machine q35 -nodefaults "
                        "-display none %s", getenv("QTEST_QEMU_BINARY"),
                        options);
    char *err = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(command, NULL, &err, &status,
                                            NULL));
    g_test_message("%s", err);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    return err;
}
