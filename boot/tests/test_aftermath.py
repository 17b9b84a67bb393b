#!/usr/bin/env python3
"""After a fault or a panic, `./umbra run` prints both stacks with source lines and a command that stops
just before; reports in TAP.

    test_aftermath.py --kernel FILE --initrd FILE [--selftest KERNEL]
"""
import argparse
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import aftermath  # noqa: E402
import machine  # noqa: E402
import tools  # noqa: E402
from guest_tap import Tap  # noqa: E402

BOOT = pathlib.Path(__file__).resolve().parent.parent
FAULT = (  # of /bin/tour wx
    r'the stack of the program:\n  #0  0x40\w+ wx\+0x\w+ of /bin/tour at user/tour\.c:\d+\n'
    r'  #1  0x40\w+ main\+0x\w+ of /bin/tour at user/tour\.c:\d+\n',
    r'to stop just before: \./umbra debug --at kernel:user_page_fault .*-- /bin/tour wx\n',
    r'for the first time: \./umbra debug --at user:wx\+0x',
)
PANIC = (
    r'the stack of the kernel:\n(?:  #0  0xffffffff\w+ write_at, inlined, at kernel/selftest/attacks\.c:\d+\n)?'
    r'  #\d  0xffffffff\w+ attack_text_write\+0x\w+ at kernel/selftest/attacks\.c:',
    r'entry_common\+0x\w+ at kernel/arch/entry\.S:\d+\numbra: the stack of the program:\n'
    r'  #0  0x40\w+ _start of /init',
    r'to stop just before: \./umbra debug --at kernel:panic_frame .*--append attack=text-write',
)
# What a console may show: the words, and the kernel's function at which to stop, or None.
TEXTS = (
    ('nothing', 'umbra: verdict: exit 0\n', None),
    ('a program that prints the word', 'a panic: rip\n', None),
    ('a check', 'umbra: panic: mm/frame.c:1: x does not hold: y\n', 'check_failed'),
    ('a panic by words', 'umbra: panic: no memory\n', 'panic'),
    ('an exception', 'umbra: panic: exception 13\numbra: panic: rip 00\n', 'panic_frame'),
    ('a divide error', 'umbra: fault: divide error\n', 'user_exception'),
)
HALF = 'x\numbra: user: rip 0x401000 rsp 0x7000\numbra: stack: 0x7000: 1 2\numbra: code: broken\n'


def test_texts(tap, kernel):
    """The point at which to stop, from the console alone; a report that is cut."""
    for name, text, function in TEXTS:
        lines = list(aftermath.report(text, kernel, {}, ['--', '/bin/x']))
        wanted = function and f'--at kernel:{function} -- /bin/x'
        tap.point(bool(lines) == bool(function) and (not wanted or wanted in lines[-1]), name)
    user = aftermath.user_of(HALF, lambda path: None)
    tap.point(user.registers == {'rip': 0x401000, 'rsp': 0x7000} and user.words == {0x7000: 1, 0x7008: 2}
              and aftermath.user_frames(user) == [(0x401000, False)], 'a report that is cut')
    tap.point(aftermath.user_of('umbra: user: no\n', lambda path: None) is None, 'no report')


def run(kernel, initrd, *words):
    """What ./umbra run prints."""
    with tempfile.NamedTemporaryFile() as log:
        done = subprocess.run([*machine.tied('TERM'), sys.executable, BOOT / 'run.py', '--kernel', kernel,
                               '--log', log.name, '--initrd', initrd, *words], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout + done.stderr


def shows(tap, text, patterns, name):
    """A point for each pattern."""
    for pattern in patterns:
        good = re.search(pattern, text)
        tap.point(bool(good), f'{name}: {pattern}'.replace('#', ' '))
        if not good:
            for line in text.split('\n')[-40:]:
                tap.comment(line)


HANG = (
    r'pid 2 \(sleep\), thread 2.*\n(?:umbra:   #.*\n)*.* sys_clock_nanosleep\+0x\w+ at kernel/syscall/clock\.c:',
    r'pid 1 \(busybox\), thread 1.*\n(?:umbra:   #.*\n)*.* entry_syscall\+0x\w+ at .*\n.* of /bin/busybox',
    r'(?:pic0: irr=00 imr=ee|master IMR = ee)',
    r'line status of COM1: (?:portb\[0x03fd\] = 0x60|thr_empty, tsr_empty)',
)


def test_hang(tap, kernel, initrd):
    for options in (['--qemu'], []):
        text = run(kernel, initrd, *options, '--limit', '40', '--', '/bin/busybox', 'sh', '-c', 'sleep 1000000; :')
        shows(tap, text, HANG, f'a machine that hangs {" ".join(options)}')


def test_line(tap, text, kernel, initrd):
    """The command that is printed stops where it says."""
    match = re.search(r'to stop just before: \./umbra debug (.*)', text)
    words = shlex.split(match[1]) if match else []
    done = subprocess.run([*machine.tied('TERM'), sys.executable, BOOT / 'debug.py', '--kernel', kernel,
                           '--initrd', initrd, '--do', 'bt', *words], check=False, capture_output=True, text=True)
    shows(tap, done.stdout, [r'user_page_fault at (.*\n)+.*wx\+0x\w+ of /bin/tour at user/tour\.c'],
          'the command')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--selftest')
    args = parser.parse_args()
    tap = Tap()
    test_texts(tap, args.kernel)
    options = ['--qemu', '--limit', '120', '--append']
    text = run(args.kernel, args.initrd, *options, 'show=faults', '--', '/bin/tour', 'wx')
    shows(tap, text, FAULT, 'a fault')
    test_line(tap, text, args.kernel, args.initrd)
    test_hang(tap, args.kernel, args.initrd)
    if args.selftest:
        shows(tap, run(args.selftest, args.initrd, *options, 'attack=text-write'), PANIC, 'a panic')
    tap.finish()
    return int(tap.failed > 0)


if __name__ == '__main__':
    tools.tap_main(main)
