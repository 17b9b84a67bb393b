"""The prompt: a line editor with history and completion, and the terminal while the machine
runs."""
import os
import pathlib
import readline
import select
import sys

import console
from bochs.debugger import DebuggerError
from debugger.stops import KERNEL_STOPS

PROMPT = 'umbra> '
HISTORY = pathlib.Path('~/.umbra_history')
HISTORY_LENGTH = 1000
POINT_WORDS = ('kernel', 'paging', 'user', 'before-exec', 'syscall:', 'return:', 'switch',
               *KERNEL_STOPS)
WITH_POINTS = ('break', 'b', 'lb', 'until')


class Prompt:
    """Connects a Driver with standard input and output."""

    def __init__(self, driver):
        self._driver = driver
        self._matches = []
        self._line_open = False  # the guest's output does not end with a line feed

    def batch(self, lines):
        """Carries out lines without a terminal; each is printed after the prompt. The guest's
        output is not shown, except what came before the end of the machine."""
        for line in lines:
            print(PROMPT + line, flush=True)
            try:
                self.run(line)
            except EOFError:
                break

    def run(self, line):
        """Carries out one line; the terminal is the guest's while the machine runs."""
        interactive = sys.stdin.isatty()
        if not interactive:
            self._print(self._driver.execute(line, limit=600))
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
        elif ':/' in text:
            word = text.split(':', 1)[0]
            known = [f'{word}:{path}' for path in self._driver.session.files]
        else:
            known = [*self._driver.session.names(), *self._driver.session.files]
            known += POINT_WORDS if words[0] in WITH_POINTS else ()
        return sorted(word for word in known if word.startswith(text))

    def _show(self, data):
        """The guest's output."""
        self._line_open = not data.endswith(b'\n')
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
