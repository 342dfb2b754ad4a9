# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests: which runs on which kernel, with which devices."""

import dataclasses

ALL = ("6.1", "6.12", "6.18", "7.2")
SVA = ("6.12", "6.18", "7.2")   # shared virtual addressing compiled in

DSA = ("-device", "intel-dsa,id=dsa0")


@dataclasses.dataclass(frozen=True)
class Allowed:
    """Kernel messages that look like trouble and belong to a test."""

    pattern: str
    reason: str
    kernels: tuple = ALL


# 6.1 of Debian answers any binding of shared virtual addresses so
NO_SVA = Allowed(r"idxd 0000:\S+: iommu sva bind failed: -95",
                 "this kernel has shared virtual addressing compiled out",
                 ("6.1",))


@dataclasses.dataclass(frozen=True)
class Case:
    """One guest test.

    name      of tests/guest/guest/NAME.sh
    kernels   rows of scripts/guest-kernels.list
    devices   arguments for the emulator, behind the IOMMU's; {disk1} and
              {disk2} are images with a pattern, {files} a folder to serve
    cpus      virtual processors
    timeout   seconds of real time, generous: a slow machine is no failure
    allowed   messages to accept
    """

    name: str
    kernels: tuple = ALL
    devices: tuple = ()
    cpus: int = 1
    timeout: int = 300
    allowed: tuple = ()


CASES = (
    Case("boot", timeout=120),
    Case(
        "boot-devices",
        cpus=2,
        devices=(
            "-drive", "file={disk1},format=raw,if=none,id=disk1",
            "-device", "nvme,drive=disk1,serial=1",
            "-drive", "file={disk2},format=raw,if=none,id=disk2",
            "-device", "virtio-blk-pci,drive=disk2,disable-legacy=on,"
                       "iommu_platform=on",
            "-netdev", "user,id=net1,net=10.0.2.0/24,tftp={files}",
            "-device", "e1000e,netdev=net1,romfile=",
            "-netdev", "user,id=net2,net=10.0.3.0/24,tftp={files}",
            "-device", "virtio-net-pci,netdev=net2,romfile=,disable-legacy=on,"
                       "iommu_platform=on",
            "-device", "edu",
        ),
    ),
    Case(
        "dsa-user",
        kernels=SVA,
        devices=DSA,
        cpus=2,
        timeout=900,
        allowed=(
            Allowed(r"idxd 0000:\S+: err\[\d\]:",
                    "a completion record at an odd place, in SWERR"),
            Allowed(r"dmar\d: Invalid page request: \S+ 8000000000000",
                    "the address that no processor accepts"),
        ),
    ),
    Case(
        "dsa-user-61",
        kernels=("6.1",),
        devices=DSA,
        allowed=(
            NO_SVA,
            Allowed(r"idxd 0000:\S+: pasid allocation failed: -95",
                    "the driver's answer to the open that must fail"),
        ),
    ),
    Case("dsa-kernel", devices=DSA, cpus=2, timeout=900,
         allowed=(NO_SVA,)),
)


def find(name):
    for case in CASES:
        if case.name == name:
            return case
    raise KeyError(name)
