#!/usr/bin/env python3
"""Asks the questions of questions.tsv in one session of the debugger, each with at most two
commands; or compares backtraces at every instruction of the kernel's entries. Reports in TAP."""
import argparse
import pathlib
import re

import debug
import tools
from bochs.debugger import DebuggerError
from bochs.paging import KERNEL_HALF
from guest_tap import Tap

COMMANDS_MAX = 2
LIMIT = 120  # seconds for one run of the machine
ENTRY_STEPS, ENTRY_MIN = 400, 40  # instructions of entry.S: at most, at least
# Here RSP of ring 3 is in memory only (arch/entry.S), so that the callers are not known.
RSP_UNKNOWN = ('entry_syscall+0xe', 'entry_syscall+0x10')


def rows(path):
    """(question, setup, commands, expected) of each line."""
    for line in pathlib.Path(path).read_text().split('\n'):
        if line and not line.startswith('#'):
            question, setup, commands, expected = line.split('\t')
            yield question, setup.split(';') if setup else [], commands.split(';'), expected


def answer(driver, commands):
    """The lines that the commands print."""
    return '\n'.join(line for command in commands
                     for line in driver.execute(command, limit=LIMIT))


def report(tap, good, text, details):
    """A point, with details if it fails."""
    tap.point(bool(good), text)
    if not good:
        for line in details:
            tap.comment(line)


def ask(driver, tap, path):
    """One point for each question."""
    for question, setup, commands, expected in rows(path):
        answer(driver, setup)
        text = answer(driver, commands)
        good = len(commands) <= COMMANDS_MAX and re.search(expected, text, re.S)
        report(tap, good, f'{question} {"; ".join(commands)}',
               ['expected: ' + expected, *text.split('\n')])


def user_frames(session):
    """The addresses in ring 3 of the backtrace."""
    return [frame.pc for frame in session.backtrace() if frame.pc < KERNEL_HALF]


def through_entry(driver):
    """Runs from the first instruction of an entry to ring 3. Returns the number of instructions
    of entry.S, and complaints: at each of them the backtrace must have the same callers."""
    session = driver.session
    wanted, seen, complaints = user_frames(session), 0, []
    while session.registers()['cpl'] == 0 and seen < ENTRY_STEPS:
        rip = session.registers()['rip']
        place = session.source(rip)
        if place is None or not place[0].endswith('entry.S'):  # a function that the entry calls
            back = int.from_bytes(session.read(session.registers()['rsp'], 8), 'little')
            answer(driver, [f'until {back:#x}'])
            continue
        seen += 1
        have = user_frames(session)
        if have != (wanted[:1] if session.name(rip).split()[1] in RSP_UNKNOWN else wanted):
            complaints.append(f'{session.name(rip)} (line {place[1]}): '
                              + ' '.join(f'{pc:#x}' for pc in have))
        driver.target.step()
        session.forget(same_files=True)
    return seen, complaints if len(wanted) > 2 else ['there are no callers in ring 3']


def check_entries(driver, tap):
    """Backtraces at every instruction of a system call's way in and out, and of a fault's."""
    for name, point in (('a system call', 'entry_syscall'), ('a page fault', 'entry_14')):
        answer(driver, [f'until {point}'])
        seen, complaints = through_entry(driver)
        report(tap, seen > ENTRY_MIN and not complaints,
               f'the backtrace is right at each of {seen} instructions of {name}', complaints)


def session(args, *options):
    """The debugger with /bin/asked."""
    return debug.booted(debug.parse(['--kernel', args.kernel, '--initrd', args.initrd, *options,
                                     '--', '/bin/asked']))


def run(args):
    tap = Tap()
    with session(args, *(['--at', 'user:report'] if args.entries else [])) as driver:
        try:
            answer(driver, ['c'])
            if args.questions:
                ask(driver, tap, args.questions)
            if args.entries:
                check_entries(driver, tap)
        except DebuggerError as error:
            report(tap, False, 'the session goes on to its end', str(error).split('\n'))
    tap.finish()
    return int(tap.failed > 0)


def main():
    parser = argparse.ArgumentParser(description='Ask the questions of questions.tsv.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True, help='an archive with /bin/asked')
    parser.add_argument('--entries', action='store_true',
                        help='compare backtraces at every instruction of entry.S')
    parser.add_argument('questions', nargs='?', help='the table')
    return run(parser.parse_args())


if __name__ == '__main__':
    tools.tap_main(main)
