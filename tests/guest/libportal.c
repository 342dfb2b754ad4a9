/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libmem.h"
#include "libportal.h"

#define PORTALS 4                   /* pages of each queue (DSA section 3.3) */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* volatile: device memory */
volatile uint8_t *portal_map(const char *path, enum portal_page page)
{
    unsigned device, queue;
    char name[128];
    void *at;
    int fd;

    if (sscanf(name_of(path), "wq%u.%u", &device, &queue) != 2) {
        errno = EINVAL;
        return NULL;
    }
    snprintf(name, sizeof(name), "/sys/bus/dsa/devices/dsa%u/../resource2",
             device);
    fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
              (queue * PORTALS + page) * PAGE);
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

/* Without memory from the C library: the caller may not be able to get any */
long queue_value(const char *path, const char *name)
{
    char file[256], text[32];
    ssize_t got = -1;
    int fd;

    snprintf(file, sizeof(file), "/sys/bus/dsa/devices/%s/%s", name_of(path),
             name);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, text, sizeof(text) - 1);
        close(fd);
    }
    if (got <= 0) {
        return -1;
    }
    text[got] = 0;
    return atol(text);
}
