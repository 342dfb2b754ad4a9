#!/bin/sh
# Get the base: the QEMU release that subprojects/qemu.wrap pins.
#
#   base-fetch.sh                  leave its place in .base/source
#   base-fetch.sh --code-hash DIR  checksum of the code in an unpacked QEMU
#
# Looked for in this order: QEMU_SRC= (a tree or an archive that the user
# names), the local cache, the Debian archive that this machine uses, by file
# and checksum, and upstream's release site. .base/source gets two lines: "tree"
# or "archive" or "release" (an archive to be checked by its code), and a path.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"
. "$siov_scripts/private-apt.sh"

# Of what is compiled, and only in folders that no repackaging thins out.
code_hash() {
    (cd "$1" && find accel audio authz backends block chardev crypto disas \
            dump fpu gdbstub hw include io libdecnumber linux-headers \
            migration monitor nbd net qapi qobject qom replay scripts scsi \
            semihosting stats storage-daemon stubs system target tcg trace \
            ui util configure meson.build meson_options.txt \
            -type f \( -name '*.[ch]' -o -name '*.inc' -o -name '*.build' \
            -o -name '*.json' -o -name '*.decode' -o -name 'meson*' \
            -o -name configure -o -name '*.py' -o -name 'Kconfig*' \) \
            ! -path 'linux-headers/asm' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

if [ "${1:-}" = --code-hash ]; then
    code_hash "${2:?}"
    exit
fi

found() {
    mkdir -p "$siov_base_root"
    printf '%s\n%s\n' "$1" "$2" > "$siov_base_root/source"
    exit 0
}

has_hash() {
    [ -f "$1" ] && [ "$(sha256sum < "$1" | cut -d' ' -f1)" = "$2" ]
}

directory=$(wrap_value directory)
version=${directory#qemu-}
file=$(wrap_value source_filename)
hash=$(wrap_value source_hash)
release_url=$(wrap_value release_url)
cached=$QEMU_SIOV_CACHE/$file
cached_release=$QEMU_SIOV_CACHE/${release_url##*/}

if [ -n "${QEMU_SRC:-}" ]; then
    if [ -d "$QEMU_SRC" ]; then
        found tree "$(cd "$QEMU_SRC" && pwd)"
    elif [ -f "$QEMU_SRC" ]; then
        found archive "$(cd "$(dirname "$QEMU_SRC")" && pwd)/${QEMU_SRC##*/}"
    fi
    die "QEMU_SRC names '$QEMU_SRC', which does not exist: name a source" \
        "tree or archive of QEMU ${version%.*}.x, or unset it."
fi

if [ -f "$cached" ]; then
    ! has_hash "$cached" "$hash" || found archive "$cached"
    note "$cached is damaged (wrong checksum); fetching it again"
    rm -f "$cached"
fi

mkdir -p "$QEMU_SIOV_CACHE" 2> /dev/null ||
    die "the cache folder $QEMU_SIOV_CACHE cannot be made: set" \
        "QEMU_SIOV_CACHE to a folder that is yours."
free_space "$QEMU_SIOV_CACHE" 100 "downloading QEMU"

# download URL FILE [SHA256:...]: apt's own client, so that its proxy and
# certificates hold for us too
download() {
    rm -f "$2.part"
    /usr/lib/apt/apt-helper -o APT::Sandbox::User= -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
        download-file "$1" "$2.part" ${3:+"$3"} && mv "$2.part" "$2"
}

step "Getting QEMU $version"
progress_file=$cached.part
if archive=$(papt_base) && (run_logged base-debian \
        "downloading $file from this machine's Debian archive" \
        download "$archive/$(wrap_value debian_path)/$file" "$cached" \
        "SHA256:$hash") 2> /dev/null; then
    found archive "$cached"
fi
note "this machine's Debian archive does not give $file"

progress_file=$cached_release.part
if [ ! -f "$cached_release" ]; then
    (run_logged base-release "downloading it from upstream's release site" \
        download "$release_url" "$cached_release") 2> /dev/null ||
        die "the source of QEMU $version cannot be downloaded, neither from" \
            "this machine's Debian archive nor from upstream: connect to a" \
            "network, or name a source tree or archive with QEMU_SRC=PATH."
fi
found release "$cached_release"
