#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw a benchmark's CSV as an SVG of horizontal bars, one group per case.

    plot.py FIGURES.csv PLOT.svg

The CSV has the columns case, unit, mode and a figure named by --column
(default ns). Bars of a group share one scale, since cases differ by orders of
magnitude; the figure stands beside its bar.
"""
import argparse
import csv
import sys
from xml.sax.saxutils import escape

BAR = 16
GAP = 22
LABEL = 230
WIDTH = 460
FIGURE = 90
COLOURS = {"none": "#8a8f98", "intel-iommu": "#d08a3c", "intel-vtd": "#2f6fb0",
           "host memcpy": "#8a8f98", "intel-dsa": "#2f6fb0"}


def text(x, y, words, **attributes):
    attributes.setdefault("font-size", 12)
    extra = "".join(f' {k.replace("_", "-")}="{v}"'
                    for k, v in attributes.items())
    return f'<text x="{x}" y="{y}"{extra}>{escape(words)}</text>'


def read_groups(path, column):
    groups = {}
    with open(path, newline="") as figures:
        for row in csv.DictReader(figures):
            label = row["unit"]
            if row["mode"] not in ("", "-"):
                label += ", " + row["mode"]
            groups.setdefault(row["case"], []).append(
                (row["unit"], label, float(row[column])))
    return groups


def draw(groups, column):
    parts = []
    y = 20
    for case, bars in groups.items():
        longest = max(value for _, _, value in bars) or 1
        y += GAP
        parts.append(text(8, y - 6, case, font_weight="bold"))
        for unit, label, value in bars:
            length = max(1, round(WIDTH * value / longest))
            colour = COLOURS.get(unit, "#555")
            parts.append(text(LABEL - 6, y + BAR - 4, label,
                              text_anchor="end"))
            parts.append(f'<rect x="{LABEL}" y="{y}" width="{length}" '
                         f'height="{BAR - 3}" fill="{colour}"/>')
            parts.append(text(LABEL + length + 6, y + BAR - 4,
                              f"{value:.1f} {column}"))
            y += BAR
    width = LABEL + WIDTH + FIGURE
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{y + 16}" font-family="sans-serif">\n'
            '<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("csv")
    parser.add_argument("svg")
    parser.add_argument("--column", default="ns")
    args = parser.parse_args()
    groups = read_groups(args.csv, args.column)
    if not groups:
        sys.exit(f"{args.csv} holds no figures; run the benchmark again")
    with open(args.svg, "w") as out:
        out.write(draw(groups, args.column))


if __name__ == "__main__":
    main()
