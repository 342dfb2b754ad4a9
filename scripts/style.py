#!/usr/bin/python3
"""Style of the overlay's files: the base's checkpatch and rules of our own.

  style.py [FILE...]          print what is wrong; exit 1 if anything is
  style.py --tap [FILE...]    one test case for each rule

SPDX-License-Identifier: GPL-2.0-or-later
"""

import concurrent.futures
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRAP = os.path.join(TOP, 'subprojects', 'qemu.wrap')
LICENSE = 'SPDX-License-Identifier: GPL-2.0-or-later'
MOST_LINES = 800
MOST_SHOWN = 40     # of one rule's findings

SKIPPED_DIRS = {'.git', '.base', '.tools', 'build', 'guest-images',
                '__pycache__'}
C_FILE = re.compile(r'\.(c|h|c\.inc|h\.inc|S)$')
CODE_FILE = re.compile(
    r'\.(c|h|inc|S|py|sh|build|rst)$|(^|/)(Makefile|Kconfig|Kbuild|run|check|'
    r'trace-events|meson\.build)$')
# Code for Linux keeps to Linux's style
LINUX_CODE = re.compile(r'^tests/guest/module/')
# Text that has no place for such a line, or a licence of its own
NO_LICENSE = re.compile(r'(^|/)(trace\.h|README\.md|CONTRIBUTING\.md)$')
# Paths that exist on one person's machine only
MACHINE_PATH = re.compile(r'(?<![\w.$}/-])/(home|root|work|Users|mnt|media)/\w')


def our_files():
    """Every file of the project, whether git knows it yet or not."""
    for folder, dirs, names in os.walk(TOP):
        dirs[:] = sorted(d for d in dirs if d not in SKIPPED_DIRS)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and name != '.git' and \
                    not name.endswith('.pyc'):
                yield os.path.relpath(path, TOP)


def text_of(path):
    try:
        with open(os.path.join(TOP, path), encoding='utf-8') as f:
            return f.read()
    except UnicodeDecodeError:
        return ''


def checkpatch_script():
    with open(WRAP, encoding='utf-8') as f:
        name = re.search(r'^directory\s*=\s*(\S+)', f.read(), re.M).group(1)
    return os.path.join(TOP, '.base', name, 'scripts', 'checkpatch.pl')


def rule_checkpatch(files):
    """the base's checkpatch.pl has nothing to say"""
    script = checkpatch_script()
    if not os.path.isfile(script):
        return ['the base is not assembled: run scripts/base-assemble.sh']

    def one(path):
        done = subprocess.run(
            ['perl', script, '--no-tree', '--no-signoff', '--strict',
             '--terse', '-q', '-f', path], cwd=TOP, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding='utf-8', errors='replace')
        lines = [x for x in done.stdout.splitlines()
                 if re.search(r': (ERROR|WARNING|CHECK):', x)
                 and 'MAINTAINERS' not in x]
        if done.returncode and not lines and 'total:' not in done.stdout:
            lines = [f'{path}: checkpatch.pl failed: {done.stdout.strip()}']
        return lines

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(one, [f for f in files if C_FILE.search(f)
                               and not LINUX_CODE.search(f)])
    return [line for lines in found for line in lines]


def rule_license(files):
    """every file names its licence"""
    return [f'{f}: no line "{LICENSE}"' for f in files
            if CODE_FILE.search(f) and not NO_LICENSE.search(f)
            and LICENSE not in text_of(f)]


def rule_length(files):
    """no file has outgrown one topic"""
    found = []
    for path in files:
        count = text_of(path).count('\n')
        if CODE_FILE.search(path) and count > MOST_LINES:
            found.append(f'{path}: {count} lines, more than {MOST_LINES}')
    return found


def rule_paths(files):
    """no path of one person's machine"""
    return [f'{f}:{n}: {line.strip()}'
            for f in files if f != 'COPYING'
            for n, line in enumerate(text_of(f).splitlines(), start=1)
            if MACHINE_PATH.search(line)]


def rule_whitespace(files):
    """no trailing white space, and a newline at the end"""
    found = []
    for path in files:
        if path.endswith('.patch') or path == 'COPYING':
            continue
        text = text_of(path)
        found += [f'{path}:{n}: trailing white space' for n, line
                  in enumerate(text.split('\n'), start=1)
                  if line != line.rstrip()]
        if text and not text.endswith('\n'):
            found.append(f'{path}: no newline at the end')
    return found


def rule_shell(files):
    """every shell script parses"""
    found = []
    for path in files:
        first = text_of(path).split('\n', 1)[0]
        if path.endswith('.sh') or re.match(r'#!/bin/sh\b', first):
            done = subprocess.run(['sh', '-n', path], cwd=TOP, check=False,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding='utf-8')
            if done.returncode:
                found.append(done.stdout.strip())
    return found


RULES = [rule_checkpatch, rule_license, rule_length, rule_paths,
         rule_whitespace, rule_shell]


def main():
    args = sys.argv[1:]
    tap = '--tap' in args
    files = [os.path.relpath(os.path.abspath(a), TOP)
             for a in args if a != '--tap'] or list(our_files())
    if tap:
        print(f'1..{len(RULES)}', flush=True)
    broken = False
    for index, rule in enumerate(RULES, start=1):
        found = rule(files)
        broken = broken or bool(found)
        if tap:
            print(f'{"not " if found else ""}ok {index} {rule.__doc__}')
        if len(found) > MOST_SHOWN:
            found[MOST_SHOWN:] = [f'... and {len(found) - MOST_SHOWN} more']
        for line in found:
            print(f'# {line}' if tap else line, flush=True)
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
