#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one guest test on one kernel.

  tests/guest/run-guest.py --kernel 6.18 --test dsa-user [--qemu FILE] ...

Exit status 0 if it passed, 1 if it failed, 2 if it could not be run.
"""

import argparse
import sys

import cases
import harness


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kernel", default="6.18", help="6.1 6.12 6.18 7.2")
    parser.add_argument("--test", required=True,
                        help=" ".join(c.name for c in cases.CASES))
    parser.add_argument("--show", action="store_true",
                        help="print the test's own lines as well")
    harness.add_options(parser)
    options = parser.parse_args()
    try:
        case = cases.find(options.test)
        result = harness.run(case, options.kernel, options)
    except KeyError:
        sys.exit(f"error: there is no guest test '{options.test}'")
    except harness.Failure as err:
        print(f"error: {err}", file=sys.stderr)
        sys.exit(2)
    if options.show:
        print(harness.read(result.logs["tap"]), end="")
    harness.report(result)
    sys.exit(0 if result.good else 1)


if __name__ == "__main__":
    main()
