#!/usr/bin/env python3
"""Types the commands of a chapter of the tutorial at the debugger's prompt, and compares the answers
with those in the chapter. Reports in TAP.

    play.py --kernel FILE --initrd FILE [--planted NAME=FILE]... CHAPTER...

With --fill it prints the chapter instead, with the answers where the chapter has none.
"""
import argparse
import contextlib
import pathlib
import re
import sys
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)  # its own folder has a module "tutorial", too

import debug  # noqa: E402
import tools  # noqa: E402
from bochs.debugger import DebuggerError  # noqa: E402
from guest_tap import Tap  # noqa: E402
from tutorial import chapter  # noqa: E402


class Machines:
    """Starts the sessions of chapters, with the kernels that they name."""

    def __init__(self, kernel, initrd, planted):
        self._kernel, self._initrd = kernel, initrd
        self._planted = dict(text.split('=', 1) for text in planted)

    @contextlib.contextmanager
    def start(self, words):
        """The driver of a machine for the words after `./umbra debug`."""
        args = debug.parse(['--kernel', self._kernel, '--initrd', self._initrd, *words])
        if args.planted:
            if args.planted not in self._planted:
                raise chapter.ChapterError(f'no kernel is known for --planted {args.planted}')
            args.kernel = self._planted[args.planted]
        with debug.booted(args) as driver:
            yield driver


def check(number, machines, tap):
    """One point for each step of a chapter."""
    text = chapter.load(number)
    tap.comment(f'{number}. {text.title}')
    numbers, begun = chapter.Numbers(text.named), time.monotonic()
    for session in text.sessions:
        for exchange, mismatch, found in chapter.play(session, numbers, machines.start):
            report(tap, text, session, exchange, mismatch, found)
    tap.comment(f'{len(text.steps)} steps in {time.monotonic() - begun:.1f} s')


def report(tap, text, session, exchange, mismatch, found):
    """A point, with what is needed to look into it if it fails."""
    tap.point(mismatch is None,
              f'{text.path.name}:{exchange.line} {exchange.command or "the first stop"}')
    if mismatch is None:
        return
    tap.comment(f'{mismatch.reason}:')
    tap.comment(f'expected: {mismatch.expected}')
    tap.comment(f'found:    {mismatch.found}')
    for line in found:
        tap.comment(f'  | {line}')
    tap.comment(f'to be there: {session.command_to(exchange)}')


def fill(number, machines):
    """The text of a chapter, with the answers to commands that have none."""
    text = chapter.load(number)
    numbers = chapter.Numbers(text.named)
    lines = text.path.read_text().split('\n')
    added = {}
    for session in text.sessions:
        for exchange, _, found in chapter.play(session, numbers, machines.start):
            if not exchange.expected:
                added[exchange.line] = found
    for number_of_line, line in enumerate(lines, 1):
        print(line)
        for answer in added.get(number_of_line, ()):
            print(re.sub(r'\S*/\.\./', '', answer))


def main():
    parser = argparse.ArgumentParser(description='Play chapters of the tutorial.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--planted', action='append', default=[], metavar='NAME=KERNEL')
    parser.add_argument('--fill', action='store_true', help='print the chapter with the answers')
    parser.add_argument('chapters', type=int, nargs='+')
    args = parser.parse_args()
    machines = Machines(args.kernel, args.initrd, args.planted)
    if args.fill:
        for number in args.chapters:
            fill(number, machines)
        return 0
    tap = Tap()
    for number in args.chapters:
        try:
            check(number, machines, tap)
        except (DebuggerError, chapter.ChapterError) as error:
            tap.point(False, f'chapter {number} goes on to its end')
            for line in str(error).split('\n'):
                tap.comment(line)
    tap.finish()
    return int(tap.failed > 0)


if __name__ == '__main__':
    tools.tap_main(main)
