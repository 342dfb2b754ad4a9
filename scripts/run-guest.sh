#!/bin/sh
# Boot a guest on intel-vtd and intel-dsa, and show what it does.
#
#   scripts/run-guest.sh                   Linux 6.18: a process works through
#                                          the accelerator; ends with the guest
#   scripts/run-guest.sh --shell           a shell in the guest, here
#   scripts/run-guest.sh --guest NAME      another kernel of the matrix; 6.1,
#                                          which has shared virtual addressing
#                                          compiled out, has a shell only
#   scripts/run-guest.sh --kernel FILE [--modules FOLDER]
#                                          a kernel of one's own; FOLDER is its
#                                          lib/modules/RELEASE, not needed if
#                                          the drivers are built in
#   scripts/run-guest.sh --print           only print the emulator's command
#   ... -- ARGUMENT...                     more for the emulator
#
# Environment:
#   QEMU   the emulator (default build/qemu-system-x86_64 of this tree)
#
# Everything needed is fetched and built first (see guest-image.sh).  Kernel
# messages go to build/guest-logs/run/console.log.  Exit status 0 if the work
# was done and verified.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
logs=$top/build/guest-logs/run
qemu=${QEMU:-$top/build/qemu-system-x86_64}
seconds=900

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

guest=6.18
kernel=
modules=
task=summary
print=no
while [ $# -gt 0 ]; do
    case $1 in
    --shell) task=shell; shift ;;
    --guest) guest=${2:?--guest needs a name}; shift 2 ;;
    --kernel) kernel=${2:?--kernel needs a file}; shift 2 ;;
    --modules) modules=${2:?--modules needs a folder}; shift 2 ;;
    --print) print=yes; shift ;;
    --help|-h) sed -n '2,/^# SPDX/{/SPDX/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --) shift; break ;;
    *) fail "unknown option $1; see --help." ;;
    esac
done

[ -x "$qemu" ] || fail "there is no emulator at $qemu; build it first, or" \
    "name one with QEMU=."
if [ -n "$kernel" ]; then
    [ -r "$kernel" ] || fail "there is no kernel to read at $kernel."
    [ -z "$modules" ] || [ -r "$modules/modules.builtin" ] ||
        fail "$modules is no lib/modules/RELEASE folder: it has no" \
            "modules.builtin."
    image=$("$here/guest-image.sh" --own ${modules:+--modules "$modules"} \
                --path)
else
    image=$("$here/guest-image.sh" --path "$guest")
    kernel=$("$here/guest-kernels.sh" --path "$guest")/vmlinuz
fi

mkdir -p "$logs"
# On a busy host the kernel's own checks of its timer and clock may fail.
append="console=ttyS0 intel_iommu=on,sm_on panic=-1 no_timer_check tsc=reliable"
append="$append quiet siov.test=$task"
set -- -L /usr/share/seabios -L /usr/share/qemu -nodefaults -no-user-config \
    -display none -no-reboot -accel tcg -M q35 -cpu max -m 1G -smp 2 \
    -device intel-vtd -device intel-dsa \
    -kernel "$kernel" -initrd "$image" -append "$append" "$@"

if [ "$task" = shell ]; then
    set -- "$@" -serial mon:stdio
else
    set -- "$@" -serial "file:$logs/console.log" \
        -chardev stdio,id=results,signal=on -serial chardev:results
fi

if [ "$print" = yes ]; then
    printf '%s' "$qemu"
    for arg do
        case $arg in
        *[!A-Za-z0-9_./:=,+-]*) printf " '%s'" "$arg" ;;
        *) printf ' %s' "$arg" ;;
        esac
    done
    echo
    exit 0
fi

if [ "$task" = shell ]; then
    echo "Ctrl-A X ends the emulator, Ctrl-A C is its monitor."
    exec "$qemu" "$@"
fi

rm -f "$logs/console.log" "$logs/status"
status=0
{
    timeout -k 5 "$seconds" "$qemu" "$@" < /dev/null 2> "$logs/qemu.log" ||
        echo "$?" > "$logs/status"
} | tee "$logs/results.log" | grep -v '^RESULT: ' || :
if [ -e "$logs/status" ]; then
    status=$(cat "$logs/status")
    rm -f "$logs/status"
fi
if [ "$status" = 0 ] && grep -q '^RESULT: passed' "$logs/results.log"; then
    exit 0
fi
tail -n 15 "$logs/qemu.log" >&2
tail -n 20 "$logs/console.log" >&2 2>/dev/null || :
case $status in
0) fail "the guest did not do its work; its kernel's messages are in" \
    "$logs/console.log" ;;
124 | 137) fail "the guest did not end within $seconds seconds; its kernel's" \
    "messages are in $logs/console.log" ;;
*) fail "the emulator ended with status $status; what it said is in" \
    "$logs/qemu.log" ;;
esac
