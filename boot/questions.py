#!/usr/bin/env python3
"""Asks the questions of questions.tsv in one session of the debugger, each with at most two
commands; or compares backtraces at every instruction of the kernel's entries; or goes back, and compares all
registers and all memory with what they were. Reports in TAP."""
import argparse
import hashlib
import os
import pathlib
import re
import tempfile
import threading

import console
import debug
import iso
import machine
import tools
from bochs.debugger import Debugger, DebuggerError
from bochs.paging import KERNEL_HALF
from debugger import core
from guest_tap import Tap

COMMANDS_MAX = 2
SEED = 'seed=5'
LIMIT = 120  # seconds for one run of the machine
WAIT = 0.7  # seconds that the guest waits for keys before it is stopped
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


def ask(driver, tap, path, wanted=lambda commands: True):
    """One point for each question whose commands are wanted."""
    for question, setup, commands, expected in rows(path):
        if not wanted(commands):
            continue
        answer(driver, setup)
        text = answer(driver, commands)
        good = len(commands) <= COMMANDS_MAX and re.search(expected, text, re.S)
        report(tap, good, f'{question} {"; ".join(commands)}',
               ['expected: ' + expected, *text.split('\n')])


def ask_here(driver, path):
    """Asks the questions in gdb, where the machine is another one; those about Bochs are left out."""
    tap = Tap()
    answer(driver, ['c'])
    ask(driver, tap, path, lambda commands: not any(word.startswith('bochs ') for word in commands))
    tap.finish()


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


def state(driver):
    """(tick, registers, a digest of memory) of the stopped machine."""
    digest = hashlib.sha256()
    for address in range(0, driver.target.ram, core.CHUNK):
        digest.update(core.chunk(driver.session.memory, address))
    return driver.target.ticks(), driver.session.registers(), digest.hexdigest()


def check_back(driver, tap):
    """Two repetitions come to the state that the machine had: by a count, and by a point, from its end."""
    answer(driver, ['until syscall:write'])
    wanted = state(driver)
    answer(driver, ['until user:grow', 's 777'])
    text = answer(driver, [f'back {driver.target.ticks() - wanted[0]}'])
    have = state(driver)
    report(tap, have[0] == wanted[0] and 'call_write' in text, f'back N is at tick {wanted[0]} again', [text])
    report(tap, have[1] == wanted[1], 'with the same registers', [f'{wanted[1]}', f'{have[1]}'])
    report(tap, have[2] == wanted[2], f'and the same {driver.target.ram >> 20} MiB of memory', [])
    answer(driver, ['break cow', 'until user:grow'])
    first = driver.target.ticks()
    text = answer(driver, ['back syscall:write'])
    report(tap, driver.target.ticks() == wanted[0] and 'call_write' in text,
           'back POINT finds a place at which the machine had stopped', [text])
    text = answer(driver, ['until user:run_second', 'back user:grow'])
    have = driver.target.ticks()
    report(tap, have > first and 'grow+' not in text and 'grow of /bin/asked' in text,
           f'back POINT is at its last time, tick {have}, not at the first, {first}', [text])
    text = answer(driver, ['break user:run_second', 'back user:run_second', 'c'])
    report(tap, re.search(r'was not reached before\..*Breakpoint \d+: user:run_second', text, re.S),
           'a point to which the machine did not go back still stops it', [text])
    text = answer(driver, ['points', 'until cow'])
    report(tap, 'Stop cow: pid 1' in text, 'and the machine goes on from there, with its points', [text])


def check_stops(driver, tap):
    """Stops shift nothing: a repetition that stops at each call comes to the same ticks as the machine did without."""
    answer(driver, ['until syscall:exit_group'])
    wanted = state(driver)
    text = answer(driver, ['back syscall:clock_nanosleep'])
    report(tap, 'call_clock_nanosleep' in text, 'back POINT is at its place between two waits', [text])
    answer(driver, ['until syscall:exit_group'])
    have = state(driver)
    report(tap, have == wanted, f'and from there the machine comes to the state of tick {wanted[0]} again', [str(have)])


def type_keys(driver, keys, command, limit):
    """Types keys while a command runs; returns its answer."""
    source, typist = os.pipe()
    os.write(typist, keys)
    said = list(driver.execute(command, limit=limit, source=source))
    os.close(source)
    os.close(typist)
    return '\n'.join(said)


def type_line(driver, line):
    """Types a line, and runs to the system call by which the program prints it; returns what it prints."""
    said = type_keys(driver, line, 'until syscall:write', LIMIT)
    if 'call_write' not in said:
        return b''
    frame = driver.session.kernel.view('trap_frame', driver.session.registers()['rdi'])
    return driver.session.read(frame.rsi, frame.rdx)


def interrupt_wait(driver):
    """Stops the machine, as ^] does, while the program waits for keys; returns the answer."""
    source, typist = os.pipe()
    timer = threading.Timer(WAIT, os.write, (typist, console.QUIT_KEY))
    timer.start()
    said = list(driver.execute('c', limit=LIMIT, source=source, quit_key=console.QUIT_KEY))
    timer.join()
    os.close(source)
    os.close(typist)
    return '\n'.join(said)


def check_typed(driver, tap):
    """A repetition with typed input comes to the same state, and keys of the future do not come again, although the
    user has stopped the machine in the middle of its waits."""
    for number in range(3):
        text = interrupt_wait(driver)
        report(tap, 'Stopped by the user' in text and 'cpu_idle' in text, f'the user stops a wait, {number}', [text])
    report(tap, type_line(driver, b'first\n') == b'first\n', 'the program prints a line that is typed', [])
    first = driver.target.ticks()
    text = type_keys(driver, b'second ', 'until console_input_interrupt', LIMIT)
    report(tap, 'console_input_interrupt' in text, 'a key interrupts the wait for the rest', [text])
    text = interrupt_wait(driver)
    report(tap, 'Stopped by the user' in text, 'the user stops the wait for the rest', [text])
    report(tap, type_line(driver, b'line\n') == b'second line\n', 'and one that is typed in two parts', [])
    wanted = state(driver)
    answer(driver, ['s 12345'])
    text = answer(driver, [f'back {driver.target.ticks() - wanted[0]}'])
    have = state(driver)
    report(tap, have[0] == wanted[0] > first, f'back N across typed input is at tick {wanted[0]} again', [text])
    report(tap, have[1] == wanted[1], 'with the same registers', [f'{wanted[1]}', f'{have[1]}'])
    report(tap, have[2] == wanted[2], 'and the same memory', [])
    text = answer(driver, ['back syscall:write'])
    report(tap, driver.target.ticks() == first, f'back POINT is at the line before, tick {first}', [text])
    report(tap, type_line(driver, b'another\n') == b'another\n', 'from there another line can be typed', [])


def check_seed(args, driver, tap):
    """The stack protector's secret follows from `seed=`: it is the same in a machine whose RDRAND gives
    other numbers."""
    kernel = driver.session.kernel_module.elf
    wanted = driver.session.read(kernel.symbol('__stack_chk_guard'), 8)
    with tempfile.TemporaryDirectory() as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        iso.make(image, args.kernel, args.initrd, ['stop=exec', 'init=/bin/asked', *SEED.split()])
        with Debugger(image, args.cpu) as debugger:
            debugger.run_to('exec')
            found = debugger.memory(kernel.symbol('__stack_chk_guard'), 8)
    report(tap, found == wanted, 'seed= makes the stack protector repeatable', [str((found, wanted))])


def session(args, *options, words=()):
    """The debugger with /bin/asked."""
    return debug.booted(debug.parse(['--kernel', args.kernel, '--initrd', args.initrd, *options,
                                     '--', '/bin/asked', *words]))


def run_typed(args):
    tap = Tap()
    with session(args, '--cpu', args.cpu, '--append', SEED, words=['type']) as driver:
        answer(driver, ['c'])
        check_typed(driver, tap)
    tap.finish()
    return int(tap.failed > 0)


def run(args):
    if args.typed:
        return run_typed(args)
    tap = Tap()
    options = ['--at', 'user:report'] if args.entries else ['--cpu', args.cpu, '--append', SEED] if args.back else []
    with session(args, *options) as driver:
        try:
            answer(driver, ['c'])
            if args.questions:
                ask(driver, tap, args.questions)
            if args.entries:
                check_entries(driver, tap)
            if args.back:
                check_back(driver, tap)
                check_seed(args, driver, tap)
                with session(args, *options, words=['sleep']) as another:
                    answer(another, ['c'])
                    check_stops(another, tap)
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
    parser.add_argument('--back', action='store_true', help='compare the states of repetitions')
    parser.add_argument('--typed', action='store_true', help='the same, with typed input')
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('questions', nargs='?', help='the table')
    return run(parser.parse_args())


if __name__ == '__main__':
    tools.tap_main(main)
