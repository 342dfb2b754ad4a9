# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the test scripts share: settings, modules, TAP, the accelerator.

tap_count=0

# setting KEY [DEFAULT]: the value of siov.KEY on the kernel command line
setting() {
    value=$(sed -n "s/^\(.* \)\{0,1\}siov\.$1=\([^ ]*\).*/\2/p" /proc/cmdline)
    echo "${value:-${2:-}}"
}

ok() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $*"
}

not_ok() {
    tap_count=$((tap_count + 1))
    echo "not ok $tap_count - $*"
}

note() {
    echo "# $*"
}

bail_out() {
    echo "Bail out! $*"
}

done_testing() {
    echo "1..$tap_count"
}

# check DESCRIPTION COMMAND...: one test; its output becomes comments
check() {
    what=$1
    shift
    if "$@" > /tmp/check.out 2>&1; then
        ok "$what"
    else
        not_ok "$what"
        note "failed: $*"
        sed 's/^/# /' /tmp/check.out
        return 1
    fi
}

is() {
    what=$1
    if [ "$2" = "$3" ]; then
        ok "$what"
    else
        not_ok "$what"
        note "expected '$3', got '$2'"
        return 1
    fi
}

# adopt PROGRAM...: run a program that prints TAP and make its lines ours
adopt() {
    "$@" > /tmp/adopt.out 2>&1
    status=$?
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' /tmp/adopt.out)
    while read -r line; do
        case $line in
        "ok "*) ok "$(echo "$line" | sed 's/^ok [0-9]* - //')" ;;
        "not ok "*) not_ok "$(echo "$line" | sed 's/^not ok [0-9]* - //')" ;;
        1..*) ;;
        "# "*) echo "$line" ;;
        *) note "$line" ;;
        esac
    done < /tmp/adopt.out
    seen=$(grep -c '^\(not \)\{0,1\}ok ' /tmp/adopt.out)
    is "$(basename "$1") ran to its end" "$status/$seen" "0/${planned:-none}"
}

# load MODULE [PARAMETER...]: it and what it needs. A module that the image
# does not hold is taken to be built in.
load() {
    module=$1
    shift
    [ -r "/lib/mods/$module.load" ] || return 0
    while read -r file; do
        loaded=$(basename "$file" .ko)
        if [ -d "/sys/module/$loaded" ]; then
            continue
        fi
        if [ "$loaded" = "$module" ]; then
            insmod "$file" "$@" || return 1
        else
            insmod "$file" || return 1
        fi
    done < "/lib/mods/$module.load"
}

# until_true SECONDS COMMAND...: give hardware time to appear
until_true() {
    left=$(($1 * 10))
    shift
    until "$@" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        usleep 100000 2>/dev/null || sleep 0.1
    done
}

dsa_devices=/sys/bus/dsa/devices

# dsa_says FILE VALUE: whether a file below dsa_devices has that value
dsa_says() {
    [ "$(cat "$dsa_devices/$1")" = "$2" ]
}

# dsa_unused WQ: nobody has the queue open, and nothing is left in it. A
# process's queue is closed when its memory goes, and the kernel may hold that
# for a while after its end, to bring a page.
dsa_unused() {
    until_true 60 dsa_says "wq0.$1/clients" 0
    is "queue $1 has no user in the end" \
        "$(cat "$dsa_devices/wq0.$1/clients")" 0
    is "queue $1 is empty in the end" \
        "$(cat "$dsa_devices/wq0.$1/occupancy")" 0
}

# dsa_probe: the accelerator's driver is there and took the device
dsa_probe() {
    check "the idxd driver loads" load idxd &&
        check "it finds the accelerator dsa0" \
            until_true 5 test -d "$dsa_devices/dsa0"
}

# dsa_queue TYPE NAME DRIVER SIZE [OPTION...]: queue 0 in group 0 with
# engine 0, configured and enabled with the device
dsa_queue() {
    type=$1 name=$2 driver=$3 size=$4
    shift 4
    check "engine 0 joins group 0" \
        accel-config config-engine dsa0/engine0.0 --group-id=0 &&
    check "a dedicated queue of type $type is configured" \
        accel-config config-wq dsa0/wq0.0 --group-id=0 --mode=dedicated \
        --wq-size="$size" --priority=10 --type="$type" --name="$name" \
        --driver-name="$driver" "$@" &&
    check "the device is enabled" accel-config enable-device dsa0 &&
    check "the queue is enabled" accel-config enable-wq dsa0/wq0.0 &&
    is "the device's state" "$(cat $dsa_devices/dsa0/state)" enabled &&
    is "the queue's state" "$(cat $dsa_devices/wq0.0/state)" enabled
}

# dsa_engine ENGINE GROUP
dsa_engine() {
    check "engine $1 joins group $2" \
        accel-config config-engine "dsa0/engine0.$1" --group-id="$2"
}

# dsa_wq WQ GROUP MODE SIZE PRIORITY [OPTION...]: a queue for user processes;
# a shared one may be filled by them to its size
dsa_wq() {
    wq=$1 group=$2 mode=$3 size=$4 priority=$5
    shift 5
    [ "$mode" = dedicated ] || set -- --threshold="$size" "$@"
    check "queue $wq in group $group: $mode, size $size, priority $priority" \
        accel-config config-wq "dsa0/wq0.$wq" --group-id="$group" \
        --mode="$mode" --wq-size="$size" --priority="$priority" --type=user \
        --name="app$wq" --driver-name=user --block-on-fault=1 "$@"
}

# dsa_start WQ...: enable the device and these queues
dsa_start() {
    check "the device is enabled" accel-config enable-device dsa0 || return
    for wq do
        check "queue $wq is enabled" accel-config enable-wq "dsa0/wq0.$wq" &&
            check "queue $wq has a device node" \
                until_true 5 test -c "/dev/dsa/wq0.$wq" || return
    done
}

# dsa_stop WQ...: nothing is left in them; back to where the driver found it
dsa_stop() {
    for wq do
        dsa_unused "$wq"
        check "queue $wq is disabled" accel-config disable-wq "dsa0/wq0.$wq"
    done
    check "the device is disabled" accel-config disable-device dsa0
}

# The kernel's own count of page requests since count_requests began
tracing=/sys/kernel/tracing
count_requests() {
    mount -t tracefs tracefs $tracing 2>/dev/null
    echo 1 > $tracing/events/intel_iommu/prq_report/enable
}
page_requests() {
    awk '/^(entries|overrun):/ { sum += $2 } END { print sum + 0 }' \
        $tracing/per_cpu/cpu*/stats
}

# dsa_disable: back to where the driver found it
dsa_disable() {
    check "the queue is disabled" accel-config disable-wq dsa0/wq0.0
    check "the device is disabled" accel-config disable-device dsa0
    is "the device's state after it" "$(cat $dsa_devices/dsa0/state)" disabled
}
