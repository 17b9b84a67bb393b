#!/usr/bin/env python3
"""Runs further tests of the Linux ABI from a folder outside the repository; reports in TAP.

    linux_suite.py --kernel ELF --suite FOLDER

The folder has busybox's own shell tests, unmodified C programs, and a script mkroot.sh that makes a
root file system of them. The Meson option linux_suite names it. Without it the test is skipped: the
project's own tests of the Linux ABI are the programs of user/tests.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import aftermath
import console
import iso
import machine
import tools
from guest_tap import Tap

GROUPS = ('hello', 'cbits', 'busybox-sh', 'ash')
WORDS = ('WITH_PROC=1', 'TMUL=10')  # for init's environment; time-outs are for other machines
RESULT = re.compile(r'^(not ok|ok|skip) (\S+)(?: [#(](.*))?$')


def results(text):
    """The cases that the console reports: (result, name, reason)."""
    for line in text.replace('\r', '').splitlines():
        match = RESULT.match(line)
        if match:
            yield match.groups(default='')


def main():
    parser = argparse.ArgumentParser(description='Run the tests of the Linux ABI under QEMU.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--suite', required=True, type=pathlib.Path)
    parser.add_argument('--limit', type=float, default=2400, metavar='SECONDS')
    args = parser.parse_args()
    if not (args.suite / 'mkroot.sh').is_file():
        print(f'1..0 # SKIP there is no folder {args.suite} (Meson option linux_suite)')
        return 0
    if os.geteuid() != 0:
        print('1..0 # SKIP only root can make the device nodes of its root file system')
        return 0
    try:
        tools.need('bash', 'cpio', 'grub-mkrescue', 'qemu-system-x86_64')
    except tools.ToolError as error:
        print(f'1..0 # SKIP {error}')
        return 0
    tap, text = Tap(), bytearray()
    with tempfile.TemporaryDirectory(prefix='umbra-linux.') as scratch:
        archive, image = pathlib.Path(scratch, 'root.cpio'), pathlib.Path(scratch, 'umbra.iso')
        suite = args.suite.resolve()
        if ' ' in str(suite):  # its script needs a path without blanks
            suite = pathlib.Path(shutil.copytree(suite, pathlib.Path(scratch, 'suite'),
                                                 symlinks=True))
        made = subprocess.run(['bash', suite / 'mkroot.sh', archive, *GROUPS],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL='C.UTF-8'))
        if made.returncode != 0:
            sys.exit(f'mkroot.sh: {made.stderr}')
        iso.make(image, args.kernel, archive, WORDS)
        with machine.Qemu(image, pathlib.Path(scratch, 'log'), 512) as guest:
            verdict = console.Session(guest, text.extend, None, args.limit,
                                      aftermath.at_limit(args.kernel, archive)).run()
    output = text.decode(errors='replace')
    for result, name, reason in results(output):
        if result == 'skip':
            tap.point(True, f'{name} # SKIP {reason}')
            continue
        if reason:
            tap.comment(reason)
        tap.point(result == 'ok', name)
    tap.point('SUITE-END' in output, 'the suite came to its end')
    tap.point(verdict.word == 'exit 0', f'the run ends with exit 0: {verdict.word}')
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
