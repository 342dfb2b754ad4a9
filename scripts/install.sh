#!/bin/sh
# Install the emulator: install.sh DESTDIR PREFIX
#
# The firmware is Debian's (packages seabios, qemu-system-data, ipxe-qemu); the
# emulator looks for it there by itself, so no -L is needed.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || die "usage: scripts/install.sh DESTDIR PREFIX"
bin=$1$2/bin
share=$1$2/share/doc/qemu-siov

mkdir -p "$bin" "$share" 2> /dev/null && [ -w "$bin" ] && [ -w "$share" ] ||
    die "$1$2 is not yours to write: run 'sudo make install', or name" \
        "another place with 'make install PREFIX=\$HOME/.local'."
install -m 755 "$siov_build/qemu-system-x86_64" "$bin/"
(cd "$siov_top" && install -m 644 COPYING README.md "$share/" &&
    cp -R docs/. "$share/")
say "Installed $bin/qemu-system-x86_64 and its documents in $share."
