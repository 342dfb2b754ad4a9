# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many processes share queues by ENQCMD: three shared queues and a dedicated
# one in three groups, with different sizes and priorities, and among their
# users one that does everything wrong.
for flag in enqcmd movdir64b movdiri waitpkg xsaves; do
    check "the kernel reports $flag" grep -qw "$flag" /proc/cpuinfo
done
dsa_probe || return
dsa_engine 0 0 && dsa_engine 1 1 && dsa_engine 2 2 || return
dsa_wq 0 0 shared 16 10 && dsa_wq 1 0 shared 8 1 &&
    dsa_wq 2 1 shared 32 15 && dsa_wq 3 2 dedicated 64 10 || return
dsa_start 0 1 2 3 || return

count_requests
adopt dsa-swarm -p 4 -t 2 -r 30 -m 16 \
    /dev/dsa/wq0.0 /dev/dsa/wq0.1 /dev/dsa/wq0.2 /dev/dsa/wq0.3
note "$(page_requests) page requests reached the kernel"
check "page requests reached the kernel" test "$(page_requests)" -gt 100
adopt dsa-swarm -p 16 -t 4 -r 4 /dev/dsa/wq0.1
dsa_stop 0 1 2 3
