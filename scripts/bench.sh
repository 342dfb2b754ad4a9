#!/bin/sh
# Run the benchmarks: print their tables, leave each as CSV and as a plot in
# build/bench/.
#
#   bench.sh [NAME...]      all, or those named (the program without siov-)
#
# Figures are times on this machine; what can be compared is their ratios
# within one run. Nothing else should run meanwhile.
#
# SPDX-License-Identifier: GPL-2.0-or-later

. "$(dirname "$0")/lib.sh"

"$siov_scripts/setup.sh" bench
out=$siov_build/bench
mkdir -p "$out"
cd "$siov_build"
QTEST_QEMU_BINARY=./qemu-system-x86_64
export QTEST_QEMU_BINARY

ran=
for program in $($siov_python "$siov_scripts/tap-run.py" --build . \
                     --programs siov/tests/bench); do
    name=${program##*/siov-}
    [ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    step "Benchmark $name"
    failed=$out/$name.failed
    rm -f "$failed"
    { "$program" --csv "$out/$name.csv" 2>&1 || : > "$failed"; } |
        grep -v '^# starting QEMU' || true
    [ ! -e "$failed" ] ||
        die "the benchmark $name failed, as the lines above say."
    $siov_python "$siov_top/tests/bench/plot.py" "$out/$name.csv" \
        "$out/$name.svg"
    say "   as CSV: build/bench/$name.csv, as a plot: build/bench/$name.svg"
    ran=yes
done
[ -n "$ran" ] || die "there is no benchmark of that name: run make bench."
