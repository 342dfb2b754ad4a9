#!/bin/sh
# All that has to stand before something can run: packages, base, build.
# Every part returns at once if it has nothing to do.
#
#   setup.sh [build.sh's arguments]
#
# Environment: QEMU_SIOV_CONFIGURE, more options for the base's configure
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

case $siov_top in
*[[:space:]:]*)
    die "the project's folder '$siov_top' has a space or a colon in its name," \
        "which QEMU's build does not take: move it to another one." ;;
esac
"$siov_scripts/needs.sh"

# One set-up at a time in one tree
mkdir -p "$siov_logs" 2> /dev/null ||
    die "the folder $siov_logs cannot be made: clone the project to a place" \
        "that is yours."
exec 9> "$siov_logs/setup.lock"
flock -n 9 || {
    step "Waiting for another run to finish its set-up of this tree"
    flock 9
}
"$siov_scripts/base-assemble.sh" 9>&-
"$siov_scripts/configure.sh" ${QEMU_SIOV_CONFIGURE:-} 9>&-
"$siov_scripts/build.sh" "$@" 9>&-
