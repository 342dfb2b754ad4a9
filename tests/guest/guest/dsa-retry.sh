# SPDX-License-Identifier: GPL-2.0-or-later
#
# When a shared queue says "retry".
load fuse
dsa_probe || return
dsa_engine 0 0 || return
dsa_wq 0 0 shared 24 10 --threshold=16 && dsa_wq 1 0 shared 8 10 || return
dsa_start 0 1 || return
adopt dsa-retry 24 16 /dev/dsa/wq0.0 /dev/dsa/wq0.1
dsa_stop 0 1
