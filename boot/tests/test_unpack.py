#!/usr/bin/env python3
"""Compressed initrds are unpacked part by part, and what is not compressed stays as it is."""
import bz2
import gzip
import importlib
import lzma
import pathlib
import sys
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
unpack = importlib.import_module('unpack')


def entry(name, data):
    text = name.encode() + b'\0'
    numbers = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0]
    head = b'070701' + b''.join(b'%08x' % number for number in numbers) + text
    return head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4)


def refusal(data):
    try:
        unpack.unpack(data)
    except unpack.UnpackError as error:
        return str(error)
    return 'taken'


PLAIN = entry('kernel/x86/microcode', b'\x1f\x8b magic of gzip in contents') + entry('TRAILER!!!', b'')
PACKERS: dict[str, typing.Callable[[bytes], bytes]] = {
    'gzip': gzip.compress, 'bzip2': bz2.compress, 'xz': lzma.compress,
    'lzma': lambda data: lzma.compress(data, lzma.FORMAT_ALONE)}
POINTS = {'an uncompressed archive stays': unpack.unpack(PLAIN) == PLAIN,
          'what is no archive stays': unpack.unpack(b'xyz' * 400) == b'xyz' * 400,
          'nothing stays': unpack.unpack(b'') == b'',
          'zstd is named': 'zstd -d' in refusal(PLAIN + b'\x28\xb5\x2f\xfd' + b'x' * 40),
          'a part that is cut is named': 'ends too early' in refusal(gzip.compress(PLAIN)[:-9]),
          'a damaged part is named': 'gzip at byte 0' in refusal(b'\x1f\x8b' + b'\xff' * 90)}
for kind, pack in PACKERS.items():
    POINTS[f'{kind} alone'] = unpack.unpack(pack(PLAIN)) == PLAIN
    POINTS[f'{kind} after an uncompressed part, and one after it'] = \
        unpack.unpack(PLAIN + b'\0' * 512 + pack(PLAIN) + PLAIN) == PLAIN + b'\0' * 512 + PLAIN * 2

for number, (name, good) in enumerate(POINTS.items(), 1):
    print('ok' if good else 'not ok', number, '-', name)
print(f'1..{len(POINTS)}')
