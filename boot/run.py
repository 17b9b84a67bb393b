#!/usr/bin/env python3
"""Boots umbra and connects its console with this terminal, for `./umbra run`.

The status is that of init: N for an exit with N, 128 + N for signal N, 124 if the time limit
ended it, 125 for a panic or a machine that stopped without a verdict.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import aftermath
import console
import iso
import machine
import program
import tools


VALUED = ('--smp', '--initrd', '--append', '--limit', '--cpu', '--memory', '--with', '--kernel', '--log',
          '--elfparse')


def is_qemu(args):
    """Whether the machine is QEMU: some options ask for it."""
    return args.qemu or args.kvm or args.uefi or args.smp > 1


def start(args, image, guest, archive, terminal):
    """Starts the machine. `terminal` says whether there is one, whose size the guest is told."""
    memory = args.memory or program.memory_for(args.initrd, guest, machine.DEFAULT_MEGABYTES)
    if is_qemu(args):
        return machine.Qemu(image, args.log, memory, kvm=args.kvm, window=terminal,
                            archive=archive, uefi=args.uefi, processors=args.smp)
    return machine.Bochs(image, args.log, memory, args.cpu, window=terminal)


def archives_for(args, guest, scratch):
    """The archives that GRUB loads and that the machine passes itself, as of program.for_qemu()."""
    if is_qemu(args):
        return program.for_qemu(args.initrd, guest, scratch)
    return program.for_bochs(args.initrd, guest, scratch, '--qemu')


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


def converse(guest, args, archives):
    """Connects the guest's console with standard input and output; returns session and verdict."""
    def say(line):
        print(f'umbra: {line}', end='\r\n' if os.isatty(2) else '\n', file=sys.stderr)
    source = standard_input()
    session = console.Session(guest, Screen().show, source, args.limit or None,
                              aftermath.at_limit(args.kernel, *archives, say=say))
    if source is None:
        return session, session.run()
    try:
        with console.raw_terminal(source) as raw:
            if raw:
                print('umbra: ^] ends the machine\r', file=sys.stderr)
            return session, session.run()
    except KeyboardInterrupt:
        say_not_started(session)
        raise


def say_not_started(session):
    """After the end of a machine: what came instead of the kernel's first line."""
    if not session.kernel.begun:
        print(session.kernel.before(), file=sys.stderr)
        print('umbra: the kernel did not start', file=sys.stderr)


@contextlib.contextmanager
def watched_window(guest):
    """Passes changes of the window's size on to the guest."""
    def changed(_signal, _frame):
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(1)
            guest.resize(rows, columns)
    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def debug_options(args, argv):
    """The words of this run that `debug` needs for the same program. Those up to --elfparse are not the
    user's: the script umbra gives them."""
    options, _, _ = program.split(argv, VALUED)
    if '--elfparse' in options:
        options = options[options.index('--elfparse') + 2:]
    wanted = ('--with', '--append', '--initrd', '--memory', '--cpu')
    kept = [word for at, word in enumerate(options)
            if word.split('=')[0] in wanted or at and options[at - 1] in wanted]
    return kept + ([] if args.is_ours else ['--']) + args.program


def explain(args, text, guest):
    """Says more about a panic or a fault of the program (aftermath.py)."""
    try:
        for line in aftermath.report(text, args.kernel, program.files_of(args.initrd, guest),
                                     debug_options(args, args.words)):
            print(line if line.startswith(' ') else f'umbra: {line}', file=sys.stderr)
    except tools.ToolError as error:
        print(f'umbra: no source lines: {error}', file=sys.stderr)


@contextlib.contextmanager
def own_log(args, scratch):
    """The machine's messages go to a file of this run, since others may go on, and are kept where --log says, if that
    can be written."""
    kept, args.log = args.log, os.path.join(scratch, 'machine.log')
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            shutil.copyfile(args.log, kept)


def run(args):
    """Makes the image, boots it, and returns the status for the shell."""
    with tempfile.TemporaryDirectory(prefix='umbra-run.') as scratch, own_log(args, scratch):
        image = pathlib.Path(scratch, 'umbra.iso')
        args.initrd = program.unpacked(args.initrd, scratch)
        loaded = program.load(args.program, args.is_ours, args.with_paths, args.elfparse, scratch)
        terminal = program.terminal_words(1)
        words = args.append.split() + terminal + loaded.words
        module, archive = archives_for(args, loaded, scratch)
        iso.make(image, args.kernel, module, words, args.uefi)
        with start(args, image, loaded, archive, bool(terminal)) as guest, watched_window(guest):
            session, verdict = converse(guest, args, (args.initrd, loaded.extra))
        explain(args, session.text(), loaded)
        if session.limit_reached or guest.ending().by_guest:
            say_not_started(session)
    if not verdict.word.startswith(('exit', 'signal')):
        print(f'umbra: the run failed: {verdict.word}', file=sys.stderr)
    return verdict.status


def positive(kind):
    """The type of an option whose value is a number above 0."""
    def value(text):
        number = kind(text)
        if not number > 0:
            raise argparse.ArgumentTypeError(f'{text} is not above 0')
        return number
    value.__name__ = kind.__name__  # for what argparse says about other text
    return value


def parse(argv):
    parser = argparse.ArgumentParser(prog='umbra run', description='Boot umbra.')
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--log', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--elfparse', default='elfparse', help=argparse.SUPPRESS)
    parser.add_argument('--initrd', metavar='FILE', help='another cpio archive; "" for none')
    program.add_options(parser)
    parser.add_argument('--qemu', action='store_true', help='run under QEMU instead of Bochs')
    parser.add_argument('--kvm', action='store_true', help='run under QEMU with KVM')
    parser.add_argument('--uefi', action='store_true', help='run under QEMU, by UEFI')
    parser.add_argument('--smp', type=positive(int), default=1, metavar='N',
                        help='run under QEMU with N processors; the kernel uses one')
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU,
                        help='the CPU model of Bochs')
    parser.add_argument('--memory', type=int, metavar='MB', help='the machine\'s memory')
    parser.add_argument('--limit', type=positive(float), default=0, metavar='SECONDS',
                        help='stop after this time (default: never)')
    options, words, is_ours = program.split(argv, VALUED)
    args = parser.parse_args(options)
    args.program, args.is_ours, args.words = words, is_ours, argv
    return args


def main():
    tools.end_by_signals()
    with tools.one_sentence():
        sys.exit(run(parse(sys.argv[1:])))


if __name__ == '__main__':
    main()
