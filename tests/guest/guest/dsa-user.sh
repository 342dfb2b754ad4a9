# SPDX-License-Identifier: GPL-2.0-or-later
#
# A user process moves its own memory through the accelerator.
dsa_probe || return
is "user processes may use PASIDs" "$(cat $dsa_devices/dsa0/pasid_enabled)" 1
dsa_queue user app1 user 16 --block-on-fault=1 || return
check "the queue has a device node" until_true 5 test -c /dev/dsa/wq0.0 ||
    return

echo 8 > /proc/sys/vm/nr_hugepages
echo always > /sys/kernel/mm/transparent_hugepage/enabled
adopt dsa-user /dev/dsa/wq0.0
check "the process can be run again" dsa-user --summary /dev/dsa/wq0.0
sed 's/^/# /' /tmp/check.out
dsa_disable
