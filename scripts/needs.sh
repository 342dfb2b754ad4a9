#!/bin/sh
# Install the Debian packages that building, testing and booting need.
#
# Says which ones are missing and installs those, with sudo unless root. Uses
# the machine's own package sources as they are.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

# The emulator: compiler and tools, libraries, what configure's Python needs
needs="build-essential ninja-build pkg-config flex bison patch xz-utils
       libglib2.0-dev libfdt-dev libpixman-1-dev libslirp-dev libisal-dev
       python3 python3-venv python3-pip python3-setuptools python3-wheel"
# Firmware that the emulator loads at run time
needs="$needs seabios qemu-system-data ipxe-qemu"
# Downloads and guest images
needs="$needs ca-certificates debian-archive-keyring cpio zstd"

command -v dpkg-query > /dev/null && command -v apt-get > /dev/null ||
    die "this is no Debian system: install the counterparts of these" \
        "packages by hand: $(echo $needs); then use the Makefile's targets" \
        "with QEMU_SIOV_SKIP_NEEDS=1."

missing() {
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' $needs 2>/dev/null |
        awk -v needs="$(echo $needs)" '
            $2 == "installed" { have[$1] = 1 }
            END {
                n = split(needs, want, " ")
                for (i = 1; i <= n; i++) {
                    if (!(want[i] in have)) {
                        printf "%s%s", sep, want[i]
                        sep = " "
                    }
                }
            }'
}

[ "${QEMU_SIOV_SKIP_NEEDS:-0}" = 0 ] || exit 0
todo=$(missing)
[ -n "$todo" ] || exit 0

step "Installing Debian packages: $todo"
mkdir -p "$siov_logs" 2> /dev/null ||
    die "the folder $siov_logs cannot be made: clone the project to a place" \
        "that is yours."
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null ||
        die "packages are missing and there is no sudo: run as root" \
            "'apt-get update && apt-get install $todo', then run this again."
    say "   (as root, through sudo, which may ask for your password)"
    as_root=sudo
    sudo -v || die "sudo was refused: run as root 'apt-get install $todo'," \
        "then run this again."
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
        "$@"
}

# A fresh machine has no package lists yet, an old one has stale ones.
if ! apt-get install --simulate $todo > /dev/null 2>&1; then
    run_logged needs-update "fetching the package lists" apt update
fi
if ! (run_logged needs "installing packages" \
        apt install -y --no-install-recommends $todo) 2> "$siov_logs/needs.err"
then
    if grep -q '404 *Not Found' "$siov_logs/needs.log"; then
        run_logged needs-update "fetching newer package lists" apt update
        run_logged needs "installing packages" \
            apt install -y --no-install-recommends $todo
    else
        cat "$siov_logs/needs.err" >&2
        exit 1
    fi
fi
left=$(missing)
[ -z "$left" ] ||
    die "these packages are still missing: $left; install them by hand with" \
        "'apt-get install $left' and look at what apt says."
