# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests: which runs on which kernel, with which devices."""

import dataclasses

ALL = ("6.1", "6.12", "6.18", "7.2")
SVA = ("6.12", "6.18", "7.2")   # shared virtual addressing compiled in

DSA = ("-device", "intel-dsa,id=dsa0")
BEHIND_PORT = ("-device", "pcie-root-port,id=rp,chassis=1,slot=1",
               "-device", "intel-dsa,id=dsa0,bus=rp")
FEW_PASIDS = ("-device", "intel-dsa,id=dsa0,pasid-bits=6")


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

    name      of tests/guest/guest/NAME.sh; with several numbers of
              processors NAME@NUMBER, one test each
    kernels   rows of scripts/guest-kernels.list
    devices   arguments for the emulator, behind the IOMMU's; {disk1} and
              {disk2} are images with a pattern, {files} a folder to serve
    cpus      virtual processors, or several numbers of them to try
    timeout   seconds of real time, generous: a slow machine is no failure;
              QEMU_SIOV_PATIENCE is a factor on it, see harness.py
    allowed   messages to accept
    image     what the guest's image holds besides: a word for the option
              --with of scripts/guest-image.sh
    script    of tests/guest/guest, if it is not NAME
    cpu       the processor's model with its features
    append    more words for the kernel's command line
    iommu     the IOMMU, if it is not the one that is asked for; "none"
    whole_boot  start the kernel by its own decompressor, which is a third of
              the time of a boot, at random addresses. The others enter the
              unpacked kernel, the same bytes, directly (PVH).
    """

    name: str
    kernels: tuple = ALL
    devices: tuple = ()
    cpus: int | tuple = 1
    timeout: int = 300
    allowed: tuple = ()
    image: str = ""
    script: str = ""
    cpu: str = "max"
    append: str = ""
    iommu: str = ""
    whole_boot: bool = False

    @property
    def file(self):
        return self.script or self.name.partition("@")[0]

    def each(self):
        """One case for each number of processors."""
        if isinstance(self.cpus, int):
            return [self]
        return [dataclasses.replace(self, name=f"{self.name}@{n}", cpus=n)
                for n in self.cpus]


def processor_cases():
    """What is judged of the processor, without an IOMMU.

    cpu-features-* boot with less than everything: what the kernel found is
    told to the script, which checks it and runs a short cpu-state. Numbers
    for clearcpuid= are those of Linux: names work on newer kernels only.
    """
    full = dict(iommu="none", cpus=2, timeout=600)
    numbers = {**full, "cpus": (1, 2, 4)}
    variants = (
        # name, words for the kernel, model, what is expected
        ("nopku", "nopku", "max", "pku"),
        ("noavx", "clearcpuid=156", "max", "avx"),
        ("noavx-nopku", "clearcpuid=156,515", "max", "avx,pku"),
        ("xsavec", "", "max,xsaves=off", "xsaves"),
        ("xsave", "", "max,xsaves=off,xsavec=off", "xsaves,xsavec"),
        ("model", "", "SapphireRapids-v3,enqcmd=on,waitpkg=on", "none"),
    )
    for name, words, cpu, lacking in variants:
        yield Case(f"cpu-features-{name}", script="cpu-features", cpu=cpu,
                   append=f"{words} siov.lacking={lacking}".strip(), **full)
    yield Case("cpu-pasid", devices=("-device", "dmwr-testdev"), **numbers)
    yield Case("cpu-state", **numbers)


def swerr(codes, reason):
    """SWERR as all these kernels print it, with certain errors only.

    err[0] has the error in bits 15:8 and Valid in bit 0; codes is a regular
    expression of two hexadecimal digits. What err[1] to err[3] hold depends
    on the error.
    """
    return Allowed(rf"idxd 0000:\S+: err\[(?:[1-3]\]:|0\]: 0x[0-9a-f]{{12}}"
                   rf"(?:{codes})[0-9a-f][13579bdf]\b)", reason)


# Where more than one error may come at a time
NO_NEWS = Allowed(r"idxd 0000:\S+: err\[0\]: 0x[0-9a-f]{8}0000000[02]\b",
                  "an error during the driver's look at the one before raises "
                  "a second interrupt, which finds no more than Overflow")

# What a dying process leaves behind: its memory is gone, and the records, too
RECORD_LOST = swerr("1a", "records of a process that has no memory any more")

# What a process that misbehaves (librogue.c) makes the kernel say. Random
# bytes without a record end with 10 or 12: where they name an operation, some
# of the bytes that it does not use are not 0.
MISDEEDS = (
    swerr("1[02ab]|50",
          "descriptors whose record cannot be written (1a) or is misplaced "
          "(1b), MOVDIR64B to a shared queue (50), and random bytes: an "
          "unknown operation (10), reserved bytes (12)"),
    NO_NEWS,
    Allowed(r"Invalid page request:|Address is not canonical",
            "addresses that no processor accepts"),
)

# Since 6.18 a process that dies with work in flight does this: the driver
# clears Present in its PASID entry first, and then looks at Present to decide
# whether to set Fault Processing Disable, so that it never does. Each of its
# descriptors may fault several times, and more than the 8 fault records hold
# are lost: Primary Fault Overflow (bit 0) is no sign of trouble here. Besides
# it only Primary Pending Fault (bit 1) and Fault Record Index (bits 15:8) may
# be set, no error of the invalidation queue.
DYING = (
    Allowed(r"DMAR: \[DMA (Read|Write) PASID .*\[fault reason 0x59\]|"
            r"DMAR: DRHD: handling fault status reg (?:[1-7]0)?[0-3]\b",
            "what a dying process left behind meets its PASID entry cleared",
            ("6.18", "7.2")),
)

ROWS = (
    Case("boot", timeout=120, whole_boot=True),
    Case(
        "boot-devices",
        cpus=2,
        whole_boot=True,
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
        cpus=(1, 2, 4),
        timeout=900,
        allowed=(
            swerr("1b", "a completion record at an odd place"),
            Allowed(r"dmar\d: Invalid page request: \S+ 8000000000000|"
                    r"dmar\d: Address is not canonical",
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
    Case("dsa-shared", kernels=SVA, devices=DSA, cpus=(1, 2, 4), timeout=900,
         allowed=MISDEEDS),
    Case("dsa-storm", kernels=SVA, devices=FEW_PASIDS, cpus=(1, 2, 4),
         timeout=900, allowed=(
             swerr("1a|04", "records of a process that has no memory any more "
                   "(1a), and pages for work without a record (04)"),
             NO_NEWS,
             Allowed(r"idxd 0000:\S+: pasid allocation failed: -28",
                     "the opens that must fail"),
             Allowed(r"idxd 0000:\S+: xarray cmpxchg failed for pasid",
                     "the driver frees a PASID before it forgets whose it "
                     "was; with so few another process has it by then"),
         ) + DYING),
    Case("dsa-retry", kernels=SVA, devices=DSA, cpus=(1, 2, 4),
         allowed=(RECORD_LOST, NO_NEWS) + DYING),
    Case("dsa-retry-port", kernels=SVA, devices=BEHIND_PORT, cpus=2,
         script="dsa-retry", allowed=(RECORD_LOST, NO_NEWS) + DYING),
    # so few PASIDs that the next process gets that of one that was killed
    Case("dsa-pages", kernels=SVA, cpus=(1, 2, 4), timeout=900,
         devices=("-device", "intel-dsa,id=dsa0,pasid-bits=3"),
         allowed=(RECORD_LOST, NO_NEWS) + DYING),
    Case("dsa-overflow", kernels=SVA, timeout=600,
         devices=sum((("-device", f"intel-dsa,id=dsa{n}") for n in range(5)),
                     ())),
    Case("dsa-kernel", devices=DSA, cpus=2, timeout=900,
         allowed=(NO_SVA,)),
    Case("accel-config", kernels=SVA, devices=DSA, cpus=(1, 2, 4),
         timeout=1800, image="accel-config"),
    *processor_cases(),
)

CASES = tuple(case for row in ROWS for case in row.each())

# They judge nothing, and are run by make bench
BENCHES = Case("dsa-pace", kernels=SVA, devices=DSA, cpus=2),


def find(name):
    """A case by its name; without @NUMBER the first one of that row."""
    for case in CASES + BENCHES:
        if name in (case.name, case.name.partition("@")[0]):
            return case
    raise KeyError(name)
