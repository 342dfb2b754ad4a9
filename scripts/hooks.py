#!/usr/bin/python3
"""The hook series: what it touches upstream, and whether it only hooks.

  hooks.py          print the figures; exit 1 if a rule is broken
  hooks.py --tap    the same rules as test cases

Rules, explained in docs/devel/hooks.rst:
  - every patch is named in subprojects/qemu.wrap, and every name is a patch
  - every patch has a row in the table of docs/devel/hooks.rst with the number
    of lines it may add, and keeps to it
  - no patch creates, deletes or renames a file
  - no patch defines a function, a type or a table of its own, or adds comments
  - the series applies to the released source, line for line

SPDX-License-Identifier: GPL-2.0-or-later
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRAP = os.path.join(TOP, 'subprojects', 'qemu.wrap')
SERIES = os.path.join(TOP, 'subprojects', 'packagefiles')
RULES = os.path.join(TOP, 'docs', 'devel', 'hooks.rst')
BASE = os.path.join(TOP, '.base')

# Added lines that bring code of their own to an upstream file
OWN_CODE = [
    (re.compile(r'^\{\s*$'), 'defines a function'),
    (re.compile(r'^(typedef\s+)?(struct|union|enum)\s+\w*\s*\{'),
     'defines a type'),
    (re.compile(r'^(static\s+)?(const\s+)?\w[\w\s*]*\w\s*\[.*\]\s*=\s*\{'),
     'defines a table'),
    (re.compile(r'^\s*(/\*|\*/|\* |//)'), 'adds a comment'),
    (re.compile(r'^\s*#\s*define\s+\w+\('), 'defines a macro with arguments'),
]


class Change:
    """What one patch does to one file."""

    def __init__(self, path):
        self.path = path
        self.added = []
        self.removed = []
        self.whole_file = False


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def series():
    """The patches in order, as the wrap file names them."""
    text = read(WRAP)
    value = re.search(r'^diff_files\s*=\s*((?:.*\n?)(?:[ \t]+[^\s#].*\n?)*)',
                      text, re.M)
    if not value:
        sys.exit('error: subprojects/qemu.wrap has no diff_files.')
    return [n.strip() for n in value.group(1).split(',') if n.strip()]


def parse(name):
    """The Changes of a patch, by counting its hunks' lines."""
    changes = []
    old = rest_old = rest_new = 0
    for line in read(os.path.join(SERIES, name)).splitlines():
        if rest_old or rest_new:
            mark = line[:1]
            if mark == '+':
                changes[-1].added.append(line[1:])
            elif mark == '-':
                changes[-1].removed.append(line[1:])
            if mark != '\\':
                rest_old -= mark != '+'
                rest_new -= mark != '-'
            continue
        hunk = re.match(r'@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@', line)
        if hunk:
            rest_old = int(hunk.group(1) or 1)
            rest_new = int(hunk.group(2) or 1)
        elif line.startswith('--- '):
            old = line.split()[1]
        elif line.startswith('+++ '):
            new = line.split()[1]
            path = (old if new == '/dev/null' else new).split('/', 1)[1]
            changes.append(Change(path))
            changes[-1].whole_file = '/dev/null' in (old, new)
        elif line.startswith('rename '):
            changes.append(Change(line.split()[-1]))
            changes[-1].whole_file = True
    return changes


def budgets():
    """Patch number -> lines it may add, from the table in hooks.rst."""
    rows = re.findall(r'^\s*\* - ``(\d{4})``\s*\n\s*- (\d+)\s*$', read(RULES),
                      re.M)
    return {number: int(lines) for number, lines in rows}


def judge(name, changes, budget):
    """What is wrong with a patch, as sentences."""
    found = []
    number = os.path.basename(name)[:4]
    added = sum(len(c.added) for c in changes)
    if number not in budget:
        found.append(f'has no row in docs/devel/hooks.rst: say there what it '
                     f'hooks and that it adds {added} lines')
    elif added > budget[number]:
        found.append(f'adds {added} lines, more than the {budget[number]} '
                     'that docs/devel/hooks.rst gives it')
    for change in changes:
        if change.whole_file:
            found.append(f'creates, deletes or renames {change.path}: new '
                         'files belong to the overlay')
        for line in change.added:
            for pattern, what in OWN_CODE:
                if pattern.search(line):
                    found.append(f'{what} in {change.path} ("{line.strip()}"):'
                                 ' that belongs to the overlay')
    return found


def released(path):
    """The released file: set aside if the series touches it, else in place."""
    for folder in (os.path.join(BASE, 'pristine'), tree()):
        full = os.path.join(folder, path)
        if os.path.isfile(full):
            return full
    return None


def tree():
    name = re.search(r'^directory\s*=\s*(\S+)', read(WRAP), re.M).group(1)
    return os.path.join(BASE, name)


def apply_all(names, changes):
    """Patch name -> why it does not apply exactly, for those that do not."""
    bad = {}
    with tempfile.TemporaryDirectory() as work:
        for path in {c.path for name in names for c in changes[name]}:
            source = released(path)
            if source:
                target = os.path.join(work, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)
        for name in names:
            with open(os.path.join(SERIES, name), encoding='utf-8') as f:
                done = subprocess.run(
                    ['patch', '-p1', '-F0', '-N', '--no-backup-if-mismatch'],
                    cwd=work, stdin=f, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, encoding='utf-8', check=False)
            if done.returncode:
                lines = [x for x in done.stdout.splitlines() if 'FAILED' in x
                         or "can't find" in x or 'ignored' in x]
                bad[name] = 'does not apply: ' + '; '.join(
                    lines or done.stdout.splitlines()[-1:])
    return bad


def report(names, changes):
    files = collections.Counter()
    print(f'{"patch":<58} {"files":>5} {"added":>6} {"removed":>8}')
    total_added = total_removed = 0
    for name in names:
        added = sum(len(c.added) for c in changes[name])
        removed = sum(len(c.removed) for c in changes[name])
        total_added += added
        total_removed += removed
        for change in changes[name]:
            files[change.path] += len(change.added)
        print(f'{os.path.basename(name)[:58]:<58} {len(changes[name]):>5} '
              f'{added:>6} {removed:>8}')
    print(f'{"total":<58} {len(files):>5} {total_added:>6} '
          f'{total_removed:>8}\n')
    print('lines added, by upstream file:')
    for path, count in sorted(files.items()):
        print(f'  {count:>4}  {path}')


def main():
    tap = sys.argv[1:] == ['--tap']
    if sys.argv[1:] and not tap:
        sys.exit(__doc__)
    if not os.path.isdir(tree()):
        sys.exit('error: there is no base to hold the series against: run '
                 'scripts/base-assemble.sh first.')
    names = series()
    present = {os.path.join('qemu', n)
               for n in os.listdir(os.path.join(SERIES, 'qemu'))
               if n.endswith('.patch')}
    changes = {n: parse(n) for n in names if n in present}
    budget = budgets()
    bad = apply_all(list(changes), changes)

    cases = []
    for name in names:
        if name in present:
            found = judge(name, changes[name], budget)
            if name in bad:
                found.append(bad[name])
        else:
            found = ['is named in subprojects/qemu.wrap but does not exist']
        cases.append((os.path.basename(name), found))
    cases.append(('every patch is in the series',
                  [f'{n} is not named in diff_files of subprojects/qemu.wrap'
                   for n in sorted(present - set(names))]))
    numbers = {os.path.basename(n)[:4] for n in names}
    cases.append(('every documented hook exists',
                  [f'docs/devel/hooks.rst has a row for {n}, which is no patch'
                   for n in sorted(set(budget) - numbers)]))

    if tap:
        print(f'1..{len(cases)}')
    else:
        report(list(changes), changes)
    for index, (name, found) in enumerate(cases, start=1):
        if tap:
            print(f'{"not " if found else ""}ok {index} {name}')
        for why in found:
            print(f'# {why}' if tap else f'error: {name}: {why}')
    return 1 if any(found for _, found in cases) else 0


if __name__ == '__main__':
    sys.exit(main())
