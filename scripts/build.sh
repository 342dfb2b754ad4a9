#!/bin/sh
# Build the emulator, and with "bench" the overlay's benchmarks, or with "tests"
# these and its test programs too: what only developers run has to build.
#
#   build.sh [tests | bench | TARGET...]
#
# Never builds everything: the base has thousands of objects of tools and
# tests that nothing here uses.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

targets=qemu-system-x86_64
case ${1:-} in
'') what="the emulator" ;;
tests) what="the emulator and the tests" ;;
bench) what="the emulator and the benchmarks" ;;
*) what=$* targets=$* ;;
esac

jobs=${JOBS:-$(nproc)}
: "${CCACHE_BASEDIR:=$siov_top}"
export CCACHE_BASEDIR
cd "$siov_build"

# Lets meson run again if a build rule changed, so that the list of tests is
# of today.
run_logged regenerate "reading the build rules" ninja build.ninja
of_build() {
    $siov_python "$siov_scripts/tap-run.py" --build "$siov_build" "$@"
}
case ${1:-} in
tests | bench)
    targets="$targets $(of_build --programs siov/tests/bench)" ;;
esac
if [ "${1:-}" = tests ]; then
    targets="$targets $(of_build --targets siov-unit siov-qtest siov-guest)"
fi
run_logged build "building $what" ninja -j "$jobs" $targets
