#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write an initramfs: a cpio archive in the kernel's "newc" format.

Needs no root and no cpio program; equal input gives an equal archive
(owner 0, time 0, names sorted).  Kernel modules are taken from an extracted
kernel package with everything they depend on, uncompressed, together with a
list per module of what to load in which order:

  /lib/mods/NAME.ko        the module
  /lib/mods/NAME.load      files to load for NAME, in order

A module that is built into the kernel gets an empty list.
"""

import argparse
import lzma
import os
import pathlib
import re
import stat
import sys


class Archive:
    """The files to be, by path without a leading slash."""

    def __init__(self):
        self.entries = {}

    def folder(self, path):
        parts = pathlib.PurePosixPath(path).parts
        for n in range(1, len(parts) + 1):
            name = "/".join(parts[:n])
            self.entries.setdefault(name, (stat.S_IFDIR | 0o755, b"", 0))

    def _put(self, path, mode, data=b"", rdev=0):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (mode, data, rdev)

    def file(self, path, data, executable=False):
        self._put(path, stat.S_IFREG | (0o755 if executable else 0o644), data)

    def link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor):
        self._put(path, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def copy(self, path, source):
        source = pathlib.Path(source)
        self.file(path, source.read_bytes(), os.access(source, os.X_OK))

    def write(self, out):
        number = 0
        for name in sorted(self.entries):
            number += 1
            mode, data, rdev = self.entries[name]
            out.write(record(number, name, mode, data, rdev))
        out.write(record(0, "TRAILER!!!", 0, b"", 0))


def record(number, name, mode, data, rdev):
    """One member; header fields in the order of the newc format."""
    major, minor = rdev or (0, 0)
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, major, minor,
              len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def module_name(path):
    """The name by which the kernel and modprobe know a module file."""
    return re.sub(r"\.ko(\.xz)?$", "", path.name).replace("-", "_")


class Modules:
    """The modules of one extracted kernel, plus some built by us."""

    def __init__(self, folder, extra):
        self.files = {module_name(p): p
                      for pattern in ("*.ko", "*.ko.xz")
                      for p in pathlib.Path(folder).rglob(pattern)}
        self.files.update((module_name(p), p)
                          for p in map(pathlib.Path, extra))
        builtin = pathlib.Path(folder, "modules.builtin")
        self.builtin = {module_name(pathlib.Path(line.strip()))
                        for line in builtin.read_text().splitlines()}
        self.data = {}

    def read(self, name):
        if name not in self.data:
            path = self.files[name]
            raw = path.read_bytes()
            self.data[name] = (lzma.decompress(raw) if path.suffix == ".xz"
                               else raw)
        return self.data[name]

    def needs(self, name):
        """What its .modinfo section says it depends on."""
        found = re.search(rb"\0depends=([^\0]*)\0", self.read(name))
        names = found.group(1).decode().split(",") if found else []
        soft = re.findall(rb"\0softdep=pre: ([^\0]*)\0", self.read(name))
        names += [n for s in soft for n in s.decode().split()
                  if n.replace("-", "_") in self.files]
        return [n.replace("-", "_") for n in names if n]

    def order(self, name, seen=None):
        """NAME preceded by all it needs."""
        seen = [] if seen is None else seen
        if name in seen or (name in self.builtin and name not in self.files):
            return seen
        if name not in self.files:
            raise SystemExit(f"error: the kernel has no module '{name}'")
        for need in self.needs(name):
            self.order(need, seen)
        if name not in seen:
            seen.append(name)
        return seen


def add_modules(archive, folder, names, optional, extra):
    modules = Modules(folder, extra)
    wanted = [n.replace("-", "_") for n in names]
    wanted += [n for n in (o.replace("-", "_") for o in optional)
               if n in modules.files or n in modules.builtin]
    wanted += [module_name(pathlib.Path(p)) for p in extra]
    for name in wanted:
        files = modules.order(name)
        for file in files:
            archive.file(f"lib/mods/{file}.ko", modules.read(file))
        load = "".join(f"/lib/mods/{file}.ko\n" for file in files)
        archive.file(f"lib/mods/{name}.load", load.encode())


def pair(text):
    dest, sep, value = text.partition("=")
    if not sep:
        raise argparse.ArgumentTypeError(f"'{text}' is not DEST=SOURCE")
    return dest, value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--file", type=pair, action="append", default=[],
                        metavar="DEST=SOURCE")
    parser.add_argument("--link", type=pair, action="append", default=[],
                        metavar="DEST=TARGET")
    parser.add_argument("--folder", action="append", default=[])
    parser.add_argument("--modules", metavar="FOLDER",
                        help="lib/modules/RELEASE of an extracted package")
    parser.add_argument("--module", action="append", default=[],
                        metavar="NAME")
    parser.add_argument("--optional", action="append", default=[],
                        metavar="NAME",
                        help="a module that the kernel may lack")
    parser.add_argument("--skip-missing", action="store_true",
                        help="leave out modules that the kernel lacks")
    parser.add_argument("--extra", action="append", default=[],
                        metavar="FILE.ko")
    return parser.parse_args()


def main():
    args = arguments()
    archive = Archive()
    archive.device("dev/console", 5, 1)
    for path in args.folder:
        archive.folder(path)
    for dest, source in args.file:
        archive.copy(dest, source)
    for dest, target in args.link:
        archive.link(dest, target)
    if args.modules:
        if args.skip_missing:
            args.optional += args.module
            args.module = []
        add_modules(archive, args.modules, args.module, args.optional,
                    args.extra)
    part = args.out + ".part"
    try:
        with open(part, "wb") as out:
            archive.write(out)
        os.replace(part, args.out)
    except OSError as err:
        sys.exit(f"error: the guest image cannot be written: {err.strerror}"
                 f" ({args.out}); free some disk space or check permissions.")


if __name__ == "__main__":
    main()
