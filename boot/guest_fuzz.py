#!/usr/bin/env python3
"""Boots the fuzzer (user/tests/fuzz) in umbra, as user 1000 and as user 0; reports in TAP.

    guest_fuzz.py --kernel ELF --program FILE [--calls 100000] [--seed N] [--machine qemu]
    guest_fuzz.py ... --bound          the kernel measures itself, see bound.py
    guest_fuzz.py ... --finds FILE     appends the console's last lines of each machine that died

A fifth of the calls is made as user 0.  If there are more calls than one boot makes, there are
several boots with different seeds.  A machine that dies is a failed point; the next boot follows.
Without --kernel and --program the files of build/ are used.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import bound
import aftermath
import console
import iso
import machine
import tools
from guest_tap import CONTROL, Tap

HERE = pathlib.Path(__file__).resolve().parent
MKINITRD = HERE.parent / 'user/tools/mkinitrd.py'
BOOT_CALLS = 400_000  # the most calls of one boot
LAST_LINES = 40
ROOT_SHARE = 5  # one boot in 5, or a fifth of the calls, runs as user 0
MADE = re.compile(r'^fuzz: (?:seed \d+, )?(\d+) calls', re.MULTILINE)
ENTRIES = """\
dir  /dev  0755
dir  /proc 0555
dir  /tmp  1777
node /dev/console 0600 c 5 1
node /dev/tty  0666 c 5 0
node /dev/null 0666 c 1 3
node /dev/zero 0666 c 1 5
file /test/fuzz 0755 ${program}
"""


def boots(calls, seed, most):
    """The boots to run: (seed, calls, as user 0)."""
    root = calls // ROOT_SHARE
    for part, is_root in ((calls - root, False), (root, True)):
        while part > 0:
            yield seed, min(part, most), is_root
            seed += 1
            part -= min(part, most)


def start(args, image, log):
    if args.machine == 'bochs':
        return machine.Bochs(image, log, args.memory)
    return machine.Qemu(image, log, args.memory, kvm=args.machine == 'kvm', counting=args.bound)


def boot(args, scratch, words):
    """One machine: the text of its console and the verdict."""
    archive, image = scratch / 'fuzz.cpio', scratch / 'umbra.iso'
    scratch.joinpath('entries').write_text(ENTRIES)
    subprocess.run([sys.executable, MKINITRD, '--output', archive, '--set', 'program',
                    args.program, scratch / 'entries'], check=True)
    iso.make(image, args.kernel, archive, [*args.append.split(), *['bound'] * args.bound,
                                           'init=/test/fuzz', '--', *words])
    lines = bytearray()
    with start(args, image, scratch / 'log') as guest:
        verdict = console.Session(guest, lines.extend, None, args.limit,
                                  aftermath.at_limit(args.kernel, archive)).run()
    return CONTROL.sub('?', lines.decode(errors='replace').replace('\r\n', '\n')), verdict.word


def parse():
    build = HERE.parent / 'build'
    parser = argparse.ArgumentParser(description='Fuzz the system calls of umbra in a machine.')
    parser.add_argument('--kernel', default=build / 'kernel/umbra.elf')
    parser.add_argument('--program', default=build / 'user/tests/guest-fuzz')
    parser.add_argument('--calls', type=int, default=100_000)
    parser.add_argument('--boot-calls', type=int, default=BOOT_CALLS, help='calls of a boot')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--machine', choices=('qemu', 'kvm', 'bochs'), default='qemu')
    parser.add_argument('--memory', type=int, default=512, metavar='MB')
    parser.add_argument('--limit', type=float, default=900, metavar='SECONDS', help='of one boot')
    parser.add_argument('--append', default='', metavar='WORDS', help='for the kernel')
    parser.add_argument('--bound', action='store_true',
                        help='count instructions: no piece between two scheduling points may be too long')
    parser.add_argument('--without', metavar='N,N', help='numbers of calls that are left out')
    parser.add_argument('--finds', metavar='FILE', type=pathlib.Path)
    return parser.parse_args()


def keep(path, name, verdict, lines):
    with path.open('a') as out:
        out.write(f'== {name}: {verdict}\n' + '\n'.join(lines) + '\n\n')


def main():
    args = parse()
    tap, made = Tap(), 0
    with tempfile.TemporaryDirectory(prefix='umbra-fuzz.') as scratch:
        for seed, calls, is_root in boots(args.calls, args.seed, args.boot_calls):
            words = [str(seed), str(calls), *(['--root'] if is_root else []),
                     *(['--without', args.without] if args.without else [])]
            text, verdict = boot(args, pathlib.Path(scratch), words)
            counts = [int(count) for count in MADE.findall(text)]
            made += counts[-1] if counts else 0
            good = verdict == 'exit 0' and bool(counts) and counts[-1] >= calls
            name = f'seed {seed}, {calls} calls as user {0 if is_root else 1000}'
            if not good:
                lines = text.splitlines()[-LAST_LINES:]
                tap.comment(f'the verdict is: {verdict}')
                for line in lines:
                    tap.comment(f'  {line}')
                if args.finds:
                    keep(args.finds, name, verdict, lines)
            tap.point(good, name)
            if args.bound:
                pieces = bound.longest(text)
                for count, call, arguments in pieces:
                    tap.comment(f'longest: {count:>10} {call} {arguments}')
                tap.point(bool(pieces) and pieces[0][0] <= bound.LIMIT,
                          f'seed {seed}, no piece between two scheduling points is too long')
    tap.comment(f'{made} calls were made')
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
