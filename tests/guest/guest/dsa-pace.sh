# SPDX-License-Identifier: GPL-2.0-or-later
#
# Figures of a shared queue for make bench: what processes get through
# together, and how long one descriptor takes. Lines "# figure," are CSV.
dsa_probe || return
dsa_engine 0 0 || return
dsa_wq 0 0 shared 128 10 || return
dsa_start 0 || return
queue=/dev/dsa/wq0.0

# pace BYTES WHAT: with one process and with more of them, in turns, because
# the host has more to do at one time than at another; the best turn counts
pace() {
    : > /tmp/pace
    for turn in 1 2 3 4 5; do
        for n in 1 4 16 64; do
            check "$2, $n processes, turn $turn" dsa-pace -p "$n" -b "$1" \
                -t "$(setting milliseconds 700)" $queue
            sed -n "s/^pace/$n/p" /tmp/check.out >> /tmp/pace
        done
    done
    for n in 1 4 16 64; do
        awk -v n="$n" -v what="$2" -v bytes="$1" '
            $1 == n && $2 / $3 > best {
                best = $2 / $3
                rest = $4 "," $5 "," $6
            }
            END {
                printf "# figure,%s on one queue,%d process%s,,", what, n,
                    (n == 1 ? "" : "es")
                printf "%.1f,%.0f,%.1f,%s\n", 1 / best, best * 1e9,
                    best * bytes * 1e3, rest
            }' /tmp/pace
    done
}

# latency BYTES WHAT
latency() {
    check "latency, $2" dsa-pace -l -b "$1" $queue
    awk -v what="$2" '$1 == "latency" {
        printf "# figure,%s alone,latency median,,%.1f,,,,,\n", what, $2
        printf "# figure,%s alone,latency 99 %%,,%.1f,,,,,\n", what, $3
    }' /tmp/check.out
}

note "figure,case,unit,mode,ns,per_second,MB_per_second,retries,least,most"
pace 0 NOOP
pace 4096 "memmove of 4 KiB"
pace 65536 "memmove of 64 KiB"
latency 0 NOOP
latency 4096 "memmove of 4 KiB"
dsa_stop 0
