# SPDX-License-Identifier: GPL-2.0-or-later
#
# Page requests under load: memory in every state, mappings that change, memory
# that is swapped out and migrated under many threads, processes that die.
check "the module for swap loads" load zram || return
echo 256M > /sys/block/zram0/disksize
check "a compressed disk in memory takes swap" mkswap /dev/zram0 &&
    check "and gets it" swapon /dev/zram0 || return
echo always > /sys/kernel/mm/transparent_hugepage/enabled

dsa_probe || return
for n in 0 1 2; do
    dsa_engine $n $n || return
done
large='--max-transfer-size=16777216 --max-batch-size=1024'
dsa_wq 0 0 dedicated 16 10 $large
dsa_wq 1 0 dedicated 16 1 $large
dsa_wq 2 1 dedicated 16 10 $large
dsa_wq 3 2 shared 16 10 $large
dsa_start 0 1 2 3 || return
count_requests

# part OPTION QUEUE...: a part of the test, which has judged nothing if no page
# requests came of it
part() {
    before=$(page_requests)
    adopt dsa-pages "$@"
    asked=$(($(page_requests) - before))
    note "$asked page requests"
    check "$1 ${2##*/}: page requests came to the kernel" \
        test "$asked" -gt 100
}

swapped_in() {
    awk '$1 == "pswpin" { print $2 }' /proc/vmstat
}

# It brings 112 pages to swap, or most of them, and uses all of them again
for queue in /dev/dsa/wq0.0 /dev/dsa/wq0.3; do
    swapped=$(swapped_in)
    part --states $queue
    swapped=$(($(swapped_in) - swapped))
    note "$swapped pages read from swap"
    check "--states ${queue##*/}: pages came back from swap" \
        test "$swapped" -gt 50
done
part --changes /dev/dsa/wq0.1
part --changes /dev/dsa/wq0.3
part --load /dev/dsa/wq0.0 /dev/dsa/wq0.1 /dev/dsa/wq0.2 /dev/dsa/wq0.3
part --killed /dev/dsa/wq0.2
part --killed /dev/dsa/wq0.3
dsa_stop 0 1 2 3
