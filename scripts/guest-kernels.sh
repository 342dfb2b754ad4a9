#!/bin/sh
# The guest kernels, fetched once and kept extracted in the cache.
#
#   scripts/guest-kernels.sh [NAME...]        make these kernels available
#                                             (default: all of the matrix)
#   scripts/guest-kernels.sh --path NAME      the same, then print the folder
#   scripts/guest-kernels.sh --list           print the names of the matrix
#   scripts/guest-kernels.sh --refresh [NAME...]   look for newer packages
#
# NAME is a row of guest-kernels.list, e.g. 6.18.  The folder holds
#   vmlinuz   the kernel            release   its release string
#   vmlinux   the same unpacked     modules   -> .../modules/RELEASE
# An available kernel costs no network access.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/private-apt.sh"
table=$here/guest-kernels.list
kernels=$QEMU_SIOV_CACHE/kernels

names() {
    awk '$1 == "kernel" { print $2 }' "$table"
}

row() {
    awk -v n="$1" '$1 == "kernel" && $2 == n { print $3, $4 }' "$table"
}

# The image package and what newer kernels split off from it
packages_of() {
    release=${1#linux-*-}
    case $1 in
    linux-binary-*)
        echo "$1 linux-modules-$release linux-base-$release" ;;
    *)
        echo "$1" ;;
    esac
}

# download NAME FOLDER: by the lists, else by pinned file; prints the release
download() {
    set -- "$1" "$2" $(row "$1")
    papt_use $(echo "$3" | tr , ' ')
    if newest=$(papt_newest "$4"); then
        papt_fetch "$2" $(packages_of "$newest")
        echo "${newest#linux-*-}"
        return
    fi
    files=$(awk -v n="$1" '$1 == "file" && $2 == n && $4 == "image" {
                print $3, $5, $6 }' "$table")
    if [ -z "$files" ]; then
        papt_fail "the archive has no package of kernel $1 any more;" \
            "adapt its row in scripts/guest-kernels.list."
        return 1
    fi
    echo "$files" | while read -r release path sum; do
        papt_fetch_file "$2" "$path" "$sum"
    done
    echo "$files" | awk 'NR == 1 { print $1 }'
}

unpack() {
    /usr/bin/python3 "$here/unpack-kernel.py" "$1/vmlinuz" "$1/vmlinux"
}

get() {
    dir=$kernels/$1
    if [ -z "$(row "$1")" ]; then
        papt_fail "there is no kernel '$1' in the matrix; it knows" \
            "$(names | tr '\n' ' ')"
        return 1
    fi
    if [ "$refresh" = no ] && [ -s "$dir/release" ]; then
        # a cache of before has no vmlinux
        [ -s "$dir/vmlinux" ] || unpack "$dir"
        return
    fi
    papt_say "Fetching the guest kernel $1"
    tmp=$kernels/.$1.new
    rm -rf "$tmp"
    mkdir -p "$tmp/deb"
    release=$(download "$1" "$tmp/deb")
    for deb in "$tmp"/deb/*.deb; do
        papt_unpack "$deb" "$tmp/root"
    done
    rm -rf "$tmp/deb"
    for image in "root/boot/vmlinuz-$release" \
            "root/usr/lib/modules/$release/vmlinuz"; do
        if [ -s "$tmp/$image" ]; then
            ln -sf "$image" "$tmp/vmlinuz"
        fi
    done
    for modules in "root/usr/lib/modules/$release" \
            "root/lib/modules/$release"; do
        if [ -d "$tmp/$modules/kernel" ]; then
            ln -sfn "$modules" "$tmp/modules"
        fi
    done
    if [ ! -e "$tmp/vmlinuz" ] || [ ! -e "$tmp/modules/kernel" ]; then
        papt_fail "the package of kernel $1 ($release) has no vmlinuz or no" \
            "modules where they are expected."
        return 1
    fi
    unpack "$tmp"
    echo "$release" > "$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    papt_say "  kernel $1 is $release"
}

refresh=no
print=no
while [ $# -gt 0 ]; do
    case $1 in
    --list) names; exit 0 ;;
    --refresh) refresh=yes; shift ;;
    --path) print=yes; shift ;;
    --help|-h) sed -n '2,/^# SPDX/{/SPDX/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    -*) papt_fail "unknown option $1; see --help."; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- $(names)

if ! mkdir -p "$kernels" 2>/dev/null; then
    papt_fail "the cache folder $kernels cannot be made; check its" \
        "permissions, or set QEMU_SIOV_CACHE."
    exit 1
fi
exec 9> "$kernels/.lock"
flock 9
for name do
    get "$name"
    [ "$print" = no ] || echo "$kernels/$name"
done
