/*
 * What the benchmark programs share: their options and the median
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_BENCH_BENCH_LIB_H
#define TESTS_BENCH_BENCH_LIB_H

typedef struct BenchOptions {
    int runs;               /* a figure is the median of as many */
    char *csv;              /* where the figures go too, or NULL */
} BenchOptions;

/* Read the command line; exits with a sentence if it is wrong */
BenchOptions bench_options(int argc, char **argv);

/**
 * bench_csv: the file that the user asked for.
 * @header: its first line, the columns' names
 *
 * Returns NULL if none was asked for; exits if it cannot be written.
 */
FILE *bench_csv(const BenchOptions *options, const char *header);

/* The middle one of @n figures, which are sorted */
double bench_median(double *figures, unsigned n);

#endif /* TESTS_BENCH_BENCH_LIB_H */
