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
