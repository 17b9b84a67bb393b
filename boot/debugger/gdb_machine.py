"""The machine under QEMU, seen from inside gdb: `./umbra debug --gdb` starts gdb with this file. The
commands are those of the other back end (bochs.py); the memory and the registers come from QEMU.

Physical memory is read by the packets of QEMU's stub (Qqemu.PhyMemMode), so that it depends neither
on the page tables nor on gdb's caches.
"""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import sys
import termios
import threading

import gdb  # of gdb itself

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import console  # noqa: E402
import cpio  # noqa: E402
from bochs.debugger import DebuggerError, Stop  # noqa: E402
from debugger import commands, stops  # noqa: E402
from debugger.bochs import Halt  # noqa: E402
from debugger.unwind import REGISTERS  # noqa: E402
from debugger.driver import BATCH_LIMIT, Driver  # noqa: E402
from debugger.elf import Elf  # noqa: E402
from debugger.tables import Memory, Unreadable  # noqa: E402
from debugger.session import Session, SessionError  # noqa: E402

SETTINGS = 'UMBRA_GDB'  # the variable with the path of a JSON file: see debug.gdb_settings()
BREAKPOINTS_MAX = 1000  # for one point
PIECE = 1024            # bytes of memory in a packet
REGISTER = re.compile(r'^(\w+) +(0x[0-9a-f]+)', re.M)
CONTROL = ('cr0', 'cr2', 'cr3', 'cr4', 'cs', 'eflags')
OWN_WORDS = ('bt', 'where', 'symbol')  # gdb has commands of these names, or that begin so


@contextlib.contextmanager
def quiet():
    """Without what gdb prints about each stop; execute(..., to_string=True) does not catch that."""
    gdb.flush()
    saved = os.dup(1)
    with open(os.devnull, 'wb') as nothing:
        os.dup2(nothing.fileno(), 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(saved, 1)
        os.close(saved)


class GdbTarget:
    """QEMU behind gdb's remote connection, stopped. As bochs.BochsTarget, but it cannot be repeated."""

    name = 'gdb'
    repeats = False

    def __init__(self, settings):
        self.ram = settings['megabytes'] << 20
        self.memory = Memory(self._fetch, self._save)
        self._folder = settings['folder']
        self.describe_stop = lambda: None  # the Stop at debug_stop_now()
        self.show = lambda data: None
        self.started = lambda: None
        self._quiet = contextlib.nullcontext if settings['mi'] else quiet  # an editor must know
        self._console = pathlib.Path(settings['console'])
        self._keys = settings['keys']
        self._breakpoints = {}
        self._kernel_stop = None
        self._event = None
        gdb.events.stop.connect(self._stopped)

    @property
    def console(self):
        """What the guest has printed."""
        return self._console.read_text(errors='replace')

    def _stopped(self, event):
        self._event = event

    def command(self, text):
        """The answer of gdb to one of its own commands, in lines."""
        try:
            return gdb.execute(text, to_string=True).rstrip('\n').split('\n')
        except gdb.error as error:
            raise DebuggerError(str(error)) from error

    # Memory and registers

    def _packet(self, text):
        return gdb.selected_inferior().connection.send_packet(text)

    def _physical(self, texts):
        """The answers to packets about physical memory."""
        self._packet('Qqemu.PhyMemMode:1')
        try:
            return [self._packet(text) for text in texts]
        finally:
            self._packet('Qqemu.PhyMemMode:0')

    def _fetch(self, address, size):
        if address + size > self.ram:
            return None
        answers = self._physical(f'm{at:x},{min(PIECE, address + size - at):x}'
                                 for at in range(address, address + size, PIECE))
        if any(len(answer) % 2 for answer in answers):  # an error is E and two digits
            return None
        return bytes.fromhex(b''.join(answers).decode())

    def _save(self, size):
        """Yields memory from 0 on, which QEMU writes to a file: a hundred times faster than by packets."""
        pathlib.Path(self._folder).mkdir(exist_ok=True)
        path = pathlib.Path(self._folder, 'memory')
        self.command(f'monitor pmemsave 0 {size} "{path}"')
        with path.open('rb') as file:
            path.unlink()
            while piece := file.read(1 << 20):
                yield piece

    def write_word(self, address, value):
        """Sets four bytes of physical memory."""
        self._physical([f'M{address:x},4:{value.to_bytes(4, "little").hex()}'])
        self.memory.forget()

    def registers(self):
        """All registers of the processor, whatever frame gdb shows."""
        try:
            shown = gdb.selected_frame()
            gdb.newest_frame().select()
            text = gdb.execute('info registers ' + ' '.join((*REGISTERS, *CONTROL)), to_string=True)
            shown.select()
        except gdb.error as error:
            raise DebuggerError(f'the machine has ended ({error}).') from error
        found = {name: int(value, 16) for name, value in REGISTER.findall(text)}
        found['rflags'] = found.pop('eflags')
        found['cpl'] = found.pop('cs') & 3
        return found

    def privilege(self):
        """The current ring."""
        return self.registers()['cpl']

    def instruction(self):
        """The next instruction, disassembled."""
        return self.command('x/i $pc')[-1].split(':', 1)[-1].strip()

    # Breakpoints

    def free_breakpoints(self, none_set=False):
        """How many more can be set: there is no limit."""
        return BREAKPOINTS_MAX

    def set_breakpoint(self, address):
        """Sets a breakpoint, which counts while resume() runs only; returns its number."""
        point = gdb.Breakpoint(f'*{address:#x}', internal=True)
        point.enabled = False
        self._breakpoints[point.number] = point
        return point.number

    def delete_breakpoint(self, number):
        """Frees the breakpoint."""
        self._breakpoints.pop(number).delete()

    def watch_kernel_stops(self, address):
        """Stops at debug_stop_now(), where the other back end has a magic instruction."""
        self._kernel_stop = self.set_breakpoint(address)

    # Running

    def type(self, data):
        """Sends bytes to the guest's serial line; it reads them when it runs again."""
        os.write(self._keys, data)

    def changed(self):
        """As of the other back end, which could repeat the machine."""

    def step(self, count=1):
        """Executes instructions."""
        self.memory.forget()
        with self._quiet():
            return self.command(f'stepi {count}')

    def resume(self, source=None, quit_key=None, limit=None):
        """Runs to the next stop and returns a Halt; the guest's output is shown by QEMU itself."""
        self.memory.forget()
        self._event = None
        self._enable(True)
        timer = threading.Timer(limit or 0, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
        if limit is not None:
            timer.start()
        try:
            with self._quiet():
                gdb.execute('continue', to_string=True)
        except gdb.error:
            pass  # the connection has ended
        finally:
            timer.cancel()
            self._enable(False)
        if not gdb.selected_inferior().pid:
            return Halt('ended')
        return self._halt()

    def _enable(self, enabled):
        for point in self._breakpoints.values():
            point.enabled = enabled

    def _halt(self):
        if isinstance(self._event, gdb.BreakpointEvent):
            hit = {point.number for point in self._event.breakpoints}
            if self._kernel_stop in hit:
                return Halt('stop', self.describe_stop())
            for number in hit & set(self._breakpoints):
                return Halt('breakpoint', number=number)
        if isinstance(self._event, gdb.SignalEvent) and self._event.stop_signal == 'SIGINT':
            return Halt('interrupt')
        return Halt('other')


class Keys:
    """Gives the keys of the terminal to the guest while the machine runs, ^C too; ^] stops it, as ^C does
    in gdb otherwise. A thread carries them: gdb itself waits for the machine."""

    def __init__(self, guest):
        self._guest = guest          # a descriptor
        self._gdb = threading.get_ident()
        self._saved = None           # gdb's settings of the terminal, while the guest has it
        self._lock = threading.Lock()
        self._runs = threading.Event()
        gdb.events.cont.connect(self.begin)
        for event in (gdb.events.stop, gdb.events.exited, gdb.events.before_prompt):
            event.connect(self.end)
        threading.Thread(target=self._carry, daemon=True).start()

    def begin(self, *_):
        """The machine runs."""
        with self._lock:
            if self._saved is None:
                self._saved = termios.tcgetattr(0)
                mode = termios.tcgetattr(0)
                mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON)
                mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
                termios.tcsetattr(0, termios.TCSADRAIN, mode)
                self._runs.set()

    def end(self, *_):
        """The machine has stopped, or there is none any more."""
        with self._lock:
            self._runs.clear()
            if self._saved is not None:
                termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
                self._saved = None

    def _carry(self):
        while True:
            self._runs.wait()
            select.select([0], [], [], 0.1)
            with self._lock:
                if self._saved is not None and select.select([0], [], [], 0)[0]:
                    self._take(os.read(0, 1024))

    def _take(self, data):
        data, quit_key, _ = data.partition(console.QUIT_KEY)
        with contextlib.suppress(OSError):  # the machine is gone
            os.write(self._guest, data)
        if quit_key:
            signal.pthread_kill(self._gdb, signal.SIGINT)


def describe_stop(session):
    """The Stop that the arguments of debug_stop_now(stop, process, address) say."""
    session.forget()
    registers = session.registers()
    process = session.kernel.view('process', registers['rsi'])
    return Stop(stops.KERNEL_STOPS[registers['rdi']], process.pid, session.cr3(),
                process.image.path if process.image else '', registers['rdx'] or None)


class Symbols:
    """Gives gdb the files that are mapped into the current process, where they are loaded."""

    def __init__(self, session, folder):
        self._session, self._folder, self._known = session, pathlib.Path(folder), set()

    def add(self):
        """Adds those that are new; before each prompt."""
        try:
            for module in self._session.modules():
                if (module.elf.name, module.bias) not in self._known:
                    self._known.add((module.elf.name, module.bias))
                    self._add(module)
        except (gdb.error, DebuggerError, SessionError, Unreadable):
            return  # the machine is gone, or in the middle of a change

    def _add(self, module):
        path = self._folder / module.elf.name.lstrip('/')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(module.elf.content)
        gdb.execute(f'add-symbol-file {path} -o {module.bias:#x}', to_string=True)


class Command(gdb.Command):
    """A command of gdb that the driver carries out; `prefix` is '' or the command's name."""

    def __init__(self, driver, name, prefix):
        super().__init__(name, gdb.COMMAND_USER)
        self._driver, self._prefix = driver, prefix

    def invoke(self, argument, from_tty):
        """Prints the lines of the answer."""
        self.dont_repeat()
        try:
            for line in self._driver.execute(f'{self._prefix} {argument}'):
                print(line)
        except EOFError:  # the command q
            gdb.execute('quit')

    def complete(self, text, word):
        """Commands, and symbols of all files."""
        known = self._driver.session.names() if self._prefix else self._driver.words()
        return sorted(name for name in known if name.startswith(word))


def connect(settings):
    """The driver of the machine that waits at the socket."""
    with quiet():
        for line in ('set pagination off', 'set confirm off', 'set architecture i386:x86-64',
                     f'target remote {settings["socket"]}'):
            gdb.execute(line)
    target = GdbTarget(settings)
    files = {}
    for archive in settings['archives']:
        files.update(cpio.files(pathlib.Path(archive).read_bytes()))
    session = Session(target, Elf('the kernel', pathlib.Path(settings['kernel']).read_bytes()), files)
    target.describe_stop = lambda: describe_stop(session)
    target.watch_kernel_stops(session.kernel_module.elf.symbol('debug_stop_now'))
    points = [stops.parse(text) for text in settings['points']]
    for point in points:
        point.once = point.text == settings['once']
    gdb.events.cont.connect(lambda event: session.forget())
    return Driver(session, points)


def offer(driver, settings):
    """Adds the commands: `umbra WORDS` all, and those whose names gdb does not have by themselves. Returns
    the Symbols."""
    Command(driver, 'umbra', '')
    for name in commands.COMMANDS:
        if name not in OWN_WORDS:
            Command(driver, name, name)
    if not settings['mi'] and os.isatty(0):
        Keys(settings['keys'])
    symbols = Symbols(driver.session, settings['folder'])
    gdb.events.before_prompt.connect(symbols.add)
    if settings['mi']:  # editors have no prompt; gdb crashes at its end if an event is left then
        gdb.events.stop.connect(lambda event: gdb.post_event(symbols.add))
    return symbols


def main():
    """What gdb does with this file."""
    settings = json.loads(pathlib.Path(os.environ[SETTINGS]).read_text())
    driver = connect(settings)
    missed = False
    if settings['questions']:
        import questions
        questions.ask_here(driver, settings['questions'])
    else:
        symbols = offer(driver, settings)
        limit = BATCH_LIMIT if settings['do'] else None
        carry_out(driver, 'c', limit)
        missed = driver.ended
        for line in settings['do']:
            symbols.add()  # there is no prompt before it
            print('umbra> ' + line)
            carry_out(driver, line, limit)
    if settings['do'] or settings['questions']:
        with quiet(), contextlib.suppress(gdb.error):  # the machine may have ended
            gdb.execute('kill')
        if missed:
            gdb.execute(f'quit {settings["no_stop"]}')


def carry_out(driver, line, limit):
    """Prints the answer to a line; what is not a command of ours is one of gdb."""
    for answer in driver.execute(line, limit=limit):
        print(answer, flush=True)


if __name__ == '__main__':
    main()
