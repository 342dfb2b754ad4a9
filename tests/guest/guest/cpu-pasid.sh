# SPDX-License-Identifier: GPL-2.0-or-later
#
# IA32_PASID is a task's own, without any IOMMU.
is "IOMMUs" "$(ls /sys/class/iommu 2>/dev/null | wc -l)" 0
check "the module for tests loads" load cputest || return
check "it has a device" until_true 5 test -c /dev/cputest || return
adopt cpu-pasid
