# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel boots with the IOMMU on, and powers off.
check "the IOMMU's driver is active" \
    sh -c 'ls /sys/class/iommu | grep -q dmar'
check "interrupt remapping is on" \
    sh -c "dmesg | grep -q 'Enabled IRQ remapping'"
check "devices are in IOMMU groups" \
    sh -c 'test "$(ls /sys/kernel/iommu_groups | wc -l)" -gt 0'
