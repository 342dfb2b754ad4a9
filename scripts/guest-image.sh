#!/bin/sh
# The initramfs of a guest kernel, with the guest tests in it.
#
#   scripts/guest-image.sh [NAME...]       build the images of these kernels
#                                          (default: all of the matrix)
#   scripts/guest-image.sh --path NAME     the same, then print the file
#   scripts/guest-image.sh --with accel-config [--path] NAME...
#                                          images with Debian's own test of
#                                          the accelerator and what it needs
#   scripts/guest-image.sh --own [--modules FOLDER] [--path]
#                                          for a kernel of one's own; FOLDER
#                                          is its lib/modules/RELEASE, not
#                                          needed for built-in drivers
#   scripts/guest-image.sh --programs      only the guest programs
#
# Images are guest-images/NAME.cpio, programs guest-images/bin/.  They hold
# busybox, accel-config with its libraries, kernel modules and what
# tests/guest brings.  guest-images/NAME+accel-config.cpio is such an image with
# a second archive behind it.  Rebuilt only when something they are made of
# changed.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/private-apt.sh"
tests=$(cd "$here/../tests/guest" && pwd)
images=$(cd "$here/.." && pwd)/guest-images
tools=$QEMU_SIOV_CACHE/guest-tools
accel_tools=$QEMU_SIOV_CACHE/guest-accel-config

modules="idxd virtio_pci virtio_blk virtio_net nvme e1000e vfio_pci algif_hash
    raid6_pq zram"

# Modules whose code some kernels have elsewhere
optional="sha256_ssse3"

applets="sh ash awk basename cat cttyhack chmod cmp cp cut date dd df dirname
    dmesg echo env expr false find free grep head hexdump hostname id ifconfig
    insmod ip kill less ln ls lsmod lspci md5sum mkdir mkfifo mknod mkswap more
    mount mv nproc od pgrep ping poweroff printf ps readlink reboot rm rmdir
    rmmod route sed seq setsid sha256sum sleep sort stat stty swapoff swapon
    sync tail tee test tftp time timeout top touch tr true umount uname uniq vi
    wc xargs"

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

# Debian's test of the accelerator: shell scripts for a whole Debian
get_accel_tools() {
    [ ! -e "$accel_tools/ready" ] || return 0
    papt_say "Fetching accel-config-test"
    rm -rf "$accel_tools"
    papt_use trixie trixie-backports
    papt_fetch "$accel_tools/deb" accel-config-test bash coreutils grep kmod \
        sed libacl1 libattr1 libcap2 libgmp10 libkmod2 liblzma5 \
        libpcre2-8-0 libselinux1 libssl3t64 libtinfo6 libzstd1 zlib1g
    for deb in "$accel_tools"/deb/*.deb; do
        papt_unpack "$deb" "$accel_tools/root"
    done
    rm -rf "$accel_tools/deb"
    : > "$accel_tools/ready"
}

# find_tool PATH [FOLDER]: a file of the unpacked packages
find_tool() {
    from=${2:-$tools}
    found=$(find "$from/root" -path "*/$1" ! -type d | head -n 1)
    if [ -z "$found" ]; then
        papt_fail "the packages for the guest hold no $1; remove $from and" \
            "try again."
        return 1
    fi
    readlink -f "$found"
}

# How a program is linked: static, but dyn-*.c with the guest's C library and
# every function looked up at its first call
link_options() {
    case $1 in
    dyn-*)
        echo -no-pie -fno-pie -Wl,-z,lazy -nodefaultlibs \
            "$(find_tool libc.so.6)" "$($cc -print-file-name=libc_nonshared.a)" \
            "$(find_tool ld-linux-x86-64.so.2)" -lgcc
        ;;
    *) echo -static ;;
    esac
}

# The programs: one tests/guest/NAME.c each, with the lib*.[cS] beside them
build_programs() {
    mkdir -p "$images/bin"
    libs=$(ls "$tests"/lib*.[cS])
    cc=${CC:-gcc}
    sum=$( (echo "$cc"; cat "$here/guest-image.sh" "$tests"/*.[chS] \
        "$tests"/module/*.h) | sha256sum)
    if [ "$sum" = "$(cat "$images/bin/.sum" 2>/dev/null)" ]; then
        return 0
    fi
    papt_say "Building the guest programs"
    for source in "$tests"/*.c; do
        name=$(basename "$source" .c)
        case $name in
        lib*) continue ;;
        esac
        if ! $cc -std=gnu11 -O2 -g0 -Wall -Wextra -s \
                -o "$images/bin/$name" "$source" $libs \
                $(link_options "$name") 2> "$images/bin/build.log"; then
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
    sum=$( (echo "$name $folder $modules $optional $applets $*"
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
    for module in ${folder:+$optional}; do
        set -- "$@" --optional "$module"
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

# The shared libraries that programs of $accel_tools need, and those these
# need, but for what every image holds
needed_libraries() {
    todo=$*
    seen=" libaccel-config.so.1 libjson-c.so.5 libc.so.6 ld-linux-x86-64.so.2 "
    while [ -n "$todo" ]; do
        next=
        for library in $(readelf -d $todo |
                         sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u); do
            case $seen in
            *" $library "*) continue ;;
            esac
            file=$(find_tool "$library" "$accel_tools") || return 1
            echo "$library=$file"
            seen="$seen$library "
            next="$next $file"
        done
        todo=$next
    done
}

accel_programs="bash basename cat cut dirname echo grep head kmod ls sed sleep
    sort uname"

# The second archive of images with accel-config: the test where Debian has
# it, the programs it calls, and the modules that it loads and unloads
make_accel_image() {
    name=$1
    folder=$2
    image=$images/$name+accel-config.cpio
    sum=$( (echo "$accel_programs"
            cat "$images/$name.cpio.sum" "$here/guest-image.sh" \
                "$accel_tools/ready") | sha256sum)
    if [ "$sum" = "$(cat "$image.sum" 2>/dev/null)" ] && [ -e "$image" ]; then
        return 0
    fi
    papt_say "Building the guest image of kernel $name with accel-config-test"
    set --
    files=
    for program in $accel_programs; do
        file=$(find_tool "bin/$program" "$accel_tools")
        set -- "$@" --file "usr/bin/$program=$file"
        files="$files $file"
    done
    libraries=$(needed_libraries $files)
    for pair in $libraries; do
        set -- "$@" --file "lib/x86_64-linux-gnu/$pair"
    done
    for file in $(cd "$accel_tools/root" && find usr/libexec -type f); do
        set -- "$@" --file "$file=$accel_tools/root/$file"
    done
    for link in modprobe rmmod lsmod depmod; do
        set -- "$@" --link "sbin/$link=../usr/bin/kmod"
    done
    /usr/bin/python3 "$here/mkinitramfs.py" "$image.2" \
        --link bin/bash=../usr/bin/bash \
        --link usr/bin/accel-config=../../bin/accel-config \
        --modules "$folder" --module iaa_crypto --module deflate "$@"
    cat "$images/$name.cpio" "$image.2" > "$image.part"
    mv "$image.part" "$image"
    rm "$image.2"
    echo "$sum" > "$image.sum"
}

print=no
with=
own=no
own_modules=
while [ $# -gt 0 ]; do
    case $1 in
    --path) print=yes; shift ;;
    --with)
        if [ "${2:-}" != accel-config ]; then
            papt_fail "--with takes accel-config; see --help."
            exit 2
        fi
        with=+$2
        shift 2 ;;
    --own) own=yes; shift ;;
    --modules) own_modules=$(cd "$2" && pwd); shift 2 ;;
    --programs) mkdir -p "$images"; get_tools; build_programs; exit 0 ;;
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
[ -z "$with" ] || get_accel_tools
[ $# -gt 0 ] || set -- $("$here/guest-kernels.sh" --list)
for kernel do
    extra=$("$here/guest-modules.sh" --path "$kernel")
    make_image "$kernel" \
        "$(readlink -f "$QEMU_SIOV_CACHE/kernels/$kernel/modules")" \
        "$extra"/*.ko
    if [ -n "$with" ]; then
        make_accel_image "$kernel" \
            "$(readlink -f "$QEMU_SIOV_CACHE/kernels/$kernel/modules")"
    fi
    [ "$print" = no ] || echo "$images/$kernel$with.cpio"
done
