#!/usr/bin/env python3
"""Checks that Meson refuses options that do not go together, with the reason, that its summary says what is left
out and why, that it configures a checkout in a folder with a blank in its name, and that a change of a C file does
not make it configure again; in TAP.

    options.py SOURCE-ROOT
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# (options, what must be said)
REFUSED = (
    (['-Dfuzz=enabled'], '-Dfuzz=enabled needs the option tests'),
    (['-Dproof=enabled', '-Dtests=disabled'], '-Dproof=enabled needs the option tests'),
    (['-Dkernel=enabled', '-Db_sanitize=address'], 'compiled with b_sanitize: give -Dkernel=disabled'),
    (['-Dkernel=disabled', '-Dtests=enabled', '-Dkernel_selftest=enabled'], '=enabled needs the option kernel,'),
)
SAID = tuple(f'{part} : no: the option {option} is disabled' for part, option in (
    ('kernel', 'kernel'), ('boot image', 'kernel'), ('commands', 'tools'), ('vfs-fuse', 'fuse'),
    ('all compressions of archives', 'tools'),
    ('unit tests', 'tests'), ('fuzz targets', 'tests'), ('proofs', 'tests'))) + ('libraries : yes',)


def setup(source, options):
    """The status of `meson setup`, what it prints, and the C files after whose change it configures again."""
    with tempfile.TemporaryDirectory(prefix='umbra-options.') as build:
        done = subprocess.run(['meson', 'setup', *options, build, source], capture_output=True, text=True,
                              check=False, env=dict(os.environ, LC_ALL='C.UTF-8'))
        made = pathlib.Path(build, 'build.ninja')
        rule = re.search(r'^build build\.ninja: .*$', made.read_text(encoding='utf-8'), re.M) if made.exists() else None
    return done.returncode, done.stdout + done.stderr, re.findall(r'\S+\.[chS](?=\s)', rule[0]) if rule else []


def setup_with_a_blank(source):
    """The same with everything enabled, for a copy in such a folder."""
    with tempfile.TemporaryDirectory(prefix='umbra options.') as folder:
        copy = os.path.join(folder, 'a copy')
        shutil.copytree(source, copy, symlinks=True,
                        ignore=lambda path, names: {'build', '.git'} & set(names) if path == source else set())
        return setup(copy, ['-Dtests=enabled', '-Dkernel=enabled'])


def main():
    source, failed = sys.argv[1], False
    points = []
    for options, words in REFUSED:
        status, output, _ = setup(source, options)
        points.append((status != 0 and words in output, f'{" ".join(options)} is refused', output))
    status, output, _ = setup(source, ['-Dkernel=disabled', '-Dtools=disabled', '-Dfuse=disabled', '-Dtests=disabled'])
    said = [' '.join(line.split()) for line in output.splitlines()]
    for line in SAID:
        points.append((status == 0 and line in said, f'the summary says: {line}', output))
    status, output, _ = setup(source, ['-Db_sanitize=undefined', '-Dtests=disabled'])
    points.append((status == 0 and re.search('(?m)^ *kernel +: no: .* b_sanitize$', output),
                   'sanitized libraries go without the kernel', output))
    status, output, sources = setup_with_a_blank(source)
    points.append((status == 0, 'a folder with a blank in its name', output))
    points.append((status == 0 and not sources, 'a change of a C file does not configure again', '\n'.join(sources)))
    print(f'1..{len(points)}')
    for number, (good, name, output) in enumerate(points, 1):
        print('ok' if good else 'not ok', number, '-', name)
        if not good:
            print('\n'.join('# ' + line for line in output.splitlines()[-30:]))
            failed = True
    return failed


if __name__ == '__main__':
    sys.exit(main())
