"""The machine under Bochs: memory, registers, breakpoints, and running it."""
import dataclasses
import math
import os
import pathlib
import re
import select
import struct
import tempfile
import time
import tty

import machine
import tools
from bochs.debugger import (PROMPT, SPACE_LINE, STOP_LINE, Debugger, DebuggerError, Stop)
from bochs.paging import KERNEL_HALF, PAGE_SIZE
from debugger.tables import Memory

SLOTS = 16  # linear breakpoints of Bochs
CHANCE = pathlib.Path(__file__).with_name('chance.c')
REPLAY_LIMIT = 600  # seconds from one stop of a repetition to the next
# Bochs' timer for `sba` is periodic until another time is set: this one never comes.
NEVER = 1 << 60
# The file of chance.c: the number of keys that the guest has got, whether it is to stop, then an entry for each key.
KEYS_HEAD, KEY_SIZE = struct.Struct('=QQ'), 16
NO_LOOK = 1  # seconds without a look for keys after which the machine is stopped wherever it is
REGISTER = re.compile(r'\b(r[a-z0-9]{1,2}|rip): ([0-9a-f]{8})_([0-9a-f]{8})')
CONTROL = re.compile(r'^(CR[0234])=(?:page fault laddr=)?(0x[0-9a-f]+)', re.M)
BREAKPOINT = re.compile(r'\(0\) Breakpoint (\d+)')
WATCHPOINT = re.compile(r'\(0\) Caught (read|write) watch point at (0x[0-9A-Fa-f]+)')
# The guest's line in the middle of which a stop came, if one did.
CUT = re.compile(r'([^\n]*?)(?:\(0\) [A-Z][^\n]*\n)?Next at t=\d+\n')
GUEST_NOISE = re.compile(rb'(?:\(0\) (?:Magic breakpoint|Breakpoint|Caught|\[0x)|Next at t='
                         rb'|\(0\)\.\[|\d{11}[ipde]\[)')


@dataclasses.dataclass(frozen=True)
class Halt:
    """Why the machine has stopped: `reason` is stop (of the kernel, in `stop`), breakpoint,
    watchpoint, time (a tick was reached), interrupt, other, ended; `number` is the breakpoint's."""
    reason: str
    stop: Stop | None = None
    number: int = 0
    address: int = 0


class BochsTarget:
    """Bochs stopped in its debugger, with the guest's serial line on a terminal of its own. Use it
    as a context manager: it ends the machine.

    The machine does the same in each run, wherever it is stopped, and gets the same keys at the same ticks
    (chance.c), so that it can be repeated up to a tick. `writes` are the writes of the debugger so far, which a
    repetition makes too. `fixed` is the tick from which it would differ, by a command of Bochs that changes the
    machine."""

    name = 'Bochs'
    repeats = True  # replay() is possible

    def __init__(self, image, cpu=machine.DEFAULT_CPU, megabytes=machine.DEFAULT_MEGABYTES):
        self._scratch = tempfile.TemporaryDirectory(prefix='umbra-chance.')
        chance = pathlib.Path(self._scratch.name, 'chance.so')
        tools.run(['gcc', '-O1', '-shared', '-fPIC', '-o', chance, CHANCE])
        self._keys = pathlib.Path(self._scratch.name, 'keys')
        self._keys.write_bytes(KEYS_HEAD.pack(0, 0))
        self._settings = dict(image=image, cpu=cpu, megabytes=megabytes)
        self._variables = {'LD_PRELOAD': str(chance), 'UMBRA_KEYS': str(self._keys)}
        self.memory = Memory(self._fetch)
        self.ram = megabytes << 20  # bytes
        self.writes = []           # (tick, physical address, value)
        self.fixed = math.inf
        self.show = lambda data: None  # receives the guest's output while it runs
        self.started = lambda: None    # called when the keys go to the guest
        self._start()

    def _start(self):
        self._guest, self._guest_side = tools.open_terminal()
        tty.setraw(self._guest_side)
        line = os.ttyname(self._guest_side)
        with open(self._keys, 'r+b') as keys:
            keys.write(KEYS_HEAD.pack(0, 0))
        self.debugger = Debugger(serial=f'enabled=1, mode=term, dev={line}', **self._settings,
                                 variables={**self._variables, 'UMBRA_LINE': line})
        self._breakpoints = {}  # number in Bochs -> address
        self._cut = ''          # the begin of the guest's line, if the last stop was in the middle of one

    def _stop(self):
        self.debugger.__exit__()
        os.close(self._guest)
        os.close(self._guest_side)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop()
        self._scratch.cleanup()

    def command(self, text):
        """The answer of Bochs to one of its own commands, in lines."""
        return self.debugger.command(text)

    # Memory and registers

    def _fetch(self, address, size):
        """Physical memory, through the direct map, or as it is before paging is on."""
        for base in (KERNEL_HALF, 0):
            if (content := self.debugger.memory(base + address, size)) is not None:
                return content
            if self._paging():
                break
        return self._fetch_words(address, size)

    def _paging(self):
        return any('PG' in line.split() for line in self.command('creg') if line.startswith('CR0'))

    def _fetch_words(self, address, size):
        """By `xp`, a page a command: slower, and independent of the page tables."""
        if size != PAGE_SIZE:
            return None
        try:
            words = self.debugger.table(address)
        except (DebuggerError, ValueError):
            return None
        return b''.join(word.to_bytes(8, 'little') for word in words)

    def registers(self):
        """All registers, from `r`, `creg` and `sreg`."""
        text = '\n'.join(self.command('r'))
        found = {name: int(high + low, 16) for name, high, low in REGISTER.findall(text)}
        if match := re.search(r'eflags 0x([0-9a-f]+)', text):
            found['rflags'] = int(match[1], 16)
        for name, number in CONTROL.findall('\n'.join(self.command('creg'))):
            found[name.lower()] = int(number, 16)
        found['cpl'] = self.debugger.privilege()
        return found

    def ticks(self):
        """Instructions since power-on."""
        return self.debugger.ticks()

    @property
    def console(self):
        """What the guest has printed."""
        return self.debugger.console

    def privilege(self):
        """The current ring."""
        return self.debugger.privilege()

    def instruction(self):
        """The next instruction, disassembled: "0000000000401000: (  ): mov ... ; 48" is Bochs' line."""
        line = next((line for line in self.command('u /1') if '): ' in line), None)
        if line is None:
            return '(its page is not present: the processor enters the kernel by a fault)'
        return line.split('): ', 1)[-1].split(';')[0].strip()

    # Breakpoints

    def free_breakpoints(self, none_set=False):
        """How many more can be set, now or after a repetition begins."""
        return SLOTS - (0 if none_set else len(self._breakpoints))

    def set_breakpoint(self, address):
        """Sets one of the 16 breakpoints at a linear address; returns its number."""
        if len(self._breakpoints) >= SLOTS:
            raise DebuggerError(f'all {SLOTS} breakpoints of Bochs are in use: delete one first')
        before = self._breakpoint_numbers()
        answer = self.command(f'lb {address:#x}')
        new = self._breakpoint_numbers() - before
        if len(new) != 1:
            raise DebuggerError('Bochs refused the breakpoint: ' + ' '.join(answer))
        number = new.pop()
        self._breakpoints[number] = address
        return number

    def _breakpoint_numbers(self):
        return {int(match[1]) for line in self.command('blist')
                if (match := re.match(r' *(\d+) lbreakpoint', line))}

    def delete_breakpoint(self, number):
        """Frees the breakpoint."""
        self.command(f'd {number}')
        del self._breakpoints[number]

    def write_word(self, address, value):
        """Sets four bytes of physical memory."""
        self.writes.append((self.ticks(), address, value))
        self.command(f'setpmem {address:#x} 4 {value:#x}')
        self.memory.forget()

    # Running

    def type(self, data):
        """Sends bytes to the guest's serial line; it reads them when it runs again."""
        os.write(self._guest, data)

    def changed(self):
        """The machine is changed in a way that a repetition does not know."""
        self.fixed = min(self.fixed, self.ticks())

    def step(self, count=1):
        """Executes instructions; a magic breakpoint on the way ends it early."""
        self.memory.forget()
        return self.command(f's {count}')

    def resume(self, source=None, quit_key=None, limit=None):
        """Runs to the next stop. `source` is a descriptor whose bytes go to the guest; the key
        `quit_key` among them stops the machine, as does the limit in seconds. Returns a Halt."""
        self.memory.forget()
        self._ask_to_stop(0)
        child = self.debugger.child()
        child.sendline('c')
        self.started()
        pump = _Pump(child.child_fd, self._guest, source, quit_key, self.show, self._ask_to_stop)
        text = pump.run(limit)
        self.debugger.console += text
        if pump.ended:
            return Halt('ended')
        text = self._cut + text.removeprefix('c\n')
        self._cut = cut[1] if (cut := CUT.search(text)) else ''
        return self._halt(text, pump)

    def _ask_to_stop(self, wanted=1):
        """Lets chance.c stop the machine at its next look for keys."""
        with open(self._keys, 'r+b') as keys:
            keys.seek(KEYS_HEAD.size // 2)
            keys.write(struct.pack('=Q', wanted))

    def replay(self, tick, addresses=(), seen=lambda halt, tick: None):
        """Starts the machine again and runs it to a tick; infinity is its end. At each stop on the way,
        of the kernel or at a breakpoint at one of the addresses, `seen` is called. No breakpoint is set
        afterwards."""
        show, self.show = self.show, lambda data: None
        started, self.started = self.started, lambda: None
        self._stop()
        self._start()
        self.memory.forget()
        try:
            slots = [self.set_breakpoint(address) for address in addresses]
            for at, address, value in self.writes:
                if at <= tick:
                    self._run_to(at, seen)
                    self.command(f'setpmem {address:#x} 4 {value:#x}')
            self._run_to(tick, seen)
            for slot in slots if tick < math.inf else []:  # at infinity the machine has ended
                self.delete_breakpoint(slot)
        finally:
            self.show, self.started = show, started

    def forget_later(self):
        """All that has come after this tick will not come again: the user begins anew from here."""
        now = self.ticks()
        self.writes = [write for write in self.writes if write[0] <= now]
        if now <= self.fixed:
            self.fixed = math.inf
        with open(self._keys, 'r+b') as keys:
            given, _ = KEYS_HEAD.unpack(keys.read(KEYS_HEAD.size))
            keys.truncate(KEYS_HEAD.size + given * KEY_SIZE)

    def _run_to(self, tick, seen):
        now = self.ticks()
        if now < tick < math.inf:
            self.command(f'sba {tick}')
            self.command(f'sba {NEVER}')
        while now < tick:
            halt = self.resume(limit=REPLAY_LIMIT)
            if halt.reason == 'ended' and tick == math.inf:
                return
            if halt.reason in ('ended', 'interrupt'):
                raise DebuggerError('the repetition of the machine did not come to that tick.')
            now = self.ticks()
            if halt.reason == 'time':  # perhaps at a breakpoint too, of which Bochs says nothing then
                halt = self._breakpoint_here() or halt
            if halt.reason in ('stop', 'breakpoint'):
                seen(halt, now)

    def _breakpoint_here(self):
        rip = self.registers()['rip'] if self._breakpoints else None
        return next((Halt('breakpoint', number=number)
                     for number, address in self._breakpoints.items() if address == rip), None)

    def _halt(self, text, pump):
        if pump.interrupted:
            return Halt('interrupt')
        stops = [match for line in text.split('\n') if (match := STOP_LINE.search(line))]
        if '(0) Magic breakpoint' in text and stops:
            said = stops[-1]
            spaces = {int(match['pid']): int(match['cr3'], 16) for line in text.split('\n')
                      if (match := SPACE_LINE.search(line))}
            return Halt('stop', Stop(said['name'], int(said['pid']), int(said['cr3'], 16),
                                     said['path'] or '',
                                     int(said['at'], 16) if said['at'] else None, spaces))
        if match := BREAKPOINT.search(text):
            return Halt('breakpoint', number=int(match[1]))
        if '(0) Caught time breakpoint' in text:
            return Halt('time')
        if match := WATCHPOINT.search(text):
            return Halt('watchpoint', address=int(match[2], 16))
        return Halt('other')


class Stopped(BochsTarget):
    """A machine that a bochs.debugger.Debugger has stopped: memory and registers only."""

    def __init__(self, debugger):  # pylint: disable=super-init-not-called
        self.debugger = debugger
        self.memory = Memory(self._fetch)

    def interrupts(self):
        """Lines about the interrupt controllers and the console's serial port: what is true of its line status
        (data is ready, the transmitter is empty) and the interrupts that are on."""
        yield from (line for line in self.command('info device "pic"') if ' = ' in line)
        for what, name in (('line status of COM1', 'line_status'), ('interrupts of COM1', 'int_enable')):
            values = [line.split(' = ') for line in self.command(f'show "serial.0.{name}"') if ' = ' in line]
            yield f'{what}: ' + (', '.join(bit.strip() for bit, value in values if value == 'true') or 'none')


def _may_be_noise(line):
    """Whether an incomplete line may become one of Bochs."""
    return bool(re.fullmatch(rb'\d{1,11}[ipde]?', line)) or any(
        line.startswith(begin[:len(line)]) and line
        for begin in (b'(0) ', b'(0).[', b'Next at t=', b'<bochs:'))


class _Pump:
    """Carries bytes between terminal and guest until the debugger's prompt comes."""

    def __init__(self, prompt, guest, source, quit_key, show, ask_to_stop=lambda: None):
        self._prompt, self._guest, self._source = prompt, guest, source
        self._quit_key, self._show, self._ask_to_stop = quit_key, show, ask_to_stop
        self._stop_by = None  # when ^C is sent, if the machine has not stopped as asked
        self._text = b''
        self._shown = 0
        self._pending = b''
        self.interrupted = self.ended = False

    def run(self, limit):
        """Returns the text of the debugger's stream; it has the guest's, through port 0xE9."""
        deadline = None if limit is None else time.monotonic() + limit
        while not self.ended and not re.search(PROMPT.pattern.encode() + rb'$', self._text[-32:]):
            readers = [self._prompt, self._guest]
            if self._source is not None and not self._pending:
                readers.append(self._source)
            writers = [self._guest] if self._pending else []
            readable, writable, _ = select.select(readers, writers, [], 0.2)
            if self._prompt in readable:
                self._take_text()
            if self._guest in readable:
                os.read(self._guest, 65536)  # the same text comes through port 0xE9
            if self._source in readable:
                self._take_keys()
            if writable:
                self._pending = self._pending[os.write(self._guest, self._pending[:16]):]
            if deadline is not None and time.monotonic() > deadline and not self.interrupted:
                self._interrupt()
            if self._stop_by is not None and time.monotonic() > self._stop_by:
                os.write(self._prompt, b'\x03')
                self._stop_by = None
        self._display(final=True)
        return self._text.decode(errors='replace').replace('\r', '')

    def _take_text(self):
        try:
            data = os.read(self._prompt, 65536)
        except OSError:
            data = b''
        self.ended = not data
        self._text += data
        self._display()

    def _take_keys(self):
        data = os.read(self._source, 1024)
        if self._quit_key and self._quit_key in data:
            data, _, after = data.partition(self._quit_key)
            if after.startswith(b'\x1b'):  # a terminal's answer to a question of the guest
                data += after
            self._interrupt()
        if not data and not self.interrupted:
            self._source = None
        self._pending += data

    def _interrupt(self):
        self.interrupted = True
        self._ask_to_stop()
        self._stop_by = time.monotonic() + NO_LOOK

    def _display(self, final=False):
        """Shows the guest's part: without the echo of `c`, and without what Bochs says."""
        if not self._shown:
            echo = self._text.find(b'\n')
            if echo < 0:
                return
            self._shown = echo + 1
        noise = GUEST_NOISE.search(self._text, self._shown)
        end = noise.start() if noise else len(self._text)
        if not noise and not final:
            # What may become a line of Bochs is shown when it is complete.
            start = self._text.rfind(b'\n', self._shown) + 1 or self._shown
            if _may_be_noise(self._text[start:]):
                end = start
        if end > self._shown:
            self._show(self._text[self._shown:end])
            self._shown = end
