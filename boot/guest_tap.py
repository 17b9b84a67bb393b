#!/usr/bin/env python3
"""Boots umbra once and reports in TAP: the guest's report, and whether the run went well.

With --tap the guest's own test points are passed on, renumbered; everything else on the console
becomes a comment.  After them come the points about the run: the guest's plan was kept, the guest
switched the machine off, the verdict and the expected text are there.  So a guest that dies, hangs
or stops early fails, whatever it had printed before.
"""
import argparse
import contextlib
import pathlib
import re
import sys
import tempfile

import aftermath
import console
import cpio
import iso
import machine
import tools

PLAN = re.compile(r'1\.\.(\d+)')
POINT = re.compile(r'(not )?ok(?: (\d+))?\b *(.*)')
CONTROL = re.compile('[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]')  # not for logs in XML
BAIL_OUT = re.compile(r'Bail out!.*')


class Tap:
    """Writes TAP: test points with a plan at the end."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        self.found = False  # set by BrokenTap

    def point(self, good, text):
        self.count += 1
        self.failed += not good
        dash = '' if text.startswith(('-', '#')) else '- '
        print(f'{"ok" if good else "not ok"} {self.count} {dash}{text}', flush=True)

    def comment(self, text):
        print(f'# {text}', flush=True)

    def finish(self):
        print(f'1..{self.count}', flush=True)


class BrokenTap(Tap):
    """For a kernel with a planted fault: the points become comments, and one that fails in the
    words of an expression is the only success."""

    def __init__(self, wanted):
        super().__init__()
        self._wanted = re.compile(wanted)

    def point(self, good, text):
        self.comment(f'{"ok" if good else "not ok"} {text}')
        self.found = self.found or (not good and self._wanted.search(text) is not None)

    def finish(self):
        super().point(self.found, f'the planted fault is found: {self._wanted.pattern}')
        super().finish()


class GuestTap:
    """Follows the guest's TAP line by line and checks that it keeps its own plan."""

    def __init__(self, tap):
        self._tap = tap
        self._plan = None
        self._seen = 0
        self._complaint = None

    def line(self, text):
        """Takes one line of the console; returns whether it was TAP."""
        if PLAN.fullmatch(text):
            if self._plan is not None:
                self._complain('a second plan')
            self._plan = int(text[3:])
        elif match := POINT.fullmatch(text):
            self._seen += 1
            if match[2] and int(match[2]) != self._seen:
                self._complain(f'point {self._seen} is numbered {match[2]}')
            self._tap.point(not match[1], match[3])
        elif BAIL_OUT.fullmatch(text):
            self._complain(text)
        else:
            return False
        return True

    def _complain(self, text):
        self._complaint = self._complaint or text

    def finish(self):
        """Reports whether the guest kept its plan."""
        if self._complaint is None and self._plan is None:
            self._complaint = 'the guest gave no plan'
        if self._complaint is None and self._plan != self._seen:
            self._complaint = f'{self._plan} test points planned, {self._seen} seen'
        if self._complaint is None and self._seen == 0:
            self._complaint = 'no test point'
        if self._complaint:
            self._tap.comment(self._complaint)
        self._tap.point(self._complaint is None, "the guest's TAP is complete")


class Lines:
    """Cuts the console's bytes into lines as they come."""

    def __init__(self, tap, guest):
        self._tap = tap
        self._guest = guest
        self._rest = b''

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b'\n')
        for line in lines:
            self._one(line)

    def finish(self):
        if self._rest:
            self._one(self._rest)

    def _one(self, line):
        text = CONTROL.sub('?', line.decode(errors='replace').rstrip('\r'))
        if self._guest is None or not self._guest.line(text):
            self._tap.comment(text)


def edited(initrd, edits, folder):
    """A copy of the archive with the edits applied: truncate=SIZE cuts it (a negative size counts
    from the end), zero=AT:COUNT clears bytes, pad=BYTES puts a file of that size in front,
    files=COUNT so many empty files."""
    if not edits:
        return initrd
    data = pathlib.Path(initrd).read_bytes()
    for edit in edits:
        kind, _, value = edit.partition('=')
        if kind == 'truncate':
            data = data[:int(value)]
        elif kind == 'zero':
            at, count = (int(number) for number in value.split(':'))
            data = data[:at] + bytes(count) + data[at + count:]
        elif kind == 'pad':
            data = cpio.entry('/padding', bytes(range(256)) * (int(value) // 256)) + data
        elif kind == 'files':
            data = b''.join(cpio.entry(f'/{i}', b'') for i in range(int(value))) + data
        else:
            raise iso.ImageError(f'unknown edit {edit}')
    copy = pathlib.Path(folder, 'initrd.cpio')
    copy.write_bytes(data)
    return copy


def start(args, image, log):
    if args.machine != 'bochs':
        return machine.Qemu(image, log, args.memory, without=args.without,
                            uefi=args.machine == 'uefi', processors=args.smp)
    return machine.Bochs(image, log, args.memory, args.cpu)


@contextlib.contextmanager
def typed(text):
    """A descriptor that gives the text and then the end of input; None if there is none."""
    if text is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file.fileno()


def boot(args, sink, enough, say):
    """Boots and runs until the end, or until `enough` returns true; returns session and verdict. The tasks of
    a machine that hangs go to `say`, by lines."""
    words = args.append.split() + ['x' * args.append_long] * (args.append_long > 0)
    words += ['--', *args.arguments] if args.arguments else []
    with tempfile.TemporaryDirectory(prefix='umbra-tap.') as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        initrd = edited(args.initrd, args.edit, scratch) if args.initrd else None
        iso.make(image, args.kernel, initrd, words, args.machine == 'uefi' or args.hybrid)
        with start(args, image, pathlib.Path(scratch, 'log')) as guest, typed(args.input) as source:
            session = console.Session(guest, sink, source, args.limit, aftermath.at_limit(args.kernel, initrd, say=say))
            return session, session.run(enough)


def report(args, tap, session, verdict):
    """The points about the run itself."""
    if not session.kernel.begun:
        tap.comment(session.kernel.before())
    tap.point(session.kernel.begun, 'the kernel started')
    if verdict.word != args.verdict:
        for line in verdict.word.splitlines():
            tap.comment(f'the verdict is: {line}')
    tap.point(verdict.word == args.verdict, f'the run ends with: {args.verdict}')
    text = session.text()
    for pattern in args.expect:
        tap.point(re.search(pattern, text, re.MULTILINE) is not None,
                  f'the console shows {pattern}'.replace('#', ' '))
    for pattern in args.reject:
        tap.point(re.search(pattern, text, re.MULTILINE) is None,
                  f'the console does not show {pattern}'.replace('#', ' '))
    if args.faults:
        faults(args.faults, tap, text)


def faults(table, tap, text):
    """Checks that the kernel's lines match the table of faults, one after the other: each line
    has a mode, a signal, and the kernel's words as an expression (or none)."""
    at = 0
    for line in pathlib.Path(table).read_text().splitlines():
        if line.startswith('#') or not line.strip():
            continue
        mode, _, words = (line.split('\t') + ['', ''])[:3]
        if words:
            pattern = rf'^umbra: pid \d+ \S+: {words.replace("ADDR", "0x[0-9a-f]+")}$'
            match = re.compile(pattern, re.MULTILINE).search(text, at)
            at = match.end() if match else at
            tap.point(match is not None, f'the kernel reports {mode}')


def parse():
    parser = argparse.ArgumentParser(description='Boot umbra once and report in TAP.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', help='without it GRUB loads no module')
    parser.add_argument('--edit', action='append', default=[], metavar='KIND=VALUE',
                        help='change the archive first: truncate=SIZE, zero=AT:COUNT, '
                             'pad=BYTES, files=COUNT')
    parser.add_argument('--machine', choices=('bochs', 'qemu', 'uefi'), default='bochs',
                        help='uefi: QEMU by UEFI')
    parser.add_argument('--hybrid', action='store_true', help='with the image for BIOS and UEFI')
    parser.add_argument('--smp', type=int, default=1, metavar='N', help="QEMU's processors")
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--without', nargs='+', default=[], metavar='FEATURE',
                        help="features that QEMU's processor must not have")
    parser.add_argument('--memory', type=int, default=machine.DEFAULT_MEGABYTES, metavar='MB')
    parser.add_argument('--limit', type=float, default=300, metavar='SECONDS')
    parser.add_argument('--append', default='', metavar='WORDS')
    parser.add_argument('--append-long', type=int, default=0, metavar='N',
                        help='one more word of N letters')
    parser.add_argument('--input', metavar='TEXT', help='text that is typed on the console')
    parser.add_argument('--tap', action='store_true', help='the guest reports TAP itself')
    parser.add_argument('--verdict', default='exit 0', help='the expected verdict of the run')
    parser.add_argument('--expect', action='append', default=[], metavar='REGEX')
    parser.add_argument('--reject', action='append', default=[], metavar='REGEX')
    parser.add_argument('--faults', metavar='FILE',
                        help="the kernel's expected lines about faults, in the table's order")
    parser.add_argument('--broken', metavar='REGEX', help='the point that must fail')
    parser.add_argument('arguments', nargs='*', help="init's arguments")
    return parser.parse_args()


def main():
    args = parse()
    tap = BrokenTap(args.broken) if args.broken else Tap()
    guest = GuestTap(tap) if args.tap else None
    lines = Lines(tap, guest)
    try:
        session, verdict = boot(args, lines.feed, lambda: tap.found, tap.comment)
    except tools.ToolError as error:
        print(f'Bail out! {error}')
        sys.exit(1)
    lines.finish()
    if guest is not None:
        guest.finish()
    report(args, tap, session, verdict)
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    tools.tap_main(main)
