/*
 * What the benchmark programs share: their options and the median
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "bench-lib.h"

BenchOptions bench_options(int argc, char **argv)
{
    BenchOptions o = { .runs = 9 };
    const GOptionEntry entries[] = {
        { "csv", 0, 0, G_OPTION_ARG_FILENAME, &o.csv,
          "also write the figures to FILE", "FILE" },
        { "runs", 0, 0, G_OPTION_ARG_INT, &o.runs,
          "take the median of N runs (default 9)", "N" },
        { },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("%s\n", error->message);
        exit(1);
    }
    if (o.runs < 1) {
        g_printerr("--runs takes a positive number\n");
        exit(1);
    }
    return o;
}

FILE *bench_csv(const BenchOptions *options, const char *header)
{
    FILE *csv;

    if (!options->csv) {
        return NULL;
    }
    csv = fopen(options->csv, "w");
    if (!csv) {
        g_printerr("cannot write %s: %s\n", options->csv, strerror(errno));
        exit(1);
    }
    fprintf(csv, "%s\n", header);
    return csv;
}

static int compare_figures(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *figures, unsigned n)
{
    qsort(figures, n, sizeof(*figures), compare_figures);
    return figures[n / 2];
}
