#!/usr/bin/python3
"""Show which submissions take the big lock, by a trace of all mutexes.

  lock-trace.py EMULATOR IMAGE [EMULATOR OPTION...]

IMAGE is made of submit.c. The options put an intel-dsa in slot 5, or behind a
root port there, where one more way to be refused is tried. The emulator writes
one trace for each of its threads: each mutex taken, with the place in the
source, and each write to a register. What is counted are acquisitions of the
big lock by the thread of the processor, between two writes that begin the
image's phases.

The thread may have to leave the execution of the guest at any time for the
sake of others, to let a grace period of RCU pass for example, and takes the
big lock on its way. Those are told apart by where they happen; what happens
anywhere else in a phase that should be free of locks is a failure.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

RUN = pathlib.Path(__file__).with_name('run.py')
SUBMISSIONS = 10000
LEAVING = ('accel/tcg/tcg-accel-ops', 'accel/tcg/cpu-exec')
MAX_LEAVING = 100           # of 10000; an interrupt or two, an RCU period

# phase: (how often and what, whether it takes the big lock)
PHASES = {
    1: ('10000 x ENQCMD to a shared work queue', False),
    2: ('10000 x ENQCMD to its limited portal', False),
    3: ('10000 x ENQCMDS to a shared work queue', False),
    4: ('10000 x MOVDIR64B to a dedicated work queue', False),
    5: ('10000 x MOVDIR64B to its limited portal', False),
    6: ('1000 x MOVDIR64B and UMWAIT for the record', False),
    7: ('10000 x ENQCMD, refused at the threshold', False),
    8: ('10000 x ENQCMD, refused by a disabled work queue', False),
    9: ('10000 x MOVDIR64B, dropped by a disabled work queue', False),
    10: ('10000 x ENQCMD, blocked by a port', False),
    11: ('10000 x ENQCMD to a completer', False),
    12: ('10000 x MOVDIR64B to a completer', False),
    13: ('10000 x ENQCMD to a completer that wants the lock', True),
    14: ('10000 x ordinary stores to a device', True),
}
PORT_PHASE = 10             # only with a port above the accelerator

MUTEX = re.compile(r'^qemu_mutex_locked taken mutex (\S+) \(.*?([^/]+/[^/]+/'
                   r'[^/]+:\d+|[^()]*)\)$')
MARK = re.compile(r"^memory_region_ops_write cpu 0 .* addr 0x[0-9a-f]*018 "
                  r"value (0x[0-9a-f]+) .* name 'dmwr-testdev-control'$")


def run(emulator, image, options, folder):
    """Run the image; its TAP without the plan, and whether it passed"""
    process = subprocess.run(
        [sys.executable, str(RUN), emulator, image, *options,
         '-D', f'{folder}/%d',
         '-d', 'trace:qemu_mutex_locked,trace:memory_region_ops_write,tid'],
        stdout=subprocess.PIPE, check=False, text=True)
    lines = [line for line in process.stdout.splitlines()
             if not re.match(r'1\.\.\d', line)]
    return lines, process.returncode == 0


def phases_of(log):
    """{phase: [(mutex, place)]} of one thread's trace; 0 is between phases"""
    phases, current = {0: []}, 0
    with open(log, encoding='utf-8', errors='replace') as lines:
        for line in lines:
            mutex = MUTEX.match(line)
            if mutex:
                phases[current].append(mutex.groups())
                continue
            mark = MARK.match(line)
            if mark:
                current = int(mark.group(1), 16)
                phases.setdefault(current, [])
    return phases


def big_lock(phases):
    """The mutex that a vCPU's thread takes after executing the guest"""
    for taken in phases.values():
        for mutex, place in taken:
            if 'tcg-accel-ops-mttcg.c' in place:
                return mutex
    return None


def verdict(phase, taken):
    """TAP case of one phase: whether it is good, and its name"""
    name, locks = PHASES[phase]
    leaving = {place: n for place, n in taken.items()
               if any(where in place for where in LEAVING)}
    paths = sum(taken.values()) - sum(leaving.values())
    for place, n in taken.most_common(3):
        print(f'# phase {phase}: {n} times at {place}')
    if locks:
        good = paths >= SUBMISSIONS
    else:
        good = paths == 0 and sum(leaving.values()) <= MAX_LEAVING
    return good, (f'{name}: the big lock taken {paths} times on the way, '
                  f'{sum(leaving.values())} by leaving the guest')


def judge(folder, wanted):
    """TAP cases from the traces"""
    for log in folder.iterdir():
        phases = phases_of(log)
        if wanted <= phases.keys():
            break
    else:
        return [(False, 'the trace shows all phases')]
    lock = big_lock(phases)
    cases = [(lock is not None, 'the trace shows the big lock')]
    for phase in sorted(wanted):
        taken = [place for mutex, place in phases[phase] if mutex == lock]
        # The last one is taken by the write that ends the phase.
        cases.append(verdict(phase, collections.Counter(taken[:-1])))
    return cases


def main():
    emulator, image, *options = sys.argv[1:]
    wanted = set(PHASES)
    if not any('-port' in option for option in options):
        wanted.remove(PORT_PHASE)
    with tempfile.TemporaryDirectory(prefix='lock-trace-') as folder:
        lines, passed = run(emulator, image, options, folder)
        print('\n'.join(lines))
        if not passed:
            print('Bail out! the image failed')
            return 1
        count = sum(line.startswith('ok ') for line in lines)
        cases = judge(pathlib.Path(folder), wanted)
    for number, (good, name) in enumerate(cases, count + 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    print(f'1..{count + len(cases)}')
    return 0 if all(good for good, _ in cases) else 1


if __name__ == '__main__':
    sys.exit(main())
