/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system is one file, its root. The protocol is that of Linux's
 * FUSE, version 7.31, as little of it as a mapping needs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libmem.h"
#include "libslow.h"

#define REQUEST_MAX (256 * 1024)

static void answer(int fd, const struct fuse_in_header *in, int error,
                   const void *data, size_t size)
{
    struct fuse_out_header out = {
        .len = sizeof(out) + size, .error = error, .unique = in->unique,
    };
    struct iovec parts[] = {
        { &out, sizeof(out) }, { (void *)data, size },
    };

    if (writev(fd, parts, 2) < 0 && errno != ENOENT) {
        _exit(1);
    }
}

static void answer_read(int fd, const struct slow *s,
                        const struct fuse_in_header *in,
                        const struct fuse_read_in *read, const uint8_t *bytes)
{
    size_t left = read->offset < s->size ? s->size - read->offset : 0;

    *s->asked = true;
    while (*s->held) {
        usleep(1000);
    }
    answer(fd, in, 0, bytes + read->offset,
           read->size < left ? read->size : left);
}

static void serve(int fd, const struct slow *s, const uint8_t *bytes,
                  const struct fuse_in_header *in)
{
    const struct fuse_init_out init = {
        .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = PAGE,
        .max_background = 64, .congestion_threshold = 64,
    };
    const struct fuse_attr_out attributes = {
        .attr_valid = 1000,
        .attr = { .ino = FUSE_ROOT_ID, .size = s->size,
                  .mode = S_IFREG | 0444, .nlink = 1, .blksize = PAGE },
    };
    const struct fuse_open_out opened = { .open_flags = FOPEN_KEEP_CACHE };

    switch (in->opcode) {
    case FUSE_INIT:
        answer(fd, in, 0, &init, sizeof(init));
        break;
    case FUSE_GETATTR:
        answer(fd, in, 0, &attributes, sizeof(attributes));
        break;
    case FUSE_OPEN:
        answer(fd, in, 0, &opened, sizeof(opened));
        break;
    case FUSE_READ:
        answer_read(fd, s, in, (const void *)(in + 1), bytes);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
        answer(fd, in, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;                      /* these have no answer */
    default:
        answer(fd, in, -ENOSYS, NULL, 0);
    }
}

static void server(int fd, const struct slow *s)
{
    uint8_t *request = malloc(REQUEST_MAX), *bytes = malloc(s->size);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!request || !bytes) {
        _exit(1);
    }
    mem_fill(bytes, s->size, SLOW_KEY);
    for (;;) {
        ssize_t got = read(fd, request, REQUEST_MAX);

        if (got >= (ssize_t)sizeof(struct fuse_in_header)) {
            serve(fd, s, bytes, (const struct fuse_in_header *)request);
        } else if (got < 0 && errno != EINTR && errno != ENOENT) {
            _exit(0);               /* unmounted */
        }
    }
}

static bool mount_file(struct slow *s, int fd)
{
    char options[100];
    int file;

    snprintf(s->path, sizeof(s->path), "/tmp/slow-XXXXXX");
    file = mkstemp(s->path);
    if (file < 0) {
        return false;
    }
    close(file);
    snprintf(options, sizeof(options),
             "fd=%d,rootmode=%o,user_id=0,group_id=0", fd, S_IFREG | 0444);
    return mount("slow", s->path, "fuse", MS_RDONLY, options) == 0;
}

bool slow_make(struct slow *s, size_t size)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), file;
    struct stat status;

    *s = (struct slow) { .size = size };
    s->held = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fd < 0 || s->held == MAP_FAILED || !mount_file(s, fd)) {
        return false;
    }
    s->asked = s->held + 1;
    *s->held = true;
    s->server = fork();
    if (s->server == 0) {
        server(fd, s);
    }
    close(fd);
    file = open(s->path, O_RDONLY | O_CLOEXEC);
    /* the kernel knows the file's size when it has asked for it */
    if (file < 0 || fstat(file, &status) || status.st_size != (off_t)size) {
        return false;
    }
    s->at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    return s->at != MAP_FAILED;
}

void slow_release(struct slow *s)
{
    *s->held = false;
}

void slow_drop(struct slow *s)
{
    slow_release(s);
    munmap(s->at, s->size);
    umount2(s->path, MNT_DETACH);
    kill(s->server, SIGKILL);
    waitpid(s->server, NULL, 0);
    unlink(s->path);
    munmap((void *)s->held, PAGE);
}
