#!/bin/sh
# The initramfs of a guest kernel, with the guest tests in it.
#
#   scripts/guest-image.sh [NAME...]       build the images of these kernels
#                                          (default: all of the matrix)
#   scripts/guest-image.sh --path NAME     the same, then print the file
#   scripts/guest-image.sh --own [--modules FOLDER] [--path]
#                                          for a kernel of one's own; FOLDER
#                                          is its lib/modules/RELEASE, not
#                                          needed for built-in drivers
#   scripts/guest-image.sh --programs      only the guest programs
#
# Images are guest-images/NAME.cpio, programs guest-images/bin/.  They hold
# busybox, accel-config with its libraries, kernel modules and what
# tests/guest brings.  Rebuilt only when something they are made of changed.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/private-apt.sh"
tests=$(cd "$here/../tests/guest" && pwd)
images=$(cd "$here/.." && pwd)/guest-images
tools=$QEMU_SIOV_CACHE/guest-tools

modules="idxd virtio_pci virtio_blk virtio_net nvme e1000e vfio_pci"

applets="sh ash awk basename cat cttyhack chmod cmp cp cut date dd df dirname
    dmesg echo env expr false find free grep head hexdump hostname id
    ifconfig insmod ip kill less ln ls lsmod lspci md5sum mkdir mknod more
    mount mv nproc od pgrep ping poweroff printf ps readlink reboot rm rmdir
    rmmod route sed seq setsid sha256sum sleep sort stat stty sync tail tee
    test tftp time timeout top touch tr true umount uname uniq vi wc xargs"

# busybox and accel-config, from Debian's packages, unpacked once
get_tools() {
    [ ! -e "$tools/ready" ] || return 0
    papt_say "Fetching busybox and accel-config"
    rm -rf "$tools"
    papt_use bookworm bookworm-backports
    papt_fetch "$tools/deb" busybox-static
    papt_use trixie trixie-backports
    papt_fetch "$tools/deb" accel-config libaccel-config1 libjson-c5 libc6
    for deb in "$tools"/deb/*.deb; do
        papt_unpack "$deb" "$tools/root"
    done
    rm -rf "$tools/deb"
    : > "$tools/ready"
}

find_tool() {
    found=$(find "$tools/root" -path "*/$1" ! -type d | head -n 1)
    if [ -z "$found" ]; then
        papt_fail "the packages for the guest hold no $1; remove $tools and" \
            "try again."
        return 1
    fi
    readlink -f "$found"
}

# The programs: one tests/guest/NAME.c each, with the lib*.c beside them
build_programs() {
    mkdir -p "$images/bin"
    libs=$(ls "$tests"/lib*.c)
    cc=${CC:-gcc}
    sum=$( (echo "$cc"; cat "$tests"/*.[ch]) | sha256sum)
    if [ "$sum" = "$(cat "$images/bin/.sum" 2>/dev/null)" ]; then
        return 0
    fi
    papt_say "Building the guest programs"
    for source in "$tests"/*.c; do
        name=$(basename "$source" .c)
        case $name in
        lib*) continue ;;
        esac
        if ! $cc -std=gnu11 -O2 -g0 -Wall -Wextra -Werror -static -s \
                -o "$images/bin/$name" "$source" $libs \
                2> "$images/bin/build.log"; then
            tail -n 30 "$images/bin/build.log" >&2
            papt_fail "the guest program $name does not compile; it needs a" \
                "C compiler and the static C library (gcc, libc6-dev)."
            return 1
        fi
    done
    echo "$sum" > "$images/bin/.sum"
}

# make_image NAME MODULES-FOLDER [OWN-MODULE.ko...]; without a folder the
# image has no modules, and of a kernel of one's own only those it has
make_image() {
    name=$1
    folder=$2
    shift 2
    image=$images/$name.cpio
    sum=$( (echo "$name $folder $modules $applets $*"
            cat "$here/mkinitramfs.py" "$here/guest-image.sh" \
                "$tests"/guest/* "$images"/bin/[!.]* "$tools/ready" "$@"
            [ -z "$folder" ] || ls -l "$folder/modules.builtin") | sha256sum)
    if [ "$sum" = "$(cat "$image.sum" 2>/dev/null)" ] && [ -e "$image" ]; then
        return 0
    fi
    papt_say "Building the guest image of kernel $name"
    for ko do
        shift
        set -- "$@" --extra "$ko"
    done
    [ -z "$folder" ] || set -- --modules "$folder" "$@"
    [ "$name" != own ] || set -- --skip-missing "$@"
    for module in ${folder:+$modules}; do
        set -- "$@" --module "$module"
    done
    busybox=$(find_tool bin/busybox)
    for applet in $("$busybox" --list | grep -Fx "$(printf '%s\n' $applets)")
    do
        set -- "$@" --link "bin/$applet=busybox"
    done
    for script in "$tests"/guest/*.sh; do
        set -- "$@" --file "tests/$(basename "$script")=$script"
    done
    for program in "$images"/bin/*; do
        [ -x "$program" ] || continue
        set -- "$@" --file "bin/$(basename "$program")=$program"
    done
    for library in libaccel-config.so.1 libjson-c.so.5 libc.so.6; do
        file=$(find_tool "$library")
        set -- "$@" --file "lib/x86_64-linux-gnu/$library=$file"
    done
    accel=$(find_tool bin/accel-config)
    loader=$(find_tool ld-linux-x86-64.so.2)
    /usr/bin/python3 "$here/mkinitramfs.py" "$image" \
        --file "init=$tests/guest/init" \
        --file "bin/busybox=$busybox" \
        --file "bin/accel-config=$accel" \
        --file "lib64/ld-linux-x86-64.so.2=$loader" \
        --folder proc --folder sys --folder tmp --folder mnt "$@"
    echo "$sum" > "$image.sum"
}

print=no
own=no
own_modules=
while [ $# -gt 0 ]; do
    case $1 in
    --path) print=yes; shift ;;
    --own) own=yes; shift ;;
    --modules) own_modules=$(cd "$2" && pwd); shift 2 ;;
    --programs) mkdir -p "$images"; build_programs; exit 0 ;;
    --help|-h) sed -n '2,/^# SPDX/{/SPDX/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) papt_fail "unknown option $1; see --help."; exit 2 ;;
    *) break ;;
    esac
done

if ! mkdir -p "$images" "$QEMU_SIOV_CACHE" 2>/dev/null; then
    papt_fail "the folders $images and $QEMU_SIOV_CACHE cannot be made;" \
        "check permissions and free disk space."
    exit 1
fi
exec 7> "$images/.lock"
flock 7
get_tools
build_programs
if [ "$own" = yes ]; then
    make_image own "$own_modules"
    [ "$print" = no ] || echo "$images/own.cpio"
    exit 0
fi
[ $# -gt 0 ] || set -- $("$here/guest-kernels.sh" --list)
for kernel do
    extra=$("$here/guest-modules.sh" --path "$kernel")
    make_image "$kernel" \
        "$(readlink -f "$QEMU_SIOV_CACHE/kernels/$kernel/modules")" \
        "$extra"/*.ko
    [ "$print" = no ] || echo "$images/$kernel.cpio"
done
