/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/trace-siov_hw_i386_vtd.h"
