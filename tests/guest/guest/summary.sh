# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ./run shows: real work by a user process, in words for a reader. The
# last line says whether it succeeded.
say() {
    echo "$*"
}
quietly() {
    "$@" > /tmp/out 2>&1 && return
    say "This failed: $*"
    cat /tmp/out
    say "RESULT: failed"
    return 1
}
tap_count=0
done_testing() {
    :
}

say "Guest: Linux $(uname -r), $(nproc) CPU(s), its own drivers"
say "IOMMU: $(ls /sys/class/iommu | tr '\n' ' ')with" \
    "$(ls /sys/kernel/iommu_groups | wc -l) groups;" \
    "$(dmesg | sed -n 's/.*\(Enabled IRQ remapping in .* mode\).*/\1/p' |
        tail -n 1)"
if quietly load idxd && [ ! -d /sys/bus/dsa ]; then
    say "This kernel has no idxd driver built in, and the image none of its" \
        "modules: name their folder with --modules."
    say "RESULT: failed"
    return
fi
quietly until_true 5 test -d $dsa_devices/dsa0 &&
say "Accelerator: dsa0, version $(cat $dsa_devices/dsa0/version)," \
    "$(cat $dsa_devices/dsa0/max_work_queues) queues," \
    "$(cat $dsa_devices/dsa0/max_engines) engines," \
    "pasid_enabled $(cat $dsa_devices/dsa0/pasid_enabled)" &&
quietly accel-config config-engine dsa0/engine0.0 --group-id=0 &&
quietly accel-config config-wq dsa0/wq0.0 --group-id=0 --mode=dedicated \
    --wq-size=16 --priority=10 --type=user --name=app1 --driver-name=user \
    --block-on-fault=1 &&
quietly accel-config enable-device dsa0 &&
quietly accel-config enable-wq dsa0/wq0.0 &&
say "Queue: dsa0/wq0.0 $(cat $dsa_devices/wq0.0/mode), type" \
    "$(cat $dsa_devices/wq0.0/type), $(cat $dsa_devices/wq0.0/state)" &&
quietly until_true 5 test -c /dev/dsa/wq0.0 &&
{
    echo 8 > /proc/sys/vm/nr_hugepages
    if dsa-user --summary /dev/dsa/wq0.0; then
        say "RESULT: passed"
    else
        say "RESULT: failed"
    fi
}
