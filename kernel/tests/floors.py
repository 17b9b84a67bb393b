#!/usr/bin/env python3
"""Checks the floors of the kernel (kernel/README.md): a folder uses only folders below it.

Reads the includes of all sources, and finds with nm the object that defines each used symbol.
Prints one TAP point for the includes and one for the symbols.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

FLOORS = [['lib'], ['arch'], ['dev', 'mm'], ['exec', 'task'], ['file'], ['proc'],
          ['syscall', 'trap'], ['boot'], ['selftest']]
LEVEL = {folder: level for level, folders in enumerate(FLOORS) for folder in folders}

# Functions that lower floors may call: the entry points of arch/entry.S, panics, and the functions
# that the compiler calls.
UPWARD = {'syscall_dispatch', 'syscall_end', 'trap_dispatch', 'kernel_main', 'panic', 'check_failed',
          'memcpy', 'memmove', 'memset', 'memcmp', '__stack_chk_fail', '__stack_chk_guard'}

INCLUDE = re.compile(r'^\s*#\s*include\s+"(\w+)/', re.M)


def allowed(user, used):
    return user == used or LEVEL[used] < LEVEL[user]


def wrong_includes(source):
    for folder in LEVEL:
        for path in sorted((source / folder).glob('*.[chS]')):
            for used in INCLUDE.findall(path.read_text(encoding='utf-8')):
                if used not in LEVEL:
                    yield f'{path.relative_to(source)} includes {used}/, which is not a floor'
                elif not allowed(folder, used):
                    yield f'{path.relative_to(source)} includes {used}/, which is not below {folder}/'


def symbols(nm, objects):
    """For each object: (folder, file name, defined names, undefined names)."""
    if not shutil.which(nm):
        sys.exit(f'{nm} is not installed (Debian package binutils)')
    text = subprocess.run([nm, '--extern-only', '--format=posix', '-A', *objects], check=True,
                          capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        path, _, rest = line.partition(': ')
        name, kind = rest.split()[:2]
        file = pathlib.PurePath(path).name
        member = found.setdefault(file, (file.split('_')[0], file, set(), set()))
        member[3 if kind in 'Uvw' else 2].add(name)
    return found.values()


def wrong_symbols(nm, objects):
    members = list(symbols(nm, objects))
    home = {name: member[0] for member in members for name in member[2]}
    for folder, file, _, wanted in members:
        for symbol in sorted(wanted - UPWARD):
            used = home.get(symbol)
            if used in LEVEL and folder in LEVEL and not allowed(folder, used):
                yield f'{file} uses {symbol} of {used}/, which is not below {folder}/'


def point(number, name, faults):
    for fault in faults:
        print(f'# {fault}')
    print(f'{"not ok" if faults else "ok"} {number} - {name}')
    return bool(faults)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--source', required=True, type=pathlib.Path, help='the folder kernel/')
    parser.add_argument('--nm', default='nm')
    parser.add_argument('objects', nargs='+', type=pathlib.Path,
                        help='folders with the objects of the kernel')
    args = parser.parse_args()
    print('1..2')
    bad = point(1, 'no include goes up or to the side', list(wrong_includes(args.source)))
    objects = [path for folder in args.objects for path in sorted(folder.glob('*.o'))]
    faults = list(wrong_symbols(args.nm, objects)) if objects else ['there are no objects']
    bad |= point(2, 'no symbol is used from above or beside', faults)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
