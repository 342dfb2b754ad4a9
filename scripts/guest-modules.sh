#!/bin/sh
# The kernel modules of tests/guest/module, built for the guest kernels.
#
#   scripts/guest-modules.sh [NAME...]     build for these kernels (all)
#   scripts/guest-modules.sh --path NAME   the same, then print the folder
#                                          with the .ko files
#
# Each kernel's modules are built against its own linux-headers packages in a
# build root of its own Debian suite: packages unpacked into a folder of the
# cache, entered by chroot.  Needs root or user namespaces, changes nothing
# outside the cache.  Results are kept by kernel release and source checksum.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/private-apt.sh"
table=$here/guest-kernels.list
src=$(cd "$here/../tests/guest/module" && pwd)
roots=$QEMU_SIOV_CACHE/buildroot
out=$QEMU_SIOV_CACHE/modules

# What a kernel module's build calls besides the compiler
base_packages="make binutils dash bash coreutils sed grep mawk findutils diffutils"

# Parts of the compiler's closure that no kernel module needs
unneeded='^\(libasan\|libtsan\|liblsan\|libubsan\|libhwasan\|libitm\|libgomp\|libquadmath\|debconf\|gcc-.*-base\|linux-image\|linux-base\|linux-binary\|linux-modules\|init\|dracut\|initramfs\|udev\|libudev\|klibc\|systemd\|kmod\|cpio\|busybox\)'

row() {
    awk -v n="$1" '$1 == "kernel" && $2 == n { print $3 }' "$table"
}

# root_unpack FOLDER ROOT: all packages of FOLDER, /usr merged
root_unpack() {
    for merged in bin sbin lib lib64; do
        mkdir -p "$2/usr/$merged"
        [ -e "$2/$merged" ] || ln -s "usr/$merged" "$2/$merged"
    done
    for deb in "$1"/*.deb; do
        if ! dpkg-deb --fsys-tarfile "$deb" |
                tar -x -C "$2" --keep-directory-symlink --no-same-owner \
                    2> "$roots/unpack.log"; then
            papt_explain "$roots/unpack.log" "unpacking ${deb##*/}"
            return 1
        fi
    done
    mkdir -p "$2/dev" "$2/proc" "$2/tmp" "$2/build"
    [ -e "$2/usr/bin/sh" ] || ln -s dash "$2/usr/bin/sh"
    [ -e "$2/usr/bin/awk" ] || ln -s mawk "$2/usr/bin/awk"
}

# add_packages ROOT NAME...: NAME and what they need, unpacked into ROOT
add_packages() {
    root=$1
    shift
    list=$(papt_closure "$@")
    list=$(echo "$list" | grep -v "$unneeded")
    rm -rf "$root/deb"
    papt_fetch "$root/deb" $list
    root_unpack "$root/deb" "$root"
    rm -rf "$root/deb"
}

# Header packages by the lists, or by pinned file with the tools they name
add_headers() {
    headers=linux-headers-$2
    if papt_tool apt-cache show "$headers" > /dev/null 2>&1; then
        add_packages "$3" $base_packages "$headers"
        return
    fi
    files=$(awk -v r="$2" '$1 == "file" && $3 == r && $4 == "headers" {
                print $5, $6 }' "$table")
    if [ -z "$files" ]; then
        papt_fail "the archive no longer has the package $headers for kernel" \
            "$1; 'scripts/guest-kernels.sh --refresh $1' gets a newer kernel."
        return 1
    fi
    mkdir -p "$3/deb-headers"
    echo "$files" | while read -r path sum; do
        papt_fetch_file "$3/deb-headers" "$path" "$sum"
    done
    # the compiler and libraries that these packages' dependencies name
    need=$(for deb in "$3"/deb-headers/*.deb; do
               dpkg-deb -f "$deb" Depends
           done | tr ',' '\n' |
           sed 's/|.*//; s/(.*//; s/:any//; s/ //g' |
           grep -v '^linux-\|^$\|^python3' | sort -u)
    add_packages "$3" $base_packages $need
    root_unpack "$3/deb-headers" "$3"
    rm -rf "$3/deb-headers"
}

# in_root ROOT SCRIPT: run it there, with /dev/null and /proc
in_root() {
    ns=
    [ "$(id -u)" = 0 ] || ns=--map-root-user
    if unshare --mount $ns true 2>/dev/null; then
        [ -e "$1/dev/null" ] || : > "$1/dev/null"
        unshare --mount $ns sh -c '
            mount --bind /dev/null "$1/dev/null" &&
            mount --rbind /proc "$1/proc" &&
            exec chroot "$1" /bin/sh -c "$2"' sh "$1" "$2"
    elif [ "$(id -u)" = 0 ]; then
        if [ ! -c "$1/dev/null" ]; then
            rm -f "$1/dev/null"
            mknod -m 666 "$1/dev/null" c 1 3
        fi
        # a container without mounts: objtool wants to find its stack
        mkdir -p "$1/proc/self"
        cat /proc/self/maps > "$1/proc/self/maps"
        chroot "$1" /bin/sh -c "$2"
    else
        papt_fail "building the guest modules needs user namespaces; enable" \
            "them (sysctl kernel.unprivileged_userns_clone=1) or run as root."
        return 1
    fi
}

build() {
    suites=$(row "$1")
    "$here/guest-kernels.sh" "$1"
    release=$(cat "$QEMU_SIOV_CACHE/kernels/$1/release")
    sum=$(cat "$src"/Kbuild "$src"/*.[ch] | sha256sum | cut -c1-16)
    dir=$out/$release-$sum
    if [ -e "$dir/done" ]; then
        return 0
    fi
    root=$roots/${suites%%,*}
    if [ ! -e "$root/.ready-$release" ]; then
        papt_say "Adding kernel $1 to the build root ${suites%%,*}"
        papt_use $(echo "$suites" | tr , ' ')
        add_headers "$1" "$release" "$root"
        : > "$root/.ready-$release"
    fi
    papt_say "Building the guest modules for kernel $1"
    rm -rf "$root/build" "$dir"
    mkdir -p "$root/build" "$dir"
    cp "$src"/Kbuild "$src"/*.[ch] "$root/build/"
    if ! in_root "$root" "export PATH=/usr/bin:/bin LC_ALL=C &&
            make -C /usr/src/linux-headers-$release M=/build modules" \
            > "$dir/build.log" 2>&1; then
        tail -n 30 "$dir/build.log" >&2
        papt_fail "the guest modules do not build for kernel $1; the full" \
            "log is $dir/build.log"
        return 1
    fi
    cp "$root"/build/*.ko "$dir/"
    : > "$dir/done"
}

print=no
case ${1:-} in
--path) print=yes; shift ;;
--help|-h) sed -n '2,/^# SPDX/{/SPDX/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
-*) papt_fail "unknown option $1; see --help."; exit 2 ;;
esac
[ $# -gt 0 ] || set -- $("$here/guest-kernels.sh" --list)

mkdir -p "$roots" "$out"
exec 8> "$out/.lock"
flock 8
for name do
    build "$name"
    [ "$print" = no ] || echo "$dir"
done
