/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "libtap.h"

static unsigned tests, failures;

void tap_result(const char *why, const char *name, ...)
{
    bool failed = why && *why;
    va_list args;

    failures += failed;
    printf("%sok %u - ", failed ? "not " : "", ++tests);
    va_start(args, name);
    vprintf(name, args);
    va_end(args);
    printf("\n");
    if (failed) {
        printf("# %s\n", why);
    }
    fflush(stdout);
}

int tap_end(void)
{
    printf("1..%u\n", tests);
    fflush(stdout);
    return failures ? 1 : 0;
}

const char *tap_why(const char *format, ...)
{
    static __thread char texts[4][256];
    static __thread unsigned next;
    char *text = texts[next++ % 4];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(texts[0]), format, args);
    va_end(args);
    return text;
}
