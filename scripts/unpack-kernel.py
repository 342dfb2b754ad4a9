#!/usr/bin/python3
"""Unpack the kernel proper from an x86 bzImage.

  unpack-kernel.py BZIMAGE ELF

The ELF file is what the image's own decompressor would start, for emulators
and hypervisors that enter a kernel directly (PVH). Its size is checked against
the one that the image gives.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import lzma
import os
import struct
import subprocess
import sys
import zlib

# The setup header (Linux, Documentation/arch/x86/boot.rst): offsets in the file
SETUP_SECTS, MAGIC, PAYLOAD = 0x1f1, 0x202, 0x248
SECTOR = 512


class Failure(Exception):
    """A sentence for the user."""


def unzstd(data):
    done = subprocess.run(['zstd', '-d', '-c', '-q'], input=data,
                          capture_output=True, check=False)
    if done.returncode:
        raise Failure('zstd refuses what is in it')
    return done.stdout


# By the first bytes
FORMATS = (
    (b'\xfd7zXZ\0', lambda data: lzma.LZMADecompressor().decompress(data)),
    (b'\x1f\x8b\x08', lambda data: zlib.decompressobj(31).decompress(data)),
    # what follows the end is no second frame to zstd
    (b'\x28\xb5\x2f\xfd', lambda data: unzstd(data[:-4])),
)


def unpack(image):
    """The kernel in the bytes of a bzImage."""
    if image[MAGIC:MAGIC + 4] != b'HdrS':
        raise Failure('it is no bzImage')
    start, size = struct.unpack_from('<II', image, PAYLOAD)
    start += ((image[SETUP_SECTS] or 4) + 1) * SECTOR
    payload = image[start:start + size]
    for magic, decompress in FORMATS:
        if payload.startswith(magic):
            kernel = decompress(payload)
            break
    else:
        raise Failure(f'its compression is unknown ({payload[:6].hex()})')
    # The build puts the size behind the compressed data, gzip by itself.
    if len(kernel) != struct.unpack('<I', payload[-4:])[0]:
        raise Failure('what was unpacked has not the size it should have')
    if not kernel.startswith(b'\x7fELF'):
        raise Failure('what was unpacked is no ELF file')
    return kernel


def main():
    source, target = sys.argv[1:]
    try:
        with open(source, 'rb') as f:
            kernel = unpack(f.read())
        with open(f'{target}.new', 'wb') as f:
            f.write(kernel)
        os.replace(f'{target}.new', target)
    except (OSError, struct.error, lzma.LZMAError, zlib.error, Failure) as err:
        print(f'error: {source} cannot be unpacked: {err}.', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
