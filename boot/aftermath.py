"""What is said on the host after a panic, or after a program's fault with show=faults: both stacks with
source lines, and the command that stops just before. The kernel prints addresses, the code of files, and
the words of the program's stack (kernel/trap/explain.c); symbols and lines are known here only.

Of a machine that hangs: the backtraces of all tasks, read from its memory."""
import dataclasses
import functools
import pathlib
import re
import socket

import cpio
import machine
import tools
from bochs.debugger import DebuggerError, Interrupted
from bochs.paging import KERNEL_HALF
from debugger import tables, unwind
from debugger.bochs import Stopped
from debugger.kernel import TypeMissing
from debugger.unwind import CfiError, Tables
from debugger.elf import Elf, SymbolError, short_source
from debugger.tables import Memory, Unreadable
from debugger.session import Module, Session
from tutorial.chapter import debug_line

BACKTRACE = re.compile(r'^umbra: backtrace: #\d+ ([0-9a-f]{16})', re.M)
REGISTER = re.compile(r'\b(r[a-z0-9]{1,2}) 0x([0-9a-f]+)')
CODE = re.compile(r'^umbra: code: 0x([0-9a-f]+)-0x[0-9a-f]+ (\S+) from 0x([0-9a-f]+)$', re.M)
STACK = re.compile(r'^umbra: stack: 0x([0-9a-f]+):((?: [0-9a-f]+)+)$', re.M)
FUNCTIONS = (  # what the console shows, and the kernel's function that is about to say it
    (re.compile(r'^umbra: panic: .*does not hold:', re.M), 'check_failed'),
    (re.compile(r'^umbra: panic: rip ', re.M), 'panic_frame'),
    (re.compile(r'^umbra: panic: ', re.M), 'panic'),
    (re.compile(r'^umbra: fault: page fault: ', re.M), 'user_page_fault'),
    (re.compile(r'^umbra: fault: ', re.M), 'user_exception'),
)


SAVED = ('r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'rip')  # by context_switch(), from RSP upwards
SCRATCH = ('rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11')


def debug_file(kernel):
    """The kernel with its debugging information, beside the one that is booted."""
    path = pathlib.Path(kernel)
    debug = path.with_name(path.name.replace('.elf', '.debug.elf'))
    return debug if debug.is_file() else path


@functools.lru_cache(maxsize=16)
def frame_table(module):
    """The call frame information of a session.Module, and where it is loaded; None without any."""
    table = Tables.of(module.elf)
    return (table, module.bias) if table else None


@dataclasses.dataclass
class User:
    """The program as the last report has it: registers, loaded files, the words of its stack."""
    registers: dict
    modules: list
    words: dict

    def read(self, address, size):
        """Bytes of the stack; raises Unreadable for what was not printed."""
        if size != 8 or address not in self.words:
            raise Unreadable(f'{address:#x} was not printed')
        return self.words[address].to_bytes(8, 'little')

    def module_at(self, address):
        """The file that is mapped at an address, or None."""
        return next((module for module in self.modules if module.holds(address)), None)

    def table_for(self, address):
        """The call frame information for an address, and where its file is loaded, or None."""
        module = self.module_at(address)
        return module and frame_table(module)


def user_of(text, elf_of):
    """The User in the last report of a console, or None. elf_of(path) is an Elf or None."""
    at = text.rfind('\numbra: user: rip ')
    if at < 0:
        return None
    part = text[at:]
    lines = [line for line in part.split('\n') if line.startswith('umbra: user: ')]
    registers = {name: int(value, 16) for line in lines for name, value in REGISTER.findall(line)}
    modules = []
    for start, path, offset in CODE.findall(part):
        elf = elf_of(path)
        address = elf.address_at(int(offset, 16)) if elf else None
        if address is not None:
            modules.append(Module(elf, int(start, 16) - address))
    words = {}
    for start, line in STACK.findall(part):
        for index, word in enumerate(line.split()):
            words[int(start, 16) + 8 * index] = int(word, 16)
    return User(registers, modules, words)


def kernel_frames(text):
    """(address, whether it is a return address) of the panic's backtrace."""
    return [(int(address, 16), number > 0)
            for number, address in enumerate(BACKTRACE.findall(text))]


def user_frames(user):
    """The same of the program's stack, as far as it was printed."""
    known = dict.fromkeys(('rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11'))
    try:
        trace = unwind.backtrace({**known, **user.registers}, user.read, user.table_for,
                                 lambda pc: user.module_at(pc) is not None)
    except (CfiError, KeyError, TypeError):  # a register that was not printed is needed
        return [(user.registers['rip'], False)]
    return [(frame.pc, not frame.exact) for frame in trace]


def frame_lines(frames, module_at):
    """A line for each frame, with symbol and source line, after those of functions that are inlined there."""
    lines = (line for address, is_return in frames for line in lines_of(address, is_return, module_at(address)))
    for number, line in enumerate(lines):
        yield f'  #{number:<2} {line}'


def lines_of(address, is_return, module):
    """The lines of one frame."""
    if module is None:
        yield f'{address:#x}'
    else:
        name = module.elf.name_at(address - module.bias - is_return) or '(no symbol)'
        base, plus, offset = name.partition('+')
        if is_return and plus:
            name = f'{base}+{int(offset, 16) + 1:#x}'
        calls = module.elf.places_in_source(address - module.bias - is_return)
        places = [f' at {short_source(file)}:{line}' for _, file, line in calls] or ['']
        of = '' if module.bias == 0 and address >= KERNEL_HALF else f' of {module.elf.name}'
        for (function, _, _), place in zip(calls[:-1], places):
            yield f'{address:#x} {function}{of}, inlined,{place}'
        yield f'{address:#x} {name}{of}{places[-1]}'


def saved_registers(session, thread):
    """The registers of a thread that does not run, as context_switch() has saved them."""
    rsp = thread.kernel_rsp
    values = [int.from_bytes(session.kernel.read(rsp + 8 * index, 8), 'little')
              for index in range(len(SAVED))]
    return {**dict.fromkeys(SCRATCH), **dict(zip(SAVED, values)), 'rsp': rsp + 8 * len(SAVED)}


class Space:
    """The address space of a process, current or not, for a backtrace."""

    def __init__(self, session, process):
        self._session = session
        self._root = session.kernel.root_of(process)
        self._modules = session.modules(process)

    def read(self, address, size):
        """Memory of the process or the kernel; raises Unreadable."""
        if address >= KERNEL_HALF:
            return self._session.kernel.read(address, size)
        if self._root is None:
            raise Unreadable(f'{address:#x}: the process has no memory')
        return tables.read(self._session.memory, self._root, address, size)

    def module_at(self, address):
        """The file that holds an address, or None."""
        if address >= KERNEL_HALF:
            return Module(self._session.kernel_module.elf, 0)
        return next((module for module in self._modules if module.holds(address)), None)

    def table_for(self, address):
        """The call frame information for an address, and where its file is loaded, or None."""
        module = self.module_at(address)
        return module and frame_table(module)


def backtraces(session):
    """Lines about every task of a machine that is stopped in the middle of something."""
    running = session.kernel.word('current_thread')
    for process in session.kernel.processes():
        for thread in session.kernel.threads(process):
            is_current = thread.address == running
            yield (f'pid {process.pid} ({thread.comm}), thread {thread.tid}'
                   + (', the current one:' if is_current else ':'))
            space = Space(session, process)
            registers = session.registers() if is_current else saved_registers(session, thread)
            trace = unwind.backtrace(registers, space.read, space.table_for)
            yield from frame_lines([(frame.pc, not frame.exact) for frame in trace], space.module_at)


def tasks(target, kernel, files):
    """The same, or why the tasks cannot be read. `kernel` and `files` are as for report()."""
    try:
        yield from backtraces(Session(target, Elf('the kernel', debug_file(kernel).read_bytes()), files))
    except (Unreadable, SymbolError, CfiError, TypeMissing, DebuggerError, OSError, tools.ToolError) as error:
        yield f'its tasks cannot be read: {error}'


def comment(line):
    """Prints a line as a comment of TAP."""
    print(f'# {line}', flush=True)


def at_limit(kernel, *archives, say=comment):
    """For console.Session: says all tasks of a machine that has reached its time limit, and the interrupt
    controllers; the archives are paths, or None."""
    def look(guest):
        files = {}
        try:
            for archive in filter(None, archives):
                files.update(cpio.files(pathlib.Path(archive).read_bytes()))
            target = QemuTarget(guest) if isinstance(guest, machine.Qemu) else Stopped(Interrupted(guest))
        except (DebuggerError, OSError, ValueError) as error:
            say(f'the machine cannot be stopped: {error}')
            return
        for line in [*tasks(target, kernel, files), *target.interrupts()]:
            say(line)
    return look


class QemuTarget:
    """A machine.Qemu, stopped by its monitor: memory and registers only."""

    LIMIT = 30  # seconds for an answer
    PROMPT = b'(qemu) '
    VALUE = re.compile(r'\b(R[A-Z0-9]{1,2}|RFL|CR[0234]|CPL) ?=([0-9a-f]+)')

    def __init__(self, guest):
        self._folder = guest.folder
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(self.LIMIT)
        self._socket.connect(str(guest.folder / guest.MONITOR))
        self._answer()
        self.command('stop')
        self.memory = Memory(self._fetch)

    def _answer(self):
        text = b''
        while not text.endswith(self.PROMPT):
            part = self._socket.recv(65536)
            if not part:
                raise OSError('QEMU has closed its monitor')
            text += part
        return text.removesuffix(self.PROMPT).decode(errors='replace').replace('\r', '')

    def command(self, text):
        """The answer of the monitor, in lines."""
        self._socket.sendall(text.encode() + b'\n')
        _, _, answer = self._answer().partition('\n')
        return answer.rstrip('\n').split('\n')

    def _fetch(self, address, size):
        path = self._folder / 'page'
        path.unlink(missing_ok=True)
        self.command(f'pmemsave {address:#x} {size} "{path}"')
        content = path.read_bytes() if path.exists() else b''
        return content if len(content) == size else None

    def interrupts(self):
        """Lines about the interrupt controllers and the console's line: data is ready if bit 0 is set, the
        transmitter is free if bit 5 is."""
        yield from (line for line in self.command('info pic') if line.startswith('pic'))
        yield 'line status of COM1: ' + ' '.join(self.command('i /b 0x3fd'))

    def registers(self):
        """All registers by name."""
        values = self.VALUE.findall('\n'.join(self.command('info registers')))
        names = {'rfl': 'rflags'}
        return {names.get(name.lower(), name.lower()): int(value, 16) for name, value in values}


def report(text, kernel, files, options):
    """The lines to be printed after a console with this text; none if it has no report. `kernel` is its
    file with debugging information, `files` maps paths of the archive to contents."""
    function = next((name for shows, name in FUNCTIONS if shows.search(text)), None)
    if function is None:
        return
    kernel_elf = Elf('the kernel', debug_file(kernel).read_bytes())
    frames = kernel_frames(text)
    if frames:
        yield 'the stack of the kernel:'
        yield from frame_lines(frames, lambda address: Module(kernel_elf, 0))
    user = user_of(text, lambda path: _elf(path, files))
    if user is not None:
        yield 'the stack of the program:'
        yield from frame_lines(user_frames(user), user.module_at)
    yield 'to stop just before: ' + debug_line(['--at', f'kernel:{function}', *options])
    rip = user and not frames and user.registers['rip']
    module = rip and user.module_at(rip)
    name = module and module.elf.name_at(rip - module.bias)
    if name:
        yield 'or when its instruction comes for the first time: ' + debug_line(['--at', f'user:{name}', *options])


def _elf(path, files):
    try:
        return Elf(path, files[path]) if path in files else None
    except SymbolError:
        return None
