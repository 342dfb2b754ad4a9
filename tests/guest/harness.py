# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a guest kernel with one test and judge what it says.

The guest's first serial line carries kernel messages, the second the test's
results in the Test Anything Protocol.  A test passes if the plan is there and
fulfilled, nothing failed or was skipped, the guest powered itself off, and
the kernel log holds no sign of trouble.
"""

import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = TOP / "scripts"
FIRMWARE = ("/usr/share/seabios", "/usr/share/qemu")
DISK_MIB = 8
# As for all tests, 4 is the default; the time-outs of cases.py are for that
PATIENCE = float(os.environ.get("QEMU_SIOV_PATIENCE", 4)) / 4

# What a healthy kernel never prints.  DMAR faults are trouble, too: a device
# of a correct driver behind a correct IOMMU causes none.
TROUBLE = [re.compile(p) for p in (
    r"\bWARNING:", r"\bBUG:", r"\bBUG at\b", r"\bOops\b", r"Kernel panic",
    r"Call Trace", r"general protection fault", r"unable to handle",
    # PPF alone, whichever record it is about: that has a line of its own
    r"DMAR: \[", r"DMAR: DRHD: handling fault status reg (?!(\w{1,2}0)?2\b)",
    r"DMAR: QI|Invalidation .*(Error|Time-out|timeout)",
    r"DMAR:.*(error|failed|timed out)", r"AMD-Vi:.*EVENT",
    r"idxd .*(err|[Ff]ail|(?i:halt)|timeout|hang)", r"I/O error",
    # a page request that no device should send; the reason comes first
    r"IOMMU: .*(Page request without PASID|Address is not canonical|"
    r"Page request in Privilege Mode|Execution request not supported)",
    r"Invalid page request",
    r"hung_task|blocked for more than", r"soft lockup|hard LOCKUP",
    r"nobody cared", r"rcu.*(stall|self-detected)", r"NETDEV WATCHDOG",
    r"nvme .*(timeout|reset controller|Abort)", r"segfault",
    r"Unable to turn on user SVA",
)]

# Messages that only look like it, on any kernel and any test
HARMLESS = [re.compile(p) for p in (
    r"RAS: Correctable Errors collector",
    r"Unstable clock detected",
    # a device without performance counters is no failure of it
    r"idxd .*: Failed to initialize perfmon",
)]

# What a kernel may say until its IOMMU driver is up, not later.
#
# Linux gives IRQ 0 to the IO-APIC with interrupts on: it changes the interrupt
# chip, then writes the redirection entry, then changes the flow handler. A tick
# of the timer in between is handled as one from the 8259 but with the new chip:
# it masks and unmasks pin 2, whose entry is then unmasked in compatibility
# format. The next tick is blocked and recorded (reason 25h), as it has to be,
# until the kernel's check of its timer writes the entry (mp_irqdomain_alloc()
# in arch/x86/kernel/apic/io_apic.c). A busy host makes the moment longer.
# Linux says so as soon as it has enabled the unit's fault interrupt. Since it
# looks at the unit's NUMA node for that (enable_drhd_fault_handling() in
# drivers/iommu/intel/dmar.c), which a machine without nodes does not have, that
# is when the driver starts.
EARLY = re.compile(r"\[INTR-REMAP\] Request device \[(0000:)?ff:00\.0\] "
                   r"fault index 0x0 \[fault reason 0x25\]")
EARLY_END = re.compile(r"smp: Bringing up secondary CPUs|"
                       r"DMAR: Intel\(R\) Virtualization Technology for")
STAMP = re.compile(r"^\[ *(\d+\.\d+)\]")


class Failure(Exception):
    """A sentence for the user: the test could not be run at all."""


def script(*args):
    """Run one of our shell scripts; its output's last line."""
    done = subprocess.run([str(SCRIPTS / args[0]), *args[1:]],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failure(f"scripts/{args[0]} {' '.join(args[1:])} failed")
    return done.stdout.strip().splitlines()[-1] if done.stdout else ""


def guest_files(case, kernel):
    """The kernel and the image of a test: made if they are not there."""
    more = ("--with", case.image) if case.image else ()
    image = script("guest-image.sh", "--path", *more, kernel)
    folder = script("guest-kernels.sh", "--path", kernel)
    return f"{folder}/{'vmlinuz' if case.whole_boot else 'vmlinux'}", image


def pattern(seed, size):
    return random.Random(seed).randbytes(size)


class Fixtures:
    """Disks and files with known contents for one run."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.settings = {}
        self.paths = {}

    def prepare(self):
        disk = pattern(1, DISK_MIB << 20)
        served = pattern(2, 300_000)
        for name in ("disk1", "disk2"):
            path = self.folder / f"{name}.img"
            path.write_bytes(disk)
            os.truncate(path, 2 * len(disk))
            self.paths[name] = path
        files = self.folder / "files"
        files.mkdir()
        (files / "pattern").write_bytes(served)
        self.paths["files"] = files
        self.settings = {
            "disk-sha256": hashlib.sha256(disk).hexdigest(),
            "disk-mib": DISK_MIB,
            "file-sha256": hashlib.sha256(served).hexdigest(),
        }

    def check(self):
        """What the guest wrote must be in the images now."""
        disk = pattern(1, DISK_MIB << 20)
        return [f"{name}: the image does not hold what the guest wrote"
                for name in ("disk1", "disk2")
                if self.paths[name].read_bytes() != disk * 2]


def command(qemu, kernel, image, case, options, settings, paths, logs):
    """The emulator's command line; the IOMMU comes before other devices."""
    # no_timer_check: Linux counts timer interrupts over a few milliseconds of
    # its own time and panics without them; on a busy host that fails now and
    # then, behind the base's IOMMU as well
    # tsc=reliable: with more processors than the host has, Linux 7.2 may look
    # after its clocks in a timer (a processor spins until another one answers)
    # while it changes the clock with all others stopped, and waits for ever
    # log_buf_len: the log is judged as a whole, at the end
    append = ["console=ttyS0", "intel_iommu=on,sm_on", "panic=-1",
              "log_buf_len=4M", "no_timer_check", "tsc=reliable",
              f"siov.test={case.file}"]
    append += [f"siov.{key}={value}" for key, value in settings.items()]
    append += case.append.split() + options.append.split()
    if not options.verbose_kernel:
        append.append("quiet")
    line = [qemu]
    for folder in FIRMWARE:
        line += ["-L", folder]
    line += ["-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-accel", "tcg", "-M", "q35", "-cpu", case.cpu,
             "-m", "1G", "-smp", str(case.cpus)]
    iommu = case.iommu or options.iommu
    if iommu != "none":
        line += ["-device", iommu]
    line += [arg.format(**paths) for arg in case.devices]
    line += ["-serial", f"file:{logs['console']}",
             "-serial", f"file:{logs['tap']}",
             "-kernel", kernel, "-initrd", image, "-append", " ".join(append)]
    return line + options.extra


class Tap:
    """What a TAP stream says."""

    LINE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")

    def __init__(self, text):
        self.passed, self.failed, self.problems = 0, [], []
        self.plan = None
        for line in text.replace("\r", "").splitlines():
            self._line(line)
        if self.plan is None:
            self.problems.append("the guest gave no plan: it did not finish")
        elif self.plan == 0:
            self.problems.append("the guest ran no test")
        elif self.plan != self.passed + len(self.failed):
            self.problems.append(
                f"{self.plan} tests planned, "
                f"{self.passed + len(self.failed)} run")

    def _line(self, line):
        match = self.LINE.match(line)
        plan = re.match(r"^1\.\.(\d+)", line)
        if line.startswith("Bail out!"):
            self.problems.append(line)
        elif plan:
            self.plan = int(plan.group(1))
        elif match:
            if re.search(r"# *(skip|todo)", match.group(3), re.I):
                self.problems.append(f"skipped: {match.group(3)}")
            elif match.group(1):
                self.failed.append(match.group(3))
            else:
                self.passed += 1


def stamp(line):
    match = STAMP.match(line)
    return float(match.group(1)) if match else 0.0


def kernel_trouble(log, case, kernel):
    """Lines of the kernel's messages that a healthy one does not have."""
    early = max((stamp(line) for line in log.splitlines()
                 if EARLY_END.search(line)), default=0.0)
    allowed = [a.pattern for a in case.allowed if kernel in a.kernels]
    found = []
    for line in log.replace("\r", "").splitlines():
        if not any(p.search(line) for p in TROUBLE):
            continue
        if any(p.search(line) for p in HARMLESS):
            continue
        if EARLY.search(line) and stamp(line) < early:
            continue
        if any(re.search(p, line) for p in allowed):
            continue
        if line not in found:
            found.append(line)
    return found


class Result:
    def __init__(self, case, kernel):
        self.case, self.kernel = case, kernel
        self.limit = case.timeout * PATIENCE
        self.seconds = 0.0
        self.problems = []
        self.passed = 0
        self.logs = {}

    @property
    def good(self):
        return not self.problems and self.passed > 0

    @property
    def title(self):
        return f"{self.case.name} on Linux {self.kernel}"


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def wait_for(process, seconds):
    """Its exit status, None if it had to be stopped."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def judge(result, status):
    tap = Tap(read(result.logs["tap"]))
    result.passed = tap.passed
    result.problems += [f"failed: {name}" for name in tap.failed]
    result.problems += tap.problems
    console = read(result.logs["console"])
    if status is None:
        result.problems.append(f"no end after {result.limit:g} seconds")
    elif status:
        how = (signal.Signals(-status).name if status < 0
               else f"status {status}")
        result.problems.append(f"the emulator ended with {how}")
    elif "=== end of kernel log ===" not in console:
        result.problems.append("the guest did not reach its end")
    elif "Linux version" not in console.partition("=== kernel log ===")[2]:
        result.problems.append("the kernel's log is cut off")
    result.problems += [f"kernel log: {line}"
                        for line in kernel_trouble(console, result.case,
                                                   result.kernel)]


def run(case, kernel, options):
    """Run one test; returns a Result."""
    result = Result(case, kernel)
    logs = pathlib.Path(options.logs) / f"{case.name}-{kernel}"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    result.logs = {name: logs / f"{name}.log"
                   for name in ("console", "tap", "qemu", "command")}
    if options.kernel_file:
        vmlinuz = options.kernel_file
        image = script("guest-image.sh", "--own", "--path")
    else:
        vmlinuz, image = guest_files(case, kernel)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="siov-guest-") as folder:
        fixtures = None
        settings, paths = {}, {}
        if any("{disk1}" in arg for arg in case.devices):
            fixtures = Fixtures(folder)
            fixtures.prepare()
            settings, paths = fixtures.settings, fixtures.paths
        line = command(options.qemu, vmlinuz, image, case, options, settings,
                       paths, result.logs)
        result.logs["command"].write_text(
            " ".join(f"'{a}'" if re.search(r"[^\w./:=,+-]", a) else a
                     for a in line) + "\n")
        with open(result.logs["qemu"], "wb") as output:
            try:
                process = subprocess.Popen(line, stdin=subprocess.DEVNULL,
                                           stdout=output, stderr=output)
            except OSError as err:
                raise Failure(f"{options.qemu} cannot be run: "
                              f"{err.strerror}") from err
            try:
                status = wait_for(process, result.limit)
            except BaseException:
                process.kill()
                process.wait()
                raise
        judge(result, status)
        if fixtures and status == 0:
            result.problems += fixtures.check()
    said = read(result.logs["qemu"]).strip()
    said = "\n".join(line for line in said.splitlines()
                     if "TCG doesn't support requested feature" not in line)
    if said:
        result.problems.append(f"the emulator said: {said.splitlines()[-1]}")
    result.seconds = time.monotonic() - start
    return result


def report(result, out=sys.stdout):
    """One line for a good test, the reasons and logs for a bad one."""
    mark = "ok" if result.good else "not ok"
    print(f"{mark} - {result.title}: {result.passed} checks passed, "
          f"{result.seconds:.0f} s", file=out, flush=True)
    if result.good:
        return
    for problem in result.problems[:15]:
        print(f"#   {problem}", file=out)
    if len(result.problems) > 15:
        print(f"#   and {len(result.problems) - 15} more", file=out)
    for name in ("tap", "console", "qemu"):
        print(f"#   {name}: {result.logs[name]}", file=out)
    out.flush()


def add_options(parser):
    parser.add_argument("--qemu",
                        default=str(TOP / "build" / "qemu-system-x86_64"),
                        help="the emulator (default: this tree's)")
    parser.add_argument("--iommu", default="intel-vtd", metavar="DEVICE",
                        help="the IOMMU with its properties, or none")
    parser.add_argument("--logs", default=str(TOP / "build" / "guest-logs"),
                        help="folder for logs")
    parser.add_argument("--append", default="", metavar="WORDS",
                        help="more for the kernel command line")
    parser.add_argument("--verbose-kernel", action="store_true",
                        help="kernel messages as they come")
    parser.add_argument("--kernel-file", metavar="FILE",
                        help="a kernel of your own, drivers built in")
    parser.add_argument("--extra", nargs=1, action="extend", default=[],
                        metavar="ARG", help="one more emulator argument")
