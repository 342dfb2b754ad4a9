# SPDX-License-Identifier: GPL-2.0-or-later
#
# Linux 6.1 of Debian has shared virtual addressing compiled out: binding a
# process fails with EOPNOTSUPP, and so does opening a user's queue.
dsa_probe || return
dsa_queue user app1 user 16 --block-on-fault=1 || return
check "the queue has a device node" until_true 5 test -c /dev/dsa/wq0.0 ||
    return
dsa-user --open /dev/dsa/wq0.0 > /tmp/open.out 2>&1
is "opening it fails as this kernel says" "$(cat /tmp/open.out)" \
    "open: Operation not supported"
check "the driver says why" \
    sh -c "dmesg | grep 'pasid allocation failed: -95'"
dsa_disable
