/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-pasids: how many processes can use a shared queue at a time.
 *
 *   dsa-pasids COUNT DEVICE             results as TAP
 *
 * COUNT of them can, and the next one is refused a PASID. Those who have one
 * stay unharmed, and all PASIDs come back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcpus.h"
#include "libmem.h"
#include "libtap.h"
#include "libuntil.h"
#include "libwork.h"

#define USERS_MAX 2048

struct user {
    pid_t pid;
    int line;                       /* a byte each way: do work, done */
};

static struct user users[USERS_MAX];
static unsigned user_count;

/* A user's life: tell how the open went, then work at each request */
static void be_user(const char *path, int line)
{
    struct work work = { .rounds = 2, .seed = getpid() };
    struct dsa d;
    uint8_t said = 0;

    if (!dsa_open(&d, path)) {
        said = errno;
        _exit(write(line, &said, 1) != 1);
    }
    work.queue = &d;
    while (write(line, &said, 1) == 1 && read(line, &said, 1) == 1) {
        said = !work_run(&work);
    }
    dsa_close(&d);
    _exit(0);
}

/* Returns 0, or the error of the open */
static int add_user(const char *path)
{
    struct user *u = &users[user_count];
    uint8_t said = ECHILD;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        return errno;
    }
    u->line = ends[0];
    u->pid = fork();
    if (u->pid == 0) {
        unsigned i;

        for (i = 0; i <= user_count; i++) {
            close(users[i].line);
        }
        be_user(path, ends[1]);
    }
    close(ends[1]);
    if (read(u->line, &said, 1) != 1 || said) {
        close(u->line);
        waitpid(u->pid, NULL, 0);
        return said;
    }
    user_count++;
    return 0;
}

struct adding {
    const char *path;
    int error;
};

static bool added_or_refused(void *arg)
{
    struct adding *a = arg;

    a->error = add_user(a->path);
    if (a->error == ENOSPC) {
        run_everywhere();
    }
    return a->error != ENOSPC;
}

/*
 * A PASID is free when the last user of the memory is gone. After a process
 * has ended an idle processor may be one, or for a while the kernel's thread
 * that was to bring a page.
 */
static int add_user_in_time(const char *path)
{
    struct adding a = { .path = path };

    until_true(added_or_refused, &a);
    return a.error;
}

static void drop_user(void)
{
    struct user *u = &users[--user_count];

    close(u->line);
    waitpid(u->pid, NULL, 0);
}

static const char *all_work(void)
{
    uint8_t said = 0;
    unsigned i;

    for (i = 0; i < user_count; i++) {
        if (write(users[i].line, &said, 1) != 1) {
            return tap_why("user %u is gone", i);
        }
    }
    for (i = 0; i < user_count; i++) {
        if (read(users[i].line, &said, 1) != 1 || said) {
            return tap_why("the work of user %u failed", i);
        }
    }
    return NULL;
}

/* Who used PASIDs before may still be about to let go of them. */
static const char *fill_up(const char *path, unsigned count)
{
    int error = 0;

    while (!error && user_count < count) {
        error = add_user_in_time(path);
    }
    return error ? tap_why("%u of %u: %s", user_count, count, strerror(error))
                 : NULL;
}

static const char *no_more(const char *path)
{
    int error;

    run_everywhere();
    error = add_user(path);
    if (!error) {
        return "one more could";
    }
    return error == ENOSPC ? NULL : strerror(error);
}

static void test_exhaustion(const char *path)
{
    tap_result(no_more(path), "but no more than that");
    tap_result(all_work(), "and all of them work");
}

int main(int argc, char **argv)
{
    unsigned count = argc == 3 ? atoi(argv[1]) : 0;
    const char *path;

    if (!count || count >= USERS_MAX) {
        fprintf(stderr, "usage: dsa-pasids COUNT DEVICE\n");
        return 2;
    }
    path = argv[2];
    tap_result(fill_up(path, count), "%u processes open the queue", count);
    test_exhaustion(path);
    if (user_count) {
        drop_user();
    }
    tap_result(fill_up(path, count), "where one ends another one may begin");
    test_exhaustion(path);
    while (user_count) {
        drop_user();
    }
    tap_result(fill_up(path, count), "after all have ended as many may begin");
    while (user_count) {
        drop_user();
    }
    return tap_end();
}
