#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the guest tests on the kernel matrix.

  tests/guest/matrix.py [-j N] [--kernel NAME] [--test NAME] [--qemu FILE] ...

Prints TAP, one test per line as it ends, and "N passed, N failed" last.
Exit status 0 if all passed.
"""

import argparse
import concurrent.futures
import sys

import cases
import harness


def selected(options):
    return [(case, kernel)
            for kernel in cases.ALL for case in cases.CASES
            if kernel in case.kernels
            and (not options.kernel or kernel in options.kernel)
            and (not options.test or
                 {case.name, case.file} & set(options.test))]


def run_one(case, kernel, options):
    try:
        return harness.run(case, kernel, options)
    except harness.Failure as err:
        result = harness.Result(case, kernel)
        result.problems.append(str(err))
        result.logs = {n: "none" for n in ("tap", "console", "qemu")}
        return result


def numbered(number, result):
    mark = "ok" if result.good else "not ok"
    print(f"{mark} {number} - {result.title} ({result.passed} checks, "
          f"{result.seconds:.0f} s)", flush=True)
    if result.good:
        return
    for problem in result.problems[:15]:
        print(f"#   {problem}")
    for name in ("tap", "console", "qemu"):
        print(f"#   {name}: {result.logs[name]}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-j", type=int, default=1, dest="jobs",
                        help="guests at a time (default 1)")
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--test", action="append")
    parser.add_argument("--list", action="store_true",
                        help="print what would run")
    harness.add_options(parser)
    options = parser.parse_args()
    todo = selected(options)
    if options.list:
        for case, kernel in todo:
            print(f"{case.name} {kernel}")
        return
    if not todo:
        sys.exit("error: no guest test has that name on that kernel")

    # fetch and build up front, so that guests do not wait for each other
    images = {(case.image, kernel): case for case, kernel in todo}
    try:
        for (_, kernel), case in images.items():
            harness.guest_files(case, kernel)
    except harness.Failure as err:
        sys.exit(f"error: {err}")

    print(f"1..{len(todo)}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(run_one, case, kernel, options)
                for case, kernel in todo]
        ends = concurrent.futures.as_completed(jobs)
        for number, job in enumerate(ends, 1):
            result = job.result()
            failed += not result.good
            numbered(number, result)
    print(f"{len(todo) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
