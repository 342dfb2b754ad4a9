/*
 * Benchmark: what a submission costs a guest's processor, and what waiting for
 * a completion costs
 *
 * Runs a program without an operating system, tests/guest/bare/submit-bench.c,
 * which measures all cases in one run. What lasts are the ratios to an
 * ordinary 8-byte store to a device, which is in the same run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "bench-lib.h"

typedef struct Case {
    const char *figure;     /* the program's name for it */
    const char *name;
    const char *unit;
    const char *mode;
} Case;

#define NOTHING "a device that does nothing"
#define QUEUE "a work queue, NOOP"
#define LATENCY "one NOOP until its completion"

static const Case cases[] = {
    { "store-1", NOTHING, "8-byte store", "1 vCPU" },
    { "movdir64b-1", NOTHING, "MOVDIR64B", "1 vCPU" },
    { "enqcmd-1", NOTHING, "ENQCMD", "1 vCPU" },
    { "store-2", NOTHING, "8-byte store", "2 vCPUs" },
    { "movdir64b-2", NOTHING, "MOVDIR64B", "2 vCPUs" },
    { "enqcmd-2", NOTHING, "ENQCMD", "2 vCPUs" },
    { "dedicated-1", QUEUE, "MOVDIR64B", "1 vCPU" },
    { "shared-1", QUEUE, "ENQCMD", "1 vCPU" },
    { "shared-2", QUEUE, "ENQCMD", "2 vCPUs" },
    { "read", LATENCY, "reading", "1 vCPU" },
    { "pause", LATENCY, "PAUSE", "1 vCPU" },
    { "umwait", LATENCY, "UMWAIT", "1 vCPU" },
};

#define CASES ARRAY_SIZE(cases)

static double *ns[CASES];

static G_NORETURN void fail(const char *why, const char *output)
{
    g_printerr("%s%s\n", output, why);
    exit(1);
}

/* What the program printed; to be freed */
static void run_program(char **output)
{
    const char *emulator = getenv("QTEST_QEMU_BINARY");
    const char *const args[] = {
        emulator, "-machine", "q35", "-cpu", "max", "-smp", "2", "-m", "64",
        "-accel", "tcg,thread=multi", "-nodefaults", "-no-reboot",
        "-display", "none", "-serial", "stdio",
        "-device", "dmwr-testdev,addr=4", "-device", "intel-dsa,addr=5",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        "-kernel", SUBMIT_BENCH_IMAGE, NULL,
    };
    g_autoptr(GError) error = NULL;

    if (!emulator) {
        fail("set QTEST_QEMU_BINARY to the emulator's path", "");
    }
    if (!g_spawn_sync(NULL, (char **)args, NULL, G_SPAWN_SEARCH_PATH, NULL,
                      NULL, output, NULL, NULL, &error)) {
        fail(error->message, "");
    }
    if (strstr(*output, "not ok") || !strstr(*output, "\n1..")) {
        fail("the program in the guest failed", *output);
    }
}

/* "# figure NAME HEX": hundredths of a nanosecond */
static double find_figure(const char *output, const char *name)
{
    char key[40];
    const char *line;

    snprintf(key, sizeof(key), "# figure %s ", name);
    line = strstr(output, key);
    if (!line) {
        fail("the program in the guest left out a figure", output);
    }
    return g_ascii_strtoull(line + strlen(key), NULL, 16) / 100.0;
}

static void print_table(BenchOptions *options, FILE *csv)
{
    double store = 0;

    printf("%-30s %-13s %-8s %9s %14s %10s\n", "to", "by", "from", "ns",
           "per s and vCPU", "of a store");
    for (unsigned i = 0; i < CASES; i++) {
        const Case *c = &cases[i];
        double median = bench_median(ns[i], options->runs);

        if (!strncmp(c->figure, "store", 5)) {
            store = median;     /* of as many processors, as the rows below */
        } else if (strstr(c->mode, "1 ")) {
            store = bench_median(ns[0], options->runs);
        }
        printf("%-30s %-13s %-8s %9.0f %14.0f %9.2fx\n", c->name, c->unit,
               c->mode, median, 1e9 / median, median / store);
        if (csv) {
            fprintf(csv, "\"%s\",%s,%s,%.1f,%.3f\n", c->name, c->unit,
                    c->mode, median, median / store);
        }
    }
}

int main(int argc, char **argv)
{
    BenchOptions options = bench_options(argc, argv);
    FILE *csv = bench_csv(&options, "case,unit,mode,ns,of_store");

    for (unsigned i = 0; i < CASES; i++) {
        ns[i] = g_new(double, options.runs);
    }
    for (int run = 0; run < options.runs; run++) {
        char *output;

        run_program(&output);
        for (unsigned i = 0; i < CASES; i++) {
            ns[i][run] = find_figure(output, cases[i].figure);
        }
        g_free(output);
    }
    print_table(&options, csv);
    if (csv) {
        fclose(csv);
    }
    return 0;
}
