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

adopt dsa-pages --states /dev/dsa/wq0.0
adopt dsa-pages --states /dev/dsa/wq0.3
adopt dsa-pages --changes /dev/dsa/wq0.1
adopt dsa-pages --changes /dev/dsa/wq0.3
adopt dsa-pages --load /dev/dsa/wq0.0 /dev/dsa/wq0.1 /dev/dsa/wq0.2 \
    /dev/dsa/wq0.3
adopt dsa-pages --killed /dev/dsa/wq0.2
adopt dsa-pages --killed /dev/dsa/wq0.3
note "page requests: $(page_requests)"
check "swap was used" awk '$1 == "pswpin" && $2 > 100 { found = 1 }
    END { exit !found }' /proc/vmstat
dsa_stop 0 1 2 3
