"""The guest's console: carries text between the machine and the user, and gives the verdict.

The verdict is the last line that the kernel prints. It counts only if the guest then switched the
machine off. So a program that prints such a line, or a kernel that hangs or crashes after it,
does not pass.
"""
import contextlib
import dataclasses
import os
import re
import select
import termios
import time
import tty

VERDICT = re.compile(r'umbra: verdict: (?:(exit|signal) (\d+)|(panic|refused)|(no init))')
END_OF_INPUT = b'\x04'  # ^D, which a terminal reads as the end of the input
END_AGAIN = 1.0  # seconds until the next ^D
QUIT_KEY = b'\x1d'  # ^]: ends the machine, since ^C goes to the guest

STATUS_TIME_LIMIT = 124
STATUS_NO_VERDICT = 125
STATUS_SIGNAL_BASE = 128


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The result of a run: `word` for people, `status` for the shell."""
    word: str
    status: int


def judge(ending, text, limit_reached=False):
    """The verdict on a run with this ending (machine.Ending) and this console text."""
    if limit_reached:
        return Verdict('time limit', STATUS_TIME_LIMIT)
    if not ending.powered_off:
        return Verdict(ending.reason, STATUS_NO_VERDICT)
    lines = text.rstrip('\n').split('\n')
    match = VERDICT.fullmatch(lines[-1])
    if match is None:
        return Verdict('no verdict', STATUS_NO_VERDICT)
    how, number, word, _ = match.groups()
    if how == 'exit':
        return Verdict(f'exit {number}', int(number))
    if how == 'signal':
        return Verdict(f'signal {number}', STATUS_SIGNAL_BASE + int(number))
    return Verdict(word or 'no init', STATUS_NO_VERDICT)


@contextlib.contextmanager
def raw_terminal(descriptor):
    """Passes each key to the guest as it is typed, if the descriptor is our terminal; the guest's
    own terminal echoes and edits. Yields whether it does."""
    ours = os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
    if ours:
        before = termios.tcgetattr(descriptor)
        tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed ahead is kept
    try:
        yield ours
    finally:
        if ours:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class KernelText:
    """Filters the bytes of the serial line: holds back GRUB's text before the kernel's.

    GRUB sets up its terminal with a few escape sequences, which would clear the user's screen.
    They end with the first line that begins with "umbra"; if none comes, before() has the text.
    """
    BEGIN = re.compile(rb'(?:\A|[\r\n]|\x1b\[[0-9;]*[A-Za-z])(umbra)')

    def __init__(self):
        self._held = b''
        self.begun = False

    def feed(self, data):
        """Returns the part of the bytes that the kernel sent."""
        if self.begun:
            return data
        self._held += data
        match = self.BEGIN.search(self._held)
        if match is None:
            return b''
        self.begun = True
        rest, self._held = self._held[match.start(1):], self._held[:match.start(1)]
        return rest

    def before(self):
        """The text before the kernel's first line, without escape sequences."""
        text = re.sub(rb'\x1b\[[0-9;?]*[A-Za-z]', b'', self._held)
        return text.decode(errors='replace').replace('\r', '').strip()


class Session:
    """One run of a machine: carries the bytes, keeps the text, watches the clock."""

    def __init__(self, machine, sink, source=None, limit=None, at_limit=lambda machine: None):
        """`sink` is called with the kernel's bytes; `source` is a descriptor to read input from
        or None; `limit` is in seconds of wall time or None. At the limit `at_limit` is called with the
        machine, before it is ended (aftermath.at_limit)."""
        self.machine = machine
        self.kernel = KernelText()
        self.limit_reached = False
        self._sink = sink
        self._at_limit = at_limit
        self._source = source
        self._pending = b''
        self._line_open = False
        self._next_end = None  # when the next ^D is due, after the end of the input
        self._text = bytearray()
        self._start = time.monotonic()
        self._deadline = None if limit is None else self._start + limit

    def text(self):
        """The output of the kernel and its programs, with plain line feeds."""
        return self._text.decode(errors='replace').replace('\r\n', '\n')

    def run(self, enough=lambda: False):
        """Runs until the machine ends, the time is up, or `enough` says so, which counts as the
        time limit; returns the verdict."""
        while self.machine.running() and not self.limit_reached:
            self._turn(0.05)
            if enough():
                self.limit_reached = True
            elif self._late():
                self.limit_reached = True
                self._at_limit(self.machine)
        if self.limit_reached:
            self.machine.kill()
        while self._turn(0):
            pass
        return judge(self.machine.ending(), self.text(), self.limit_reached)

    def _late(self):
        return self._deadline is not None and time.monotonic() > self._deadline

    def _turn(self, wait):
        """Moves what can be moved now; returns whether there was output."""
        if self._next_end is not None and not self._pending and time.monotonic() >= self._next_end:
            self._end_input()
        readers = [self.machine.output] + ([self._source] if self._wants_input() else [])
        writers = [self.machine.input] if self._pending and self.kernel.begun else []
        readable, writable, _ = select.select(readers, writers, [], wait)
        if self._source in readable:
            self._take_input()
        if writable:
            self._give_input()
        return self.machine.output in readable and self._take_output()

    def _wants_input(self):
        """Before the kernel has begun nobody reads; but a terminal's key for the end counts at once."""
        if self._source is None:
            return False
        return not self._pending if self.kernel.begun else os.isatty(self._source)

    def _take_input(self):
        self._pending += os.read(self._source, 1024)
        if QUIT_KEY in self._pending and os.isatty(self._source):
            raise KeyboardInterrupt
        if self._pending:
            self._line_open = not self._pending.endswith((b'\n', b'\r'))
        else:
            self._source = None
            self._end_input()

    def _end_input(self):
        """Types ^D, which ends one read. It is typed again and again, since a file stays at its end: another
        reader may come, or the guest may lose this one (a shell that sets its terminal to single bytes
        meanwhile reads NUL, as on Linux)."""
        # In the middle of a line the first ^D only ends the line.
        self._pending = END_OF_INPUT * (2 if self._line_open else 1)
        self._line_open = False
        self._next_end = time.monotonic() + END_AGAIN

    def _give_input(self):
        try:
            done = os.write(self.machine.input, self._pending[:256])
            self._pending = self._pending[done:]
        except OSError:  # the machine is gone
            self._pending = b''
            self._source = self._next_end = None

    def _take_output(self):
        try:
            data = os.read(self.machine.output, 65536)
        except OSError:  # EIO: the other side of the terminal is closed
            data = b''
        if not data:
            time.sleep(0.01)
            return False
        data = self.kernel.feed(data)
        if data:
            self._text += data
            self._sink(data)
        return True
