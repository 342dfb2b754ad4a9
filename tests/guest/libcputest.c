/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "libcputest.h"
#include "module/cputest.h"

#define FLAG_CF 0x001
#define FLAG_PF 0x004
#define FLAG_AF 0x010
#define FLAG_ZF 0x040
#define FLAG_SF 0x080
#define FLAG_OF 0x800
#define FLAGS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* A value that no flags register has: bit 1 is always 1 */
#define NO_FLAGS 0

#define TD_VENDOR "0x1234"
#define TD_DEVICE "0x51f0"
#define CONTROL_SIZE 0x2000
#define PORTALS_SIZE 0x4000

const char *const enq_names[] = {
    [ENQ_ACCEPTED] = "ZF=0",
    [ENQ_RETRY] = "ZF=1",
    [ENQ_FLAGS] = "a flag that is not cleared",
    [ENQ_FAULT] = "SIGSEGV",
};

int cputest_open(void)
{
    return open("/dev/cputest", O_RDWR | O_CLOEXEC);
}

static bool again(int fd, unsigned long request, uint64_t *value)
{
    int rc;

    do {
        rc = ioctl(fd, request, value);
    } while (rc < 0 && errno == EAGAIN);
    return rc == 0;
}

bool cputest_set_pasid(int fd, uint64_t value)
{
    return again(fd, CPUTEST_SET_PASID, &value);
}

bool cputest_get_pasid(int fd, uint64_t *value)
{
    return again(fd, CPUTEST_GET_PASID, value);
}

bool cputest_get_xss(int fd, uint64_t *value)
{
    return again(fd, CPUTEST_GET_XSS, value);
}

/* Assemblers know ENQCMD since binutils 2.34: "enqcmd (%rsi), %rdi" */
asm(".text\n"
    ".globl enqcmd_flags, enqcmd_insn, enqcmd_next\n"
    ".type enqcmd_flags, @function\n"
    "enqcmd_flags:\n\t"
    "pushfq\n\t"
    "orq $0x8d5, (%rsp)\n\t"
    "popfq\n"
    "enqcmd_insn:\n\t"
    ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x3e\n\t"
    "pushfq\n\t"
    "pop %rax\n"
    "enqcmd_next:\n\t"
    "ret\n");

/* volatile: a device's memory */
enum enq enqcmd(volatile void *to, const void *from)
{
    unsigned long flags = enqcmd_flags(to, from);

    if (flags == NO_FLAGS) {
        return ENQ_FAULT;
    }
    if (flags & FLAGS & ~FLAG_ZF) {
        return ENQ_FLAGS;
    }
    return flags & FLAG_ZF ? ENQ_RETRY : ENQ_ACCEPTED;
}

bool enq_step_over(void *context)
{
    ucontext_t *uc = context;
    greg_t *gregs = uc->uc_mcontext.gregs;

    if (gregs[REG_RIP] != (greg_t)enqcmd_insn) {
        return false;
    }
    gregs[REG_RIP] = (greg_t)enqcmd_next;
    gregs[REG_RAX] = NO_FLAGS;
    return true;
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
    (void)info;
    if (!enq_step_over(context)) {
        /* not ours: let the instruction fault again and end the process */
        signal(sig, SIG_DFL);
    }
}

void enq_catch(void)
{
    struct sigaction action = {
        .sa_sigaction = on_segv,
        .sa_flags = SA_SIGINFO | SA_ONSTACK,
    };

    sigaction(SIGSEGV, &action, NULL);
}

static bool file_says(const char *folder, const char *name, const char *text)
{
    char path[300], line[32] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "r");
    if (!file) {
        return false;
    }
    if (!fgets(line, sizeof(line), file)) {
        line[0] = '\0';
    }
    fclose(file);
    return strncmp(line, text, strlen(text)) == 0;
}

static void *map_bar(const char *folder, int bar, size_t size, int protection)
{
    char path[300];
    void *at;
    int fd;

    snprintf(path, sizeof(path), "%s/resource%d", folder, bar);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        return NULL;
    }
    at = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        perror(path);
        at = NULL;
    }
    close(fd);
    return at;
}

static bool enable(const char *folder)
{
    char path[300];
    bool done;
    int fd;

    snprintf(path, sizeof(path), "%s/enable", folder);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    done = fd >= 0 && write(fd, "1", 1) == 1;
    if (!done) {
        perror(path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

bool testdev_open(struct testdev *t)
{
    const char *folder = NULL;
    bool good = false;
    glob_t found;

    memset(t, 0, sizeof(*t));
    if (glob("/sys/bus/pci/devices/[0-9]*", 0, NULL, &found)) {
        fprintf(stderr, "no PCI devices\n");
        return false;
    }
    for (size_t i = 0; i < found.gl_pathc && !folder; i++) {
        if (file_says(found.gl_pathv[i], "vendor", TD_VENDOR) &&
            file_says(found.gl_pathv[i], "device", TD_DEVICE)) {
            folder = found.gl_pathv[i];
        }
    }
    if (!folder) {
        fprintf(stderr, "no device dmwr-testdev\n");
    } else if (enable(folder)) {
        t->regs = map_bar(folder, 0, CONTROL_SIZE, PROT_READ | PROT_WRITE);
        t->portals = map_bar(folder, 2, PORTALS_SIZE, PROT_READ | PROT_WRITE);
        t->portals_ro = map_bar(folder, 2, PORTALS_SIZE, PROT_READ);
        good = t->regs && t->portals && t->portals_ro;
    }
    globfree(&found);
    return good;
}

uint32_t testdev_read(const struct testdev *t, unsigned reg)
{
    /* volatile: a device's memory */
    return *(volatile uint32_t *)(t->regs + reg);
}

void testdev_write(const struct testdev *t, unsigned reg, uint32_t value)
{
    /* volatile: a device's memory */
    *(volatile uint32_t *)(t->regs + reg) = value;
}

void testdev_slot(const struct testdev *t, unsigned slot, uint32_t data[16])
{
    for (unsigned i = 0; i < 16; i++) {
        data[i] = testdev_read(t, TD_SLOTS + slot * TD_SLOT + i * 4);
    }
}
