/*
 * XSAVEC, XSAVES, XRSTORS, and XRSTOR of the compacted format
 *
 * Words on the command line say what the processor lacks: see read_options().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

void bare_main(void)
{
    read_options();
    if (!has_xsave) {
        test_absent();
        test_msrs();
        return;
    }
    enable_all();
    test_cpuid();
    test_msrs();
    test_absent();
    test_save();
    test_restore();
    test_faults();
#if BARE_BITS == 64
    test_paging();
#endif
}
