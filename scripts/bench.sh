#!/bin/sh
# Run the benchmarks: print their tables, leave each as CSV and as a plot in
# build/bench/.
#
#   bench.sh [NAME...]      all, or those named (the program without siov-,
#                           or dsa-pace, which is measured in a guest)
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

# In a guest: its lines "# figure," are the CSV
if [ $# -eq 0 ] || case " $* " in *" dsa-pace "*) ;; *) false ;; esac; then
    step "Benchmark dsa-pace: processes that share a queue, Linux 6.18"
    $siov_python "$siov_top/tests/guest/run-guest.py" --kernel 6.18 \
        --test dsa-pace --show > "$out/dsa-pace.log" 2>&1 ||
        die "the benchmark dsa-pace failed; build/bench/dsa-pace.log says why."
    sed -n 's/^# figure,//p' "$out/dsa-pace.log" > "$out/dsa-pace.csv"
    awk -F, 'NR == 1 { $1 = $2 = ""; $4 = "ns each"; $5 = "per second"
                       $6 = "MB/s" }
             { printf "%-32s %-15s %10s %10s %8s %8s\n", $1, $2, $4, $5,
               $6, $7 }' "$out/dsa-pace.csv"
    $siov_python "$siov_top/tests/bench/plot.py" "$out/dsa-pace.csv" \
        "$out/dsa-pace.svg"
    say "   as CSV: build/bench/dsa-pace.csv, as a plot:" \
        "build/bench/dsa-pace.svg"
    ran=yes
fi
[ -n "$ran" ] || die "there is no benchmark of that name: run make bench."
