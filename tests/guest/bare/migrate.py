"""A bare-metal test that is migrated while it runs.

The first emulator runs until the test waits for a key, and writes its state to
a file. The second one reads that, and the key is pressed there.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time

WAITING = b'# waiting for a key'


class Control:
    """The emulator's QMP socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile('rw', encoding='utf-8')
        json.loads(self.file.readline())
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        json.dump({'execute': command, 'arguments': arguments}, self.file)
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise RuntimeError(f'the emulator ended during {command}')
            answer = json.loads(line)
            if 'error' in answer:
                raise RuntimeError(f'{command}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def until(self, command, **wanted):
        """Ask until the answer has these values."""
        while True:
            answer = self.ask(command)
            if all(answer.get(k) == v for k, v in wanted.items()):
                return
            if answer.get('status') == 'failed':
                raise RuntimeError(f'{command}: {answer}')
            time.sleep(0.05)


class Emulator:
    """One emulator process; killed when its time is over."""

    def __init__(self, command, folder, seconds):
        self.path = os.path.join(folder, 'qmp')
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.log = tempfile.TemporaryFile()
        command = command + ['-qmp', f'unix:{self.path},server=on,wait=off']
        print('#', ' '.join(command), flush=True)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=self.log)
        self.timer = threading.Timer(seconds, self.process.kill)
        self.timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        self.process.kill()
        self.process.communicate()

    def control(self):
        while True:
            try:
                return Control(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                # The socket has a name before somebody listens.
                if self.process.poll() is not None:
                    raise
            time.sleep(0.05)

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode('utf-8', 'replace')


def save(command, folder, seconds):
    """Run until the test waits; what it printed. Its state is in a file."""
    output = b''
    with Emulator(command, folder, seconds) as source:
        for line in source.process.stdout:
            output += line
            if line.startswith(WAITING):
                control = source.control()
                control.ask('migrate', uri=f'file:{folder}/state')
                control.until('query-migrate', status='completed')
                break
    return output


def destination(command, cpu, folder):
    command = list(command)
    command[command.index('-cpu') + 1] = cpu
    return command + ['-incoming', f'file:{folder}/state']


def holds(folder, words):
    """Whether the saved state has a part of that name."""
    with open(f'{folder}/state', 'rb') as state:
        return words.encode() in state.read()


def run(command, cpu, absent, seconds):
    """What the test printed in both emulators, the second's exit status.

    The state must not have a part of the name absent, if it is not None.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = save(command, folder, seconds)
        if absent and holds(folder, absent):
            return output, f'the state has {absent}'
        with Emulator(destination(command, cpu, folder), folder,
                      seconds) as second:
            try:
                second.control().until('query-status', status='running')
                rest, _ = second.process.communicate(b'x')
            except (OSError, RuntimeError) as error:
                return output, f'{error}: {second.errors()}'
            return output + rest, second.process.returncode


def check_refused(command, cpu, words, seconds):
    """One test case: the second emulator refuses the state with these words."""
    with tempfile.TemporaryDirectory() as folder:
        output = save(command, folder, seconds)
        with Emulator(destination(command, cpu, folder), folder,
                      seconds) as second:
            second.process.communicate()
            errors = second.errors()
            good = (WAITING in output and words in errors and
                    second.process.returncode == 1)
    print('ok' if good else 'not ok', f'1 - refused: {words}')
    for line in errors.splitlines():
        print('#', line)
    print('1..1')
    return 0 if good else 1
