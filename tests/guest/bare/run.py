#!/usr/bin/python3
"""Run one bare-metal test and hand on its TAP.

  run.py EMULATOR IMAGE [EMULATOR OPTION...]

The test ends the emulator itself, by isa-debug-exit. An emulator that ends in
another way, or a test that breaks off before its plan or runs for longer than
a minute times QEMU_SIOV_PATIENCE (4 by default), is a failure.

Among the options may be

  --migrate CPU     when the test waits for a key, move it to a second emulator
                    with that -cpu option, and press the key there
  --refused WORDS   which that emulator has to refuse, saying so
  --absent NAME     part of the state that must not be sent

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
import re
import subprocess
import sys

import migrate

PASSED, FAILED = 1, 3       # 2 * code + 1, see finish() in bare.c
SECONDS = 60 * float(os.environ.get('QEMU_SIOV_PATIENCE', 4))


def take(options, name):
    """Remove option name from the list; its value, or None."""
    if name not in options:
        return None
    at = options.index(name)
    value = options[at + 1]
    del options[at:at + 2]
    return value


def run(command):
    """One emulator from start to end: what it printed, its exit status."""
    print('#', ' '.join(command), flush=True)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            status = f'none after {SECONDS:g} seconds'
    return output, status


def main():
    emulator, image, *options = sys.argv[1:]
    cpu = take(options, '--migrate')
    refused = take(options, '--refused')
    absent = take(options, '--absent')
    command = [
        emulator, '-machine', 'q35', '-m', '64', '-nodefaults', '-no-reboot',
        '-display', 'none', '-serial', 'stdio', '-device', 'dmwr-testdev,addr=4',
        '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', image,
        *options
    ]
    if '-accel' not in options:
        command += ['-accel', 'tcg']
    if refused:
        return migrate.check_refused(command, cpu, refused, SECONDS)
    if cpu:
        output, status = migrate.run(command, cpu, absent, SECONDS)
    else:
        output, status = run(command)

    text = output.decode('ascii', 'replace')
    sys.stdout.write(text)
    if status not in (PASSED, FAILED):
        print(f'Bail out! exit status of the emulator: {status}')
        return 1
    if not re.search(r'^1\.\.\d+\s*$', text, re.M):
        print('Bail out! the test broke off')
        return 1
    return 0 if status == PASSED else 1


if __name__ == '__main__':
    sys.exit(main())
