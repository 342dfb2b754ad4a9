# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel with less than all features finds what there is and works with it.
. /tests/cpu-lib.sh
cpu_features
cpu_state 40
