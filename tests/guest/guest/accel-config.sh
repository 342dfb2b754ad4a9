# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's own test of the accelerator, accel-config-test, as it is: all
# operations on a shared and on a dedicated queue, then all settings.
accel_test=/usr/libexec/accel-config/test

# What a Debian has and this guest not yet: an index of the modules, and udev,
# which would load iaa_crypto when devices of idxd appear (by "idxd:t0")
accel_prepare() {
    PATH=/usr/bin:/sbin:/bin
    folder=/lib/modules/$(uname -r)
    mkdir -p "$folder" /etc/modprobe.d
    ln /lib/mods/*.ko "$folder"
    touch "$folder/modules.order" "$folder/modules.builtin"
    echo "softdep idxd post: iaa_crypto" > /etc/modprobe.d/idxd.conf
    /sbin/depmod        # this shell would take its own
}

# accel_run SCRIPT: run it, its lines to accel_lines; its status in /tmp/status
accel_run() {
    rm -f /tmp/lines
    mkfifo /tmp/lines
    {
        "$accel_test/$1" > /tmp/lines 2>&1
        echo $? > /tmp/status
    } < /dev/null &
    accel_lines < /tmp/lines
    wait
    [ "$(cat /tmp/status)" = 0 ] || bad=yes
    accel_close
    # 77 would be a skip
    is "$1 passed" "$(cat /tmp/status)" 0
}

# accel_lines: each "Testing N bytes" is a run of dsa_test. It went well if the
# runner, which stops at the first failure, went on and no error was printed.
accel_lines() {
    open=
    fault=
    what=
    while read -r line; do
        case $line in
        "Testing with 'block on fault' flag "*)
            accel_close
            fault="block on fault ${line##* }" ;;
        "Performing "*)
            accel_close
            what=${line#Performing }
            what=${what% testing} ;;
        "Testing "*" bytes")
            accel_close
            size=${line#Testing }
            open="$what, $size, $fault"
            bad= ;;
        *rror* | *": failed at line "*)
            bad=yes
            note "after: $last"
            note "$line" ;;
        "[ info] "* | "expected crc = "* | "rc memcmp = "*)
            last=$line ;;
        *)
            note "$line" ;;
        esac
    done
}

accel_close() {
    [ -n "$open" ] || return 0
    if [ -n "$bad" ]; then
        not_ok "$open"
    else
        ok "$open"
        case $open in
        shared*) shared=$((shared + 1)) ;;
        dedicated*) dedicated=$((dedicated + 1)) ;;
        esac
    fi
    open=
}

# The delta operations, which dsa_test knows but the runner leaves out
accel_delta() {
    for mode in 0 1; do
        for opcode in 0x7 0x8; do
            for size in 8 4096 65536 524288; do
                check "dsa_test -w $mode -o $opcode -l $size" \
                    $accel_test/dsa_test -w $mode -o $opcode -l $size -f 1
            done
            check "dsa_test -w $mode -o 0x1 -b $opcode -c 16" \
                $accel_test/dsa_test -w $mode -o 0x1 -b $opcode -c 16 \
                -l 4096 -f 1
        done
    done
}

dsa_probe || return
is "user processes may use PASIDs" "$(cat $dsa_devices/dsa0/pasid_enabled)" 1
check "modules are indexed" accel_prepare || return

shared=0
dedicated=0
begun=$(date +%s)
accel_run dsa_user_test_runner.sh
note "it took $(($(date +%s) - begun)) s"
# for each of "block on fault" on and off: 10 operations alone and all but DRAIN
# in batches, with 5 sizes, and 4 operations on DIF in both ways, with 3 sizes
runs=$((2 * ((10 + 9) * 5 + 4 * 2 * 3)))
is "good runs on the dedicated queue" $dedicated $runs
is "good runs on the shared queue" $shared $runs
accel_delta
accel_run dsa_config_test_runner.sh
