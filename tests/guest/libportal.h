/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue's portals by the PCI function's own file, without the driver: so a
 * process without a PASID, or with one that it should not use, has something
 * to write to. For tests of what the processor refuses.
 */
#ifndef LIBPORTAL_H
#define LIBPORTAL_H

#include <stdbool.h>
#include <stdint.h>

enum portal_page { PORTAL_UNLIMITED, PORTAL_LIMITED };

/* The portal of the queue @path (/dev/dsa/wqX.Y); NULL with errno set. */
volatile uint8_t *portal_map(const char *path, enum portal_page page);

/* A number that the driver tells of the queue, e.g. "occupancy"; -1 if none */
long queue_value(const char *path, const char *name);

#endif
