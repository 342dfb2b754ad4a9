# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes come and go with work in flight, more of them than there are
# PASIDs; afterwards there are as many PASIDs as before.
dsa_probe || return
dsa_engine 0 0 || return
dsa_wq 0 0 shared 32 10 || return
dsa_start 0 || return

# 2^6 without 0 and without the kernel's own
adopt dsa-pasids 62 /dev/dsa/wq0.0
adopt dsa-storm -n 140 /dev/dsa/wq0.0
dsa_unused 0
adopt dsa-pasids 62 /dev/dsa/wq0.0
dsa_stop 0
