# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's own dmaengine moves memory through the accelerator.
copies=$(setting copies 10000)
dsa_probe || return
dsa_queue kernel dmaengine dmaengine 16 || return
check "a dmaengine channel appears" \
    until_true 5 sh -c 'ls /sys/class/dma/ | grep -q chan'
for mode in polled interrupt; do
    check "$copies copies, $mode" load dmaclient mode="$mode" \
        iterations="$copies"
    said=$(dmesg | sed -n "s/.*\(dmaclient: [^ ]* $mode: .*\)/\1/p")
    note "$said"
    case $said in
    *": $copies copies, 0 failures,"*) ok "none failed, $mode" ;;
    *) not_ok "none failed, $mode" ;;
    esac
    check "the client lets go, $mode" rmmod dmaclient
done
dsa_disable
