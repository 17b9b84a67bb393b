#!/usr/bin/env python3
"""`./umbra debug`: the machine under Bochs' debugger, with the symbols of kernel and programs, and
commands about address spaces at the prompt. boot/README.md explains
them step by step. The prompt has a line editor with history and completion; while the machine runs, the terminal is
the guest's."""
import argparse
import contextlib
import functools
import json
import os
import pathlib
import readline
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import termios
import threading

import aftermath
import console
import iso
import machine
import program
import tools
from bochs.debugger import DebuggerError
from debugger import commands, stops
from debugger.bochs import BochsTarget
from debugger.core import CoreError, CoreTarget
from debugger.driver import BATCH_LIMIT, CALLS, Driver
from debugger.elf import Elf, SymbolError
from debugger.session import Session, SessionError
from debugger.stops import KERNEL_STOPS

PROMPT = 'umbra> '
HISTORY = pathlib.Path('~/.umbra_history')
HISTORY_LENGTH = 1000
POINT_WORDS = ('kernel', 'paging', 'user', 'before-exec', 'syscall:', 'return:', 'switch',
               *KERNEL_STOPS)
WITH_POINTS = ('break', 'b', 'lb', 'until', 'back')
CHOOSING = ('syscall:', 'return:', 'kernel:', 'user:')


class Prompt:
    """Connects a Driver with standard input and output."""

    def __init__(self, driver):
        self._driver = driver
        self._matches = []
        self._line_open = False  # the guest's output does not end with a line feed

    def batch(self, lines):
        """Carries out lines without a terminal; each is printed after the prompt."""
        for line in lines:
            print(PROMPT + line, flush=True)
            try:
                self.run(line)
            except EOFError:
                break

    def run(self, line):
        """Carries out one line; the terminal is the guest's while the machine runs. Without a terminal the guest's
        output is not shown, except what came before the end of the machine."""
        interactive = sys.stdin.isatty()
        if not interactive:
            had_ended = self._driver.ended
            self._print(self._driver.execute(line, limit=BATCH_LIMIT))
            if self._driver.ended and not had_ended:
                self._print(f'  {words}' for words in self._driver.last_words())
            return
        self._driver.target.show = self._show
        self._driver.target.started = self._tell
        terminal = {'source': 0, 'quit_key': console.QUIT_KEY}
        with console.raw_terminal(0):
            lines = list(self._driver.execute(line, **terminal))
            self._late_replies()
        if self._line_open:
            self._show(b'\n')
        self._print(lines)

    def _tell(self):
        """Says once for each command that the keys go to the guest now."""
        self._driver.target.started = lambda: None
        self._show(b'The machine runs; ^] comes back to the prompt.\r\n')

    def _late_replies(self):
        """Passes to the guest what the terminal still answers to its questions (for instance
        where the cursor is), so that it does not become input of the prompt."""
        while select.select([0], [], [], 0.03)[0]:
            data = os.read(0, 1024)
            if not data.startswith(b'\x1b'):
                break
            self._driver.target.type(data)

    @staticmethod
    def _print(lines):
        for line in lines:
            print(line, flush=True)

    def converse(self):
        """Asks for commands until the user leaves, by q or ^D."""
        self._start_editor()
        try:
            while True:
                try:
                    line = input(PROMPT)
                except KeyboardInterrupt:  # ^C gives up the line
                    print()
                    continue
                self.run(line)
        except EOFError:
            print()
        except DebuggerError as error:
            print(f'umbra: {error}')
        finally:
            self._keep_history()

    def _start_editor(self):
        readline.set_completer(self._complete)
        readline.set_completer_delims(' \t')
        readline.parse_and_bind('tab: complete')
        readline.parse_and_bind(r'"\C-]": ""')  # the key for the running machine would eat the next key here
        readline.set_history_length(HISTORY_LENGTH)
        try:
            readline.read_history_file(HISTORY.expanduser())
        except OSError:
            pass  # there is none yet

    @staticmethod
    def _keep_history():
        try:
            readline.write_history_file(HISTORY.expanduser())
        except OSError:
            pass  # the home folder cannot be written to

    def _complete(self, text, index):
        if index == 0:
            words = readline.get_line_buffer()[:readline.get_begidx()].split()
            self._matches = self.candidates(words, text)
        return self._matches[index] if index < len(self._matches) else None

    def candidates(self, words, text):
        """The completions of `text` after these words of the line: a command first; then points,
        symbols, and paths of the archive."""
        if not words:
            known = self._driver.words()
        elif words[0] == 'help':
            known = [*self._driver.words(), 'points']
        elif ':/' in text or text.startswith(CHOOSING):
            known = self._after_colon(text.split(':', 1)[0], ':/' in text)
        else:
            known = [*self._driver.session.names(), *self._driver.session.files]
            known += POINT_WORDS if words[0] in WITH_POINTS else ()
        return sorted(word for word in known if word.startswith(text))

    def _after_colon(self, word, is_path):
        """What may come after "exec:", "syscall:", "kernel:" and the like, with that word."""
        session = self._driver.session
        kernel = session.kernel_module.elf
        if is_path:
            known = session.files
        elif word in CALLS:
            known = stops.calls(kernel)
        else:
            known = kernel.names if word == 'kernel' else session.user_names()
        return [f'{word}:{name}' for name in known]

    def _show(self, data):
        """The guest's output."""
        self._line_open = not data.endswith(b'\n')
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


DEFAULT_POINT = 'user'
VALUED = ('--cpu', '--memory', '--at', '--do', '--core', '--planted', '--questions')
NO_STOP = 1  # the status if the machine ended before the first stop
GDB_SCRIPT = pathlib.Path(__file__).with_name('debugger') / 'gdb_machine.py'
GDB_VARIABLE = 'UMBRA_GDB'
READY = 'Type help for the commands.'


def points_of(args):
    """The points at which the machine stops first, and the rest of the words of --append."""
    rest, stopped = stops.append_points(args.append.split())
    texts = [*args.at, *stopped] or [DEFAULT_POINT]
    return [stops.parse(text) for text in texts], rest


@contextlib.contextmanager
def packed(args, points, rest, archives):
    """(folder, image, guest, megabytes, archive) of the machine to boot; the folder is gone afterwards.
    `archives` is program.for_qemu or like it, and `archive` the second of its values."""
    with tempfile.TemporaryDirectory(prefix='umbra-debug.') as scratch:
        args.initrd = program.unpacked(args.initrd, scratch)
        guest = program.load(args.program, args.is_ours, args.with_paths, args.elfparse, scratch)
        words = ['stop=' + ','.join(stops.stop_words(points)), 'noaslr', *rest, *guest.words]
        image = pathlib.Path(scratch, 'umbra.iso')
        module, archive = archives(args.initrd, guest, scratch)
        iso.make(image, args.kernel, module, words)
        memory = args.memory or program.memory_for(args.initrd, guest, machine.DEFAULT_MEGABYTES)
        yield scratch, image, guest, memory, archive


@contextlib.contextmanager
def booted(args):
    """A Driver of the machine, before its first instruction."""
    points, rest = points_of(args)
    for point in points:
        point.once = point.text == DEFAULT_POINT
    archives = functools.partial(program.for_bochs, other=args.faster)
    with packed(args, points, rest, archives) as (_, image, guest, memory, _):
        with BochsTarget(image, args.cpu, memory) as target:
            kernel = aftermath.debug_file(args.kernel)
            session = Session(target, Elf('the kernel', kernel.read_bytes()),
                              program.files_of(args.initrd, guest))
            yield Driver(session, points)


def show_console(descriptor, path, stream):
    """Copies what the guest prints to a file, and to a stream if there is one."""
    kernel = console.KernelText()
    with open(path, 'wb', buffering=0) as file:
        while data := os.read(descriptor, 65536):
            file.write(data)
            if (data := kernel.feed(data)) and stream:
                stream.write(data)
                stream.flush()


@contextlib.contextmanager
def kept_terminal():
    """Leaves the terminal as it is now, however what it is lent to ends."""
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        yield
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def gdb_settings(args, points, parts, keys):
    """What debugger/gdb_machine.py needs to know: it runs in another process."""
    scratch, _, guest, memory, _ = parts
    archives = [str(part) for part in (args.initrd, guest.extra) if part]
    return {'socket': f'{scratch}/gdb', 'console': f'{scratch}/console', 'folder': f'{scratch}/files',
            'kernel': str(aftermath.debug_file(args.kernel)), 'archives': archives, 'megabytes': memory,
            'points': [point.text for point in points], 'once': DEFAULT_POINT, 'do': args.do,
            'questions': args.questions, 'mi': args.mi, 'keys': keys, 'no_stop': NO_STOP}


def is_batch(args):
    """Whether gdb carries out commands and asks for none: ^C ends it with us."""
    return bool(args.do or args.questions)


def in_gdb(args):
    """Runs gdb with the machine under QEMU; returns gdb's status."""
    tools.need('gdb')
    points, rest = points_of(args)
    with packed(args, points, rest, program.for_qemu) as parts:
        scratch, image, _, memory, archive = parts
        with kept_terminal(), machine.Qemu(image, f'{scratch}/log', memory, counting=True,
                                           archive=archive, stub=f'{scratch}/gdb') as qemu:
            settings = gdb_settings(args, points, parts, qemu.input)
            pathlib.Path(scratch, 'settings').write_text(json.dumps(settings))
            stream = None if is_batch(args) else (sys.stderr if args.mi else sys.stdout).buffer
            threading.Thread(target=show_console, args=(qemu.output, settings['console'], stream),
                             daemon=True).start()
            words = ['-batch'] if is_batch(args) else ['-i=mi'] if args.mi else []
            done = subprocess.run(
                [*machine.tied('TERM'), 'gdb', '-q', *words, '-x', GDB_SCRIPT, settings['kernel']], check=False,
                env=dict(os.environ, **{GDB_VARIABLE: f'{scratch}/settings'}),
                stdin=None if stream else subprocess.DEVNULL, pass_fds=[qemu.input],
                start_new_session=is_batch(args))
            qemu.kill()
    return done.returncode


def post_mortem(args):
    """Answers the commands of --do from a core file."""
    kernel = aftermath.debug_file(args.kernel)
    with CoreTarget(args.core) as target, tempfile.TemporaryDirectory() as scratch:
        guest = program.load(args.program, args.is_ours, args.with_paths, args.elfparse, scratch)
        files = program.files_of(program.unpacked(args.initrd, scratch), guest)
        session = Session(target, Elf('the kernel', kernel.read_bytes()), files)
        for line in args.do or ['where']:
            print(f'umbra> {line}')
            for answer in answers_of_core(session, line):
                print(answer)


def answers_of_core(session, line):
    """The lines that answer a command from a core file."""
    try:
        name, *words = shlex.split(line) or ['where']
    except ValueError as error:
        yield f'{error}'
        return
    if name in commands.COMMANDS:
        yield from commands.run(session, name, words)
    else:
        yield f'{name}: a core file does not run; it answers ' + ', '.join(commands.COMMANDS) + '.'


def with_window(args):
    """The words of --append, with the size of the window that the guest's output comes to."""
    shown = not (is_batch(args) and not args.stay or args.mi)
    return ' '.join([*(program.window_words(0) if shown else []), args.append])


def debug(args):
    """Returns the status for the shell."""
    args.append = with_window(args)
    if args.gdb or args.mi:
        if not is_batch(args):
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is for gdb
        sys.exit(in_gdb(args))
    if args.core:
        post_mortem(args)
        return 0
    with booted(args) as driver:
        prompt = Prompt(driver)
        if not args.do:
            print('umbra: booting under the debugger ...', flush=True)
        prompt.run('c')
        missed = driver.ended
        if args.do:
            prompt.batch(args.do)
            if not args.stay:
                return NO_STOP if missed else 0
        print(READY)
        prompt.converse()
    return 0


def parse(argv):
    parser = argparse.ArgumentParser(
        prog='umbra debug', description='Run a program under the debugger.',
        formatter_class=argparse.RawDescriptionHelpFormatter, epilog=stops.HELP)
    parser.add_argument('--at', action='append', default=[], metavar='POINT',
                        help='where to stop; several are possible (default: user)')
    parser.add_argument('--do', action='append', default=[], metavar='COMMAND',
                        help='commands to carry out instead of asking for them')
    parser.add_argument('--stay', action='store_true', help='ask for commands after those of --do')
    parser.add_argument('--core', metavar='FILE',
                        help='answer the commands of --do from a file that "dump" has written')
    parser.add_argument('--gdb', action='store_true',
                        help='gdb with the same commands, and the machine under QEMU')
    parser.add_argument('--mi', action='store_true',
                        help='the same for an editor, by the machine interface of gdb')
    parser.add_argument('--questions', help=argparse.SUPPRESS)
    parser.add_argument('--planted', metavar='NAME',
                        help='a kernel with a planted fault, for the tutorial (default: none)')
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--memory', type=int, metavar='MB')
    parser.set_defaults(faster='--gdb')
    return program.parse(parser, argv, VALUED)


def main(argv=None):
    tools.end_by_signals()
    args = parse(sys.argv[1:] if argv is None else argv)
    with tools.one_sentence(DebuggerError, SessionError, SymbolError, CoreError):
        if not (args.do or args.core or args.questions or args.mi or sys.stdin and sys.stdin.isatty()):
            raise tools.ToolError('debug needs a terminal, or --do COMMAND')
        sys.exit(debug(args))


if __name__ == '__main__':
    main()
