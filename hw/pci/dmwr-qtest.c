/*
 * 64-byte writes from a qtest, so that tests of targets need no CPU
 *
 * The command is
 *   dmwr ADDR posted|deferrable HEX
 * with an address in system memory and 128 hexadecimal digits, first byte
 * first. Answers:
 *   OK accepted     the target or, for a posted write, the memory took it
 *   OK retry        it did not
 *   OK error        no initiator can send that: ADDR is not a multiple of 64
 *   FAIL reason     the command is malformed
 *
 * The base has one hook for commands of a machine and no x86 machine uses it;
 * so this file belongs to x86 emulators only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/module.h"
#include "hw/pci/dmwr.h"
#include "system/address-spaces.h"
#include "system/qtest.h"

static bool parse_data(const char *hex, uint8_t *data)
{
    if (strlen(hex) != DMWR_SIZE * 2) {
        return false;
    }
    for (unsigned i = 0; i < DMWR_SIZE; i++) {
        int high = g_ascii_xdigit_value(hex[i * 2]);
        int low = g_ascii_xdigit_value(hex[i * 2 + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        data[i] = high << 4 | low;
    }
    return true;
}

static bool parse_kind(const char *word, DMWrKind *kind)
{
    if (!strcmp(word, "posted")) {
        *kind = DMWR_POSTED;
    } else if (!strcmp(word, "deferrable")) {
        *kind = DMWR_DEFERRABLE;
    } else {
        return false;
    }
    return true;
}

static const char *dmwr_answer(gchar **words)
{
    uint8_t data[DMWR_SIZE];
    DMWrStatus status;
    DMWrKind kind;
    uint64_t addr;

    if (g_strv_length(words) != 4) {
        return "FAIL dmwr takes ADDR posted|deferrable HEX\n";
    }
    if (qemu_strtou64(words[1], NULL, 0, &addr)) {
        return "FAIL dmwr: ADDR is no number\n";
    }
    if (!parse_kind(words[2], &kind)) {
        return "FAIL dmwr: the kind is posted or deferrable\n";
    }
    if (!parse_data(words[3], data)) {
        return "FAIL dmwr: the data are 128 hexadecimal digits\n";
    }
    if (!QEMU_IS_ALIGNED(addr, DMWR_SIZE)) {
        return "OK error\n";
    }

    status = address_space_dmwr(&address_space_memory, addr, data, kind,
                                MEMTXATTRS_UNSPECIFIED);
    return status == DMWR_ACCEPTED ? "OK accepted\n" : "OK retry\n";
}

static bool dmwr_qtest_command(CharFrontend *chr, gchar **words)
{
    if (strcmp(words[0], "dmwr")) {
        return false;
    }
    qtest_sendf(chr, "%s", dmwr_answer(words));
    return true;
}

static void dmwr_qtest_register(void)
{
    qtest_set_command_cb(dmwr_qtest_command);
}

type_init(dmwr_qtest_register)
