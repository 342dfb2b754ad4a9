#!/usr/bin/python3
"""Run test programs that speak TAP and count their test cases.

  tap-run.py --build DIR --suite NAME [--match RE]   the build's tests of a suite
  tap-run.py --name NAME -- COMMAND...               one command that prints TAP
  tap-run.py --build DIR --targets SUITE...          what ninja has to build
  tap-run.py --build DIR --programs FOLDER           programs built in a folder

What is counted is test cases, not programs. A case that says SKIP counts as
skipped. A program that crashes, hangs, breaks off before its plan or reports
nothing counts as one failure more. Output goes whole to LOGS/NAME.log. With
--results FILE a line "NAME passed failed skipped" is added there.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

RESULT = re.compile(r'^(\s*)(not )?ok\b\s*(\d+)?\s*-?\s*([^#]*)'
                    r'(?:#\s*(SKIP|TODO)\S*\s*(.*))?', re.I)
PLAN = re.compile(r'^(\s*)1\.\.(\d+)\s*(#\s*SKIP\S*\s*(.*))?', re.I)


class Tap:
    """The counts of one TAP stream, fed line by line."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = []
        self.seen = 0           # outermost results, to hold against the plan
        self.plan = None
        self.inner = 0          # results inside the subtest that is open
        self.bailed = False

    def feed(self, line):
        plan = PLAN.match(line)
        if plan:
            self.add_plan(plan)
            return
        if line.lower().startswith('bail out!'):
            self.bailed = True
            self.fail('bailed out: ' + line[9:].strip())
            return
        result = RESULT.match(line)
        if result:
            self.add_result(result)

    def add_plan(self, plan):
        if plan.group(1):
            return
        self.plan = int(plan.group(2))
        if self.plan == 0 and plan.group(3):
            self.skip(plan.group(4) or 'all of it')

    def add_result(self, result):
        indent, bad, _, name, directive, reason = result.groups()
        name = name.strip()
        directive = (directive or '').upper()
        if indent:
            self.inner += 1
        else:
            self.seen += 1
            # the line that sums up a subtest whose cases are counted
            summary, self.inner = self.inner, 0
            if summary and not bad:
                return
        if directive == 'SKIP':
            self.skip(f'{name}: {reason}' if reason else name)
        elif bad:
            self.fail(name)
        else:
            self.passed += 1

    def fail(self, why):
        self.failed += 1
        self.failures.append(why)

    def skip(self, why):
        self.skipped += 1
        self.skips.append(why)

    def finish(self, status):
        """The program is over: None for a time-out, else its exit status."""
        if status is None:
            self.fail('ran out of time')
        elif self.bailed:
            pass                # counted already, however it ended
        elif status < 0:
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = f'signal {-status}'
            self.fail(f'died of {name}')
        elif not self.plan and self.seen == 0 and not self.skipped:
            self.fail(f'reported no test case (exit status {status})')
        elif self.plan is not None and self.seen < self.plan:
            self.fail(f'broke off after {self.seen} of {self.plan} cases')
        elif self.plan is None:
            self.fail('printed no plan: it may have broken off')
        elif status != 0 and not self.failed:
            self.fail(f'ended with exit status {status}')

    def __str__(self):
        parts = [f'{self.passed} passed']
        if self.failed:
            parts.append(f'{self.failed} FAILED')
        if self.skipped:
            parts.append(f'{self.skipped} skipped')
        return ', '.join(parts)


# The programs that run now, each the leader of a process group
running = set()


def kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, log, timeout=None, cwd=None, env=None, show=False):
    """Run one program in its own process group; return its Tap."""
    tap = Tap()
    timed_out = threading.Event()
    with open(log, 'w', encoding='utf-8') as out:
        out.write('$ ' + ' '.join(command) + '\n')
        out.flush()
        try:
            child = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding='utf-8', errors='replace', start_new_session=True)
        except OSError as e:
            out.write(f'{e}\n')
            tap.fail(f'cannot be run: {e.strerror}')
            return tap

        running.add(child)

        def expire():
            timed_out.set()
            kill(child)

        timer = threading.Timer(timeout, expire) if timeout else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            for line in child.stdout:
                out.write(line)
                out.flush()
                tap.feed(line.rstrip('\n'))
                if show:
                    print('   ' + line, end='', flush=True)
            status = child.wait()
        except BaseException:
            kill(child)
            raise
        finally:
            running.discard(child)
            if timer:
                timer.cancel()
    tap.finish(None if timed_out.is_set() else status)
    return tap


def report(name, tap, log, seconds):
    """What a reader sees of one program, whole in one write."""
    text = f'   {name}: {tap} ({seconds:.1f} s)\n'
    for why in tap.failures:
        text += f'      not ok: {why}\n'
    for why in tap.skips:
        text += f'      skipped: {why}\n'
    if tap.failed:
        text += f'      the whole log: {os.path.relpath(log)}\n'
    print(text, end='', flush=True)


def introspect(build, kind):
    with open(os.path.join(build, 'meson-info', f'intro-{kind}.json'),
              encoding='utf-8') as f:
        return json.load(f)


def suite_tests(build, suites):
    """The tests of @suites, whose names carry the base's as a prefix."""
    return [t for t in introspect(build, 'tests')
            if any(s.rpartition(':')[2] in suites for s in t['suite'])]


def print_targets(build, suites):
    files = {t['id']: t['filename'] for t in introspect(build, 'targets')}
    wanted = set()
    for test in suite_tests(build, suites):
        for target in test['depends']:
            wanted.update(files.get(target, []))
    print(' '.join(sorted(os.path.relpath(f, build) for f in wanted)))


def print_programs(build, folder):
    print(' '.join(sorted(
        os.path.relpath(f, build) for t in introspect(build, 'targets')
        if t['type'] == 'executable' for f in t['filename']
        if os.path.relpath(f, build).startswith(folder + '/'))))


def run_suite(args, logs):
    """Run every program of a suite, some at a time; return one Tap of all."""
    tests = [t for t in suite_tests(args.build, [args.suite])
             if re.search(args.match, t['name'])]
    total = Tap()
    if not tests:
        total.fail(f'there is no test in suite {args.suite}'
                   + (f' that matches {args.match}' if args.match else ''))
        print(f'   {total.failures[0]}')
        return total

    def one(test):
        env = dict(os.environ, **test['env'])
        command = list(test['cmd'])
        log = os.path.join(logs, re.sub(r'[^\w.-]', '_', test['name']) + '.log')
        begin = time.monotonic()
        tap = run(command, log, timeout=args.patience * (test['timeout'] or 600),
                  cwd=test['workdir'] or args.build, env=env)
        return test['name'], tap, log, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        work = [pool.submit(one, t) for t in
                sorted(tests, key=lambda t: -t['priority'])]
        try:
            for done, future in enumerate(
                    concurrent.futures.as_completed(work), start=1):
                name, tap, log, seconds = future.result()
                report(f'[{done}/{len(work)}] {name}', tap, log, seconds)
                total.passed += tap.passed
                total.failed += tap.failed
                total.skipped += tap.skipped
        except BaseException:
            # no test starts any more, and those that run end
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(running):
                kill(child)
            raise
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--logs', default='build/logs')
    parser.add_argument('--suite')
    parser.add_argument('--match', default='', help='only names that match')
    parser.add_argument('--targets', nargs='+', metavar='SUITE')
    parser.add_argument('--programs', metavar='FOLDER')
    parser.add_argument('--name', help='how to call the command')
    parser.add_argument('--results', help='file that collects the counts')
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--patience', type=float, default=float(
        os.environ.get('QEMU_SIOV_PATIENCE', 4)),
        help="factor on the tests' time-outs")
    parser.add_argument('command', nargs='*')
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)

    if args.targets:
        print_targets(args.build, args.targets)
        return 0
    if args.programs:
        print_programs(args.build, args.programs)
        return 0
    name = args.name or args.suite
    if not name or bool(args.suite) == bool(args.command):
        parser.error('give --suite NAME, or --name NAME and a command')
    if args.suite:
        logs = os.path.join(args.logs, args.suite)
        os.makedirs(logs, exist_ok=True)
        total = run_suite(args, logs)
    else:
        os.makedirs(args.logs, exist_ok=True)
        log = os.path.join(args.logs, name + '.log')
        total = run(args.command, log, show=True)
        for why in total.failures:
            print(f'   not ok: {why}')
    print(f'   {name}: {total}', flush=True)
    if args.results:
        with open(args.results, 'a', encoding='utf-8') as f:
            f.write(f'{name} {total.passed} {total.failed} {total.skipped}\n')
    return 1 if total.failed else 0


if __name__ == '__main__':
    # a hang-up must take the running tests along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
