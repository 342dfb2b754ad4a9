/*
 * Migration in the tests of devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "migrate-lib.h"

void migrate_wait(QTestState *qts)
{
    bool over = false;

    while (!over) {
        QDict *rsp = qtest_qmp_assert_success_ref(
            qts, "{ 'execute': 'query-migrate' }");
        const char *status = qdict_get_try_str(rsp, "status");

        g_assert_cmpstr(status, !=, "failed");
        over = status && g_str_equal(status, "completed");
        qobject_unref(rsp);
        g_usleep(1000);
    }
}

char *migrate_to_file(QTestState *qts)
{
    g_autofree char *uri = NULL;
    char *path;
    int fd = g_file_open_tmp("qtest-migrate-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strconcat("file:", path, NULL);
    qtest_qmp_assert_success(qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    migrate_wait(qts);
    return path;
}

char *migrate_stream(const char *path, const void *mark, size_t size,
                     char **at, gsize *length)
{
    char *stream;

    g_assert_true(g_file_get_contents(path, &stream, length, NULL));
    *at = memmem(stream, *length, mark, size);
    g_assert_nonnull(*at);
    return stream;
}
