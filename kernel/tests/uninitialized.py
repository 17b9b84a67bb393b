#!/usr/bin/env python3
"""Checks that the kernel's variables are initialised by the compiler, and that each exception has its reason.

    uninitialized.py KERNEL_SOURCES OBJECT_DIRECTORY ARCHIVE...

Every object of the kernel was compiled with -ftrivial-auto-var-init=zero, as its debugging information
says; the archives of the two libraries, which everybody links, were not. Each UNINITIALIZED has a comment
in its line. Prints TAP.
"""
import pathlib
import re
import sys

FLAG = b'-ftrivial-auto-var-init=zero'
USE = re.compile(r'^\s+UNINITIALIZED .*;', re.M)
WITH_REASON = re.compile(r'^\s+UNINITIALIZED [^;]*; +/\* \S.* \*/$')


def main():
    sources, objects, *archives = map(pathlib.Path, sys.argv[1:])
    compiled = [path for path in objects.glob('*.c.o')]
    without = [path.name for path in compiled if FLAG not in path.read_bytes()]
    libraries = [path.name for path in archives if FLAG in path.read_bytes()]
    uses, bare = 0, []
    for path in sorted(sources.glob('*/*.[ch]')):
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            if USE.match(line):
                uses += 1
                if not WITH_REASON.match(line):
                    bare.append(f'{path.parent.name}/{path.name}:{number}: {line.strip()}')
    points = [
        (compiled and not without, f'{len(compiled)} objects have variables that begin as zero', without),
        (archives and not libraries, 'the libraries are compiled as for everybody', libraries),
        (uses and not bare, f'{uses} exempt variables say why', bare),
    ]
    print(f'1..{len(points)}')
    for number, (good, name, wrong) in enumerate(points, 1):
        print('ok' if good else 'not ok', number, '-', name)
        for line in wrong:
            print('#', line)
    return 0 if all(good for good, _, _ in points) else 1


sys.exit(main())
