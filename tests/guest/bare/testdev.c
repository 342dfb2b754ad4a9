/*
 * Bare-metal tests: the dmwr-testdev in slot 4
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "testdev.h"

volatile uint32_t *testdev;             /* registers */
uint8_t *portals;

bool testdev_find(void)
{
    testdev = (void *)pci_bar(4, 0);
    portals = (void *)pci_bar(4, 2);
    check(testdev && portals, "dmwr-testdev is there");
    return testdev && portals;
}
