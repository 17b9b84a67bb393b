#!/usr/bin/env python3
"""Boots a machine that counts instructions and makes the worst calls in it (user/tests/bound); reports in TAP.

    bound.py --kernel ELF --program FILE [GROUP...]
    bound.py ... --broken REGEX     the point that has to fail

Without GROUP all groups of the table run.  The guest judges: no piece of kernel code between two scheduling
points is longer than its limit.  At the end comes what the kernel says of the longest pieces.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import aftermath
import console
import iso
import machine
import tools
from guest_tap import BrokenTap, GuestTap, Lines, Tap

HERE = pathlib.Path(__file__).resolve().parent
MKINITRD = HERE.parent / 'user/tools/mkinitrd.py'
LIMIT = 20_000_000  # instructions; as in the program
LONGEST_SHOWN = 12
PIECE = re.compile(r'umbra: bound: (\S+) (\d+) (.*)')
ENTRIES = """\
dir  /dev  0755
dir  /proc 0555
dir  /tmp  1777
node /dev/console 0600 c 5 1
node /dev/null 0666 c 1 3
node /dev/zero 0666 c 1 5
file /test/bound 0755 ${program}
"""


def longest(text, shown=LONGEST_SHOWN):
    """The longest pieces that the kernel reports as it is switched off: (instructions, call, arguments)."""
    pieces = [(int(count), name, arguments) for name, count, arguments in PIECE.findall(text)]
    return sorted(pieces, reverse=True)[:shown]


def boot(args, sink):
    words = ['bound', *args.append.split(), 'init=/test/bound', '--', *args.groups]
    with tempfile.TemporaryDirectory(prefix='umbra-bound.') as folder:
        scratch = pathlib.Path(folder)
        archive, image = scratch / 'bound.cpio', scratch / 'umbra.iso'
        scratch.joinpath('entries').write_text(ENTRIES)
        subprocess.run([sys.executable, MKINITRD, '--output', archive, '--set', 'program',
                        args.program, scratch / 'entries'], check=True)
        iso.make(image, args.kernel, archive, words)
        with machine.Qemu(image, scratch / 'log', args.memory, counting=True) as guest:
            session = console.Session(guest, sink, None, args.limit, aftermath.at_limit(args.kernel, archive))
            return session, session.run()


def parse():
    build = HERE.parent / 'build'
    parser = argparse.ArgumentParser(description='Measure the worst calls of umbra in a machine.')
    parser.add_argument('--kernel', default=build / 'kernel/umbra.elf')
    parser.add_argument('--program', default=build / 'user/tests/guest-bound')
    parser.add_argument('--memory', type=int, default=1024, metavar='MB')
    parser.add_argument('--limit', type=float, default=600, metavar='SECONDS')
    parser.add_argument('--append', default='', metavar='WORDS', help='for the command line')
    parser.add_argument('--broken', metavar='REGEX', help='the point that has to fail')
    parser.add_argument('groups', nargs='*')
    return parser.parse_args()


def main():
    args = parse()
    tap = BrokenTap(args.broken) if args.broken else Tap()
    guest = GuestTap(tap)
    lines = Lines(tap, guest)
    session, verdict = boot(args, lines.feed)
    lines.finish()
    guest.finish()
    pieces = longest(session.text())
    for count, name, arguments in pieces:
        tap.comment(f'longest: {count:>10} {name} {arguments}')
    tap.point(bool(pieces), 'the kernel says what was longest')
    if not args.broken:
        tap.point(verdict.word == 'exit 0', f'the verdict is: {verdict.word}')
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
