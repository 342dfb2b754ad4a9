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
# Some kernels of Debian, 6.1 for one, have shared virtual addressing compiled
# out: they offer the queue, and then let nobody open it.
may_open() {
    case $(dsa-user --open /dev/dsa/wq0.0) in
    "open: Operation not supported") ;;
    *) return 0 ;;
    esac
    say "This kernel has shared virtual addressing compiled out: its driver" \
        "lets no process use the accelerator (Operation not supported)."
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
quietly dsa_engine 0 0 &&
quietly dsa_wq 0 0 dedicated 16 10 &&
quietly dsa_wq 1 0 shared 16 10 &&
quietly dsa_start 0 && may_open &&
quietly accel-config enable-wq dsa0/wq0.1 &&
quietly until_true 5 test -c /dev/dsa/wq0.1 &&
{
    for wq in 0 1; do
        say "Queue: dsa0/wq0.$wq $(cat $dsa_devices/wq0.$wq/mode), size" \
            "$(cat $dsa_devices/wq0.$wq/size)," \
            "$(cat $dsa_devices/wq0.$wq/state)"
    done
    echo 8 > /proc/sys/vm/nr_hugepages
    count_requests
    if dsa-user --summary /dev/dsa/wq0.0 &&
            before=$(page_requests) &&
            dsa-swarm -s -p 8 -t 2 -r 40 -m 8 /dev/dsa/wq0.1; then
        say "  $(($(page_requests) - before)) page requests came to the" \
            "kernel meanwhile"
        say "RESULT: passed"
    else
        say "RESULT: failed"
    fi
}
