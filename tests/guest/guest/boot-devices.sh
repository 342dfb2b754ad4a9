# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ordinary devices work behind the IOMMU: two disks with a known pattern, two
# network cards, and a device with a DMA engine.
sum=$(setting disk-sha256)
size=$(setting disk-mib 8)

load nvme
load virtio_pci
load virtio_blk
load virtio_net
load e1000e

groups=$(ls /sys/kernel/iommu_groups | wc -l)
check "the kernel put devices into IOMMU groups" test "$groups" -gt 4

disk_test() {
    check "$1 appears" until_true 10 test -b "$2" || return
    is "$1 reads the pattern" \
        "$(dd if="$2" bs=1M count="$size" 2>/dev/null | sha256sum |
            cut -d' ' -f1)" "$sum"
    # write the pattern behind itself, read it back from the device
    dd if="$2" of="$2" bs=64k count=$((size * 16)) seek=$((size * 16)) \
        conv=notrunc,fsync 2>/dev/null
    echo 3 > /proc/sys/vm/drop_caches
    is "$1 reads back what it wrote" \
        "$(dd if="$2" bs=1M skip="$size" count="$size" 2>/dev/null |
            sha256sum | cut -d' ' -f1)" "$sum"
}

disk_test "the NVMe disk" /dev/nvme0n1
disk_test "the virtio disk" /dev/vda

# The cards' driver, network (the emulator's own) and the file it serves
net_test() {
    card=
    for dev in /sys/class/net/*; do
        driver=$(readlink -f "$dev/device/driver")
        [ "${driver##*/}" = "$1" ] && card=${dev##*/}
    done
    check "a card of $1 appears" test -n "$card" || return
    ifconfig "$card" "$2.15" netmask 255.255.255.0 up
    until_true 10 grep -q 1 "/sys/class/net/$card/carrier"
    check "$1 reaches the host" ping -c 5 -W 10 "$2.2"
    (cd /tmp && tftp -g -r pattern -b 1428 "$2.2" 2>/dev/null)
    is "$1 fetches a file" "$(sha256sum < /tmp/pattern | cut -d' ' -f1)" \
        "$(setting file-sha256)"
    rm -f /tmp/pattern
    ifconfig "$card" down
}

net_test e1000e 10.0.2
net_test virtio_net 10.0.3

if [ -r /lib/mods/edutest.load ]; then
    check "the edu driver loads" load edutest
    is "edu moves memory both ways" \
        "$(dmesg | sed -n 's/.*edutest: [0-9a-f:.]*: //p')" \
        "16 round trips, 0 failures"
fi

is "the serial line and this script saw no lost interrupt" \
    "$(dmesg | grep -c 'nobody cared')" 0
