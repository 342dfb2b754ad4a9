# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tasks keep their registers, whatever goes on.
. /tests/cpu-lib.sh
cpu_features
cpu_state "$(setting rounds 600)"
