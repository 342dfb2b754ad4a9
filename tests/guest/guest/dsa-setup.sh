# SPDX-License-Identifier: GPL-2.0-or-later
#
# A user's dedicated queue, /dev/dsa/wq0.0, for work by hand.
. /tests/lib.sh
dsa_probe
dsa_queue user app1 user 16 --block-on-fault=1
