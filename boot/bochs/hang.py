"""What a machine does that does not come to its next stop: the backtraces of all tasks."""
import pathlib

import aftermath
import cpio
from bochs.paging import KERNEL_HALF
from debugger import tables, unwind
from debugger.bochs import BochsTarget
from debugger.elf import Elf
from debugger.memory import Memory, Unreadable
from debugger.session import Module, Session

SAVED = ('r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'rip')  # by context_switch(), from RSP upwards
SCRATCH = ('rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11')


class Stopped(BochsTarget):
    """A machine that a bochs.debugger.Debugger has started and stopped: memory and registers only."""

    def __init__(self, debugger):  # pylint: disable=super-init-not-called
        self.debugger = debugger
        self.memory = Memory(self._fetch)


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
        return module and aftermath.frame_table(module)


def report(debugger, kernel, archive):
    """Lines about every task of a machine that has been interrupted."""
    session = Session(Stopped(debugger), Elf('the kernel', pathlib.Path(kernel).read_bytes()),
                      cpio.files(archive))
    running = session.kernel.word('current_thread')
    for process in session.kernel.processes():
        for thread in session.kernel.threads(process):
            is_current = thread.address == running
            yield (f'pid {process.pid} ({thread.comm}), thread {thread.tid}'
                   + (', the current one:' if is_current else ':'))
            space = Space(session, process)
            registers = session.registers() if is_current else saved_registers(session, thread)
            trace = unwind.backtrace(registers, space.read, space.table_for)
            yield from aftermath.frame_lines([(frame.pc, not frame.exact) for frame in trace],
                                             space.module_at)
