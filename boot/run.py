#!/usr/bin/env python3
"""Boots umbra and connects its console with this terminal, for `./umbra run`.

The status is that of init: N for an exit with N, 128 + N for signal N, 124 if the time limit
ended it, 125 for a panic or a machine that stopped without a verdict.
"""
import argparse
import os
import pathlib
import sys
import tempfile

import console
import iso
import machine
import tools
import unpack


def words_of(args):
    """The kernel's command line: --append's words, then the program and its arguments."""
    words = args.append.split()
    if args.program and not args.program[0]:
        raise iso.ImageError('the name of the program is empty')
    if args.program:
        words += [f'init={args.program[0]}']
        if args.program[1:]:
            words += ['--', *args.program[1:]]
    return words


def start(args, image, log):
    if args.qemu or args.kvm:
        return machine.Qemu(image, log, args.memory, kvm=args.kvm)
    return machine.Bochs(image, log, args.memory, args.cpu)


class Screen:
    """Standard output: a terminal gets the console as it is, a file plain line feeds."""

    def __init__(self):
        self._plain = not os.isatty(1)
        self._held = b''

    def show(self, data):
        if self._plain:
            data = self._held + data
            self._held = b'\r' if data.endswith(b'\r') else b''
            data = data[:len(data) - len(self._held)].replace(b'\r\n', b'\n')
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def standard_input():
    """Its descriptor, or None if it is closed."""
    try:
        os.fstat(0)
    except OSError:
        return None
    return 0


def converse(guest, limit):
    """Connects the guest's console with standard input and output; returns session and verdict."""
    source = standard_input()
    session = console.Session(guest, Screen().show, source, limit or None)
    if source is None:
        return session, session.run()
    with console.raw_terminal(source) as raw:
        if raw:
            print('umbra: ^] ends the machine\r', file=sys.stderr)
        return session, session.run()


def unpacked(initrd, scratch):
    """The path of the initrd with all its parts uncompressed, or None without an initrd."""
    if not initrd or not pathlib.Path(initrd).is_file():
        return initrd or None
    data = pathlib.Path(initrd).read_bytes()
    try:
        plain = unpack.unpack(data)
    except unpack.UnpackError as error:
        raise iso.ImageError(str(error)) from error
    if plain is data:
        return initrd
    copy = pathlib.Path(scratch, 'initrd.cpio')
    copy.write_bytes(plain)
    return copy


def run(args):
    """Makes the image, boots it, and returns the status for the shell."""
    with tempfile.TemporaryDirectory(prefix='umbra-run.') as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        iso.make(image, args.kernel, unpacked(args.initrd, scratch), words_of(args))
        with start(args, image, args.log) as guest:
            session, verdict = converse(guest, args.limit)
    if not session.kernel.begun:
        print(session.kernel.before(), file=sys.stderr)
        print('umbra: the kernel did not start', file=sys.stderr)
    if not verdict.word.startswith(('exit', 'signal')):
        print(f'umbra: the run failed: {verdict.word}', file=sys.stderr)
    return verdict.status


def parse():
    parser = argparse.ArgumentParser(prog='umbra run', description='Boot umbra.')
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--log', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--initrd', metavar='FILE', help='another cpio archive; "" for none')
    parser.add_argument('--qemu', action='store_true', help='run under QEMU instead of Bochs')
    parser.add_argument('--kvm', action='store_true', help='run under QEMU with KVM')
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU,
                        help='the CPU model of Bochs')
    parser.add_argument('--memory', type=int, default=machine.DEFAULT_MEGABYTES, metavar='MB')
    parser.add_argument('--append', default='', metavar='WORDS',
                        help="words for the kernel's command line")
    parser.add_argument('--limit', type=float, default=0, metavar='SECONDS',
                        help='stop after this time (default: never)')
    parser.add_argument('program', nargs='*', metavar='-- PROGRAM ARGS',
                        help='the program to run as init, a path in the archive')
    return parser.parse_args()


def main():
    try:
        sys.exit(run(parse()))
    except tools.ToolError as error:
        print(f'umbra: {error}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == '__main__':
    main()
