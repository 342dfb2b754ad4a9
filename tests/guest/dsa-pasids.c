/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-pasids: how many processes can use a shared queue at a time.
 *
 *   dsa-pasids [-l LIMIT] DEVICE        results as TAP
 *
 * Opens it in one process after the other until PASIDs run out, or LIMIT
 * processes have it. Those who have one stay unharmed, and all PASIDs come
 * back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libmem.h"
#include "libtap.h"
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

/*
 * A PASID is free when the last user of the memory is gone. For a while after
 * a process has ended an idle processor may be one, or the kernel's thread
 * that was to bring a page.
 */
static int add_user_in_time(const char *path)
{
    unsigned tries;
    int error = ENOSPC;

    for (tries = 0; error == ENOSPC && tries < 100; tries++) {
        usleep(tries ? 50000 : 0);
        error = add_user(path);
    }
    return error;
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

/*
 * Returns the error that ended it, 0 at the limit. Who used PASIDs before this
 * program may hold some a little longer, too.
 */
static int fill_up(const char *path, unsigned limit)
{
    int error = 0;

    while (!error && user_count < limit) {
        error = add_user_in_time(path);
    }
    return error;
}

int main(int argc, char **argv)
{
    unsigned limit = USERS_MAX, first;
    int expected = ENOSPC, error;
    const char *path;

    if (argc == 4 && strcmp(argv[1], "-l") == 0) {
        limit = atoi(argv[2]);
        expected = 0;
    }
    if ((argc != 2 && argc != 4) || !limit || limit > USERS_MAX) {
        fprintf(stderr, "usage: dsa-pasids [-l LIMIT] DEVICE\n");
        return 2;
    }
    path = argv[argc - 1];
    error = fill_up(path, limit);
    first = user_count;
    tap_result(error == expected && first ? NULL : strerror(error),
               "processes open the queue until %s",
               expected ? "there is no PASID left" : "there are enough");
    printf("# users: %u\n", first);
    tap_result(all_work(), "the work of all of them is right");
    if (expected && first) {
        drop_user();
        tap_result(add_user_in_time(path) ? "it fails" : NULL,
                   "where one ends another one may begin");
        tap_result(add_user(path) == ENOSPC ? NULL : "it does not fail",
                   "but no more than that");
        tap_result(all_work(), "and all of them go on working");
    }
    while (user_count) {
        drop_user();
    }
    while (user_count < first && !add_user_in_time(path)) {
        /* as many as before */
    }
    tap_result(user_count == first ? NULL : tap_why("%u of %u", user_count,
                                                    first),
               "after all have ended as many may begin");
    while (user_count) {
        drop_user();
    }
    return tap_end();
}
