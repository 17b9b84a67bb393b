"""Drives the debugger of Bochs: one machine, its prompt, and the answers to its commands.

The guest's text arrives twice: over the serial line into a file, and through port 0xE9 in the
stream that has the prompt.  run() returns the second text, which is complete at every stop; the
serial line may still be sending its last characters then.
"""
import dataclasses
import pathlib
import re
import shutil
import signal
import time

import machine
import tools

try:
    import pexpect
except ImportError:  # reported when a debugger is started
    pexpect = None

PROMPT = re.compile(r'<bochs:\d+> ')
ENTRIES_PER_TABLE = 512
NOISE = re.compile(r'\(0\) (Magic breakpoint|Breakpoint|\[0x|Watchpoint|Caught)|Next at t='
                   r'|\d{11}[ipde]\[|\(0\)\.\[')
STOP_LINE = re.compile(r'umbra: stop: (?P<name>[a-z0-9-]+) pid (?P<pid>\d+) '
                       r'cr3 (?P<cr3>0x[0-9a-f]+)(?: path (?P<path>.*?))?'
                       r'(?: at (?P<at>0x[0-9a-f]+))?\s*$')
SPACE_LINE = re.compile(r'umbra: space: pid (?P<pid>\d+) cr3 (?P<cr3>0x[0-9a-f]+)')


class DebuggerError(Exception):
    """The debugger did not answer as expected, or the machine is gone."""


class HangError(DebuggerError):
    """The machine did not come to a stop in time, and still runs."""


@dataclasses.dataclass(frozen=True)
class Stop:
    """A point at which the kernel stopped the machine, from the kernel's line."""
    name: str
    pid: int
    cr3: int
    path: str
    address: int | None = None                       # of the fault that was served
    spaces: dict = dataclasses.field(default_factory=dict)  # CR3 of each process, by pid


@dataclasses.dataclass(frozen=True)
class Control:
    """The control registers, and the names of the bits that are set in them."""
    cr3: int
    bits: frozenset


class Debugger:
    """Bochs stopped in its debugger.  Use it as a context manager: it ends the machine."""

    def __init__(self, image, cpu=machine.DEFAULT_CPU, megabytes=machine.DEFAULT_MEGABYTES,
                 ips=machine.FAST_IPS, serial=True, limit=600, variables=None):
        """Starts at the first instruction of the firmware; `limit` is for one command. Without
        the serial port the kernel never waits for it; `serial` may also be Bochs' own words about
        the port. `variables` are added to the environment of Bochs."""
        if pexpect is None:
            raise tools.ToolError(tools.missing('python3-pexpect'))
        self.console = ''
        self._limit = limit
        port = serial if isinstance(serial, str) else (
            'enabled=1, mode=file, dev=com1.out' if serial else 'enabled=0')
        self.folder = machine.bochs_folder(image, megabytes, cpu, ips, port, magic_break=True)
        # Line editing as the user's terminal can, but without the codes of bracketed paste.
        self.folder.joinpath('inputrc').write_text('set enable-bracketed-paste off\n')
        environment = dict(machine.environment(), INPUTRC='inputrc', **(variables or {}))
        environment.setdefault('TERM', 'dumb')
        command, *arguments = machine.bochs_command()
        try:
            self._child = pexpect.spawn(command, arguments, cwd=str(self.folder), timeout=limit,
                                        env=environment, encoding='utf-8', codec_errors='replace',
                                        maxread=65536, searchwindowsize=64)
            self._child.delaybeforesend = None
            self._child.delayafterread = None
        except pexpect.ExceptionPexpect as error:
            raise machine.MachineError(str(error)) from error
        except OSError as error:
            raise tools.ToolError(tools.no_terminal(error)) from error
        self._prompt()

    def child(self):
        """The process of Bochs, at its prompt: for a driver that runs it in its own way and
        leaves it at the next prompt."""
        return self._child

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.close(force=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prompt(self):
        try:
            self._child.expect(PROMPT)
        except pexpect.EOF as error:
            raise DebuggerError('Bochs ended:\n' + self._guest_text(self._child.before)
                                + self._why_it_ended()) from error
        except pexpect.TIMEOUT as error:
            raise HangError(f'no stop within {self._limit} s of wall time:\n'
                            + self._guest_text(self._child.before)) from error
        return self._child.before.replace('\r', '')

    def _why_it_ended(self):
        log = pathlib.Path(self.folder, 'bochs.log').read_text(errors='replace')
        return '\n'.join(line for line in log.splitlines() if re.match(r'\d+p\[', line))

    @staticmethod
    def _guest_text(answer):
        lines = answer.replace('\r', '').split('\n')
        return '\n'.join(line for line in lines if not NOISE.match(line))

    def allow(self, seconds):
        """Sets the limit for one command from now on."""
        self._limit = self._child.timeout = seconds

    def interrupt(self):
        """Stops a machine that hangs, at its prompt."""
        self._child.sendintr()
        self._prompt()

    def command(self, text):
        """Gives one command and returns the lines of its answer."""
        self._child.sendline(text)
        echo, _, answer = self._prompt().partition('\n')
        if not echo.endswith(text):
            raise DebuggerError(f'{text!r} was echoed as {echo!r}')
        if re.match(r':\d+: syntax error', answer):
            raise DebuggerError(answer.strip())
        return answer.rstrip('\n').split('\n')

    def run(self):
        """Continues to the next stop of any kind; returns what the guest printed meanwhile."""
        text = self._guest_text('\n'.join(self.command('c')))
        self.console += text
        return text

    def next_stop(self):
        """Continues to the kernel's next stop and returns the kernel's description of it."""
        lines = self.run().split('\n')
        stops = [match for line in lines if (match := STOP_LINE.search(line))]
        spaces = {int(match['pid']): int(match['cr3'], 16)
                  for line in lines if (match := SPACE_LINE.search(line))}
        if not stops:
            raise DebuggerError('stopped without a line that gives the reason:\n' + self.console)
        said = stops[-1]
        return Stop(said['name'], int(said['pid']), int(said['cr3'], 16), said['path'] or '',
                    int(said['at'], 16) if said['at'] else None, spaces)

    def run_to(self, name, path=None):
        """Continues to the kernel's stop of this name (and of the program with this path)."""
        while True:
            stop = self.next_stop()
            if stop.name == name and path in (None, stop.path):
                return stop

    def table(self, physical):
        """The 512 entries of the page table at a physical address."""
        lines = self.command(f'xp /{ENTRIES_PER_TABLE}gx {physical:#x}')
        entries = [int(word, 16) for line in lines if '>:' in line
                   for word in line.split('>:')[1].split()]
        if len(entries) != ENTRIES_PER_TABLE:
            raise DebuggerError(f'xp gave {len(entries)} entries at {physical:#x}')
        return entries

    def memory(self, linear, size):
        """The bytes at a linear address of the address space that the machine is in; None if not
        all of them are mapped."""
        target = self.folder / 'memory'
        target.unlink(missing_ok=True)
        self.command(f'writemem "memory" {linear:#x} {size}')
        content = target.read_bytes() if target.exists() else b''
        return content if len(content) == size else None

    def page(self, linear):
        """The output of `page` for an address: one line for each level of the walk."""
        return self.command(f'page {linear:#x}')

    def linear_ranges(self):
        """The ranges of `info tab`: (first, last, physical first) of each."""
        pattern = re.compile(r'0x([0-9a-f]{16})-0x([0-9a-f]{16}) -> 0x([0-9a-f]+)-')
        return [tuple(int(part, 16) for part in match.groups())
                for line in self.command('info tab') if (match := pattern.match(line))]

    def control(self):
        """The control registers, from `creg`."""
        lines = self.command('creg')
        cr3 = next(int(line[4:], 16) for line in lines if line.startswith('CR3='))
        words = {word for line in lines if re.match(r'CR0=|CR4=|EFER=', line)
                 for word in line.split(':')[1].split()}
        return Control(cr3, frozenset(word for word in words if word[0].isupper()))

    def privilege(self):
        """The current ring, from the selector in CS."""
        line = next(line for line in self.command('sreg') if line.startswith('cs:'))
        return int(line[5:9], 16) & 3

    def ticks(self):
        """The number of instructions since power-on."""
        return int(self.command('ptime')[0].split(':')[1])


class Interrupted(Debugger):
    """A machine.Bochs, which has run without a prompt, stopped in the debugger. It does not end the machine."""

    def __init__(self, guest, limit=30):  # pylint: disable=super-init-not-called
        self.folder = guest.folder
        self._guest, self._limit = guest, limit
        self._read = len(guest.messages())
        guest.process.send_signal(signal.SIGINT)
        self._prompt()

    def _prompt(self):
        deadline = time.monotonic() + self._limit
        while time.monotonic() < deadline and self._guest.running():
            text = self._guest.messages()[self._read:]
            if match := re.search(PROMPT.pattern + r'\Z', text):
                self._read += len(text)
                return text[:match.start()]
            time.sleep(0.01)
        raise DebuggerError('Bochs gave no prompt')

    def command(self, text):
        self._guest.process.stdin.write(text.encode() + b'\n')
        self._guest.process.stdin.flush()
        _, _, answer = self._prompt().partition('\n')
        return answer.rstrip('\n').split('\n')
