/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/trace-siov_hw_misc_dsa.h"
