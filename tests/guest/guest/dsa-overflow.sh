# SPDX-License-Identifier: GPL-2.0-or-later
#
# Five accelerators ask for more pages than Linux's page request queue holds.
dsa_probe || return
queues=
for n in 0 1 2 3 4; do
    check "there is dsa$n" until_true 5 test -d "$dsa_devices/dsa$n" || return
    check "dsa$n gets an engine" \
        accel-config config-engine "dsa$n/engine$n.0" --group-id=0
    check "dsa$n gets a queue" \
        accel-config config-wq "dsa$n/wq$n.0" --group-id=0 --mode=dedicated \
        --wq-size=64 --priority=10 --type=user --name="app$n" \
        --driver-name=user --block-on-fault=1
    check "dsa$n is enabled" accel-config enable-device "dsa$n" || return
    check "its queue is enabled" accel-config enable-wq "dsa$n/wq$n.0" ||
        return
    check "its queue has a device node" \
        until_true 5 test -c "/dev/dsa/wq$n.0" || return
    queues="$queues /dev/dsa/wq$n.0"
done
adopt dsa-overflow $queues
for n in 0 1 2 3 4; do
    is "queue $n is empty in the end" \
        "$(cat "$dsa_devices/wq$n.0/occupancy")" 0
    check "queue $n is disabled" accel-config disable-wq "dsa$n/wq$n.0"
    check "dsa$n is disabled" accel-config disable-device "dsa$n"
done
