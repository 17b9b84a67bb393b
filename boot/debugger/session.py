"""A stopped machine with all that is known about it: its kernel, the files of its archive, and
the symbols of kernel, programs, interpreters and libraries where they are loaded."""
import contextlib
import dataclasses
import re

from bochs.paging import KERNEL_HALF
from debugger import tables, unwind
from debugger.unwind import CfiError, Tables
from debugger.elf import Elf, SymbolError, last_word
from debugger.kernel import PROT_EXEC, Kernel
from debugger.tables import PAGE_SIZE

KERNEL_IMAGE = 0xffff_ffff_8000_0000
NUMBER = re.compile(r'(?:0x)?[0-9a-fA-F]+$')
WITH_OFFSET = re.compile(r'(.+?) *([+-]) *(0x[0-9a-fA-F]+|[0-9]+)$')
LINE = re.compile(r'([^:]+\.[A-Za-z][\w+]*):([0-9]+)$')
TEXT_MAX = 4000  # characters of the name of a place


class SessionError(Exception):
    """A command cannot be carried out; the text says why."""


def _bare(text):
    """A name without the word that chooses between kernel and program."""
    return text.split(':', 1)[-1] if text.startswith(('kernel:', 'user:')) else text


@dataclasses.dataclass(frozen=True)
class Module:
    """A file that is loaded: address in memory = address in the file + bias."""
    elf: Elf
    bias: int

    def holds(self, address):
        """Whether the address is in one of its segments, rounded to pages."""
        return any(start & -PAGE_SIZE <= address - self.bias
                   < -(-(start + size) // PAGE_SIZE) * PAGE_SIZE
                   for _, start, _, size in self.elf.segments)


class Session:
    """`target` has memory and registers(); `kernel_elf` is the kernel with its debugging
    information; `files` maps paths of the archive to contents."""

    def __init__(self, target, kernel_elf, files):
        self.target = target
        self.files = files
        self.memory = target.memory
        self.kernel_module = Module(kernel_elf, 0)
        self.kernel = Kernel(kernel_elf, self.memory, lambda: self.registers()['cr3'])
        self.marks = {}        # of ptdiff: name -> (pid, CR3, UserHalf)
        self._registers = None
        self._owner = ()       # the process of CR3, once it has been looked for
        self._modules = {}
        self._elfs = {}
        self._tables = {}

    def forget(self, same_files=False):
        """The machine has run; `same_files`: without mapping a file or unmapping one."""
        self._registers = None
        self._owner = ()
        if not same_files:
            self._modules.clear()
        self.memory.forget()

    def registers(self):
        """The registers by name, among them cr0, cr2, cr3, cr4 and cpl, the current ring."""
        if self._registers is None:
            self._registers = self.target.registers()
        return self._registers

    def cr3(self):
        """The root of the current address space."""
        return self.registers()['cr3']

    def read(self, address, size):
        """Linear memory of the current address space; raises Unreadable."""
        if address >= KERNEL_HALF:
            return self.kernel.read(address, size)
        return tables.read(self.memory, self.cr3(), address, size)

    def process(self):
        """The process whose address space is in use, or None."""
        if not self._owner:
            self._owner = (self.kernel.owner_of(self.cr3()),)
        return self._owner[0]

    # Files in memory

    def elf(self, path):
        """The file of the archive with this path, or None if it has none or it is not ELF."""
        if path not in self._elfs:
            content = self.files.get(path)
            try:
                self._elfs[path] = None if content is None else Elf(path, content)
            except SymbolError:
                self._elfs[path] = None
        return self._elfs[path]

    def modules(self, process=None):
        """The files that are mapped into a process (the current one), with their bases."""
        process = process or self.process()
        if process is None:
            return []
        if process.address not in self._modules:
            found = {}
            for area in self.kernel.areas(process):
                elf = self.elf(area.path) if area.path and area.path not in found else None
                at = elf.address_at(area.offset) if elf else None
                if at is not None:
                    found[area.path] = Module(elf, area.start - at)
            self._modules[process.address] = list(found.values())
        return self._modules[process.address]

    def module_at(self, address):
        """The module that holds an address, or None."""
        if address >= KERNEL_IMAGE:  # the kernel's stacks are above its image
            return self.kernel_module if self.kernel_module.holds(address) else None
        if address >= KERNEL_HALF:
            return None
        if self.process() is None:  # the kernel's first instructions run at low addresses
            early = Module(self.kernel_module.elf, -KERNEL_IMAGE)
            return early if early.holds(address) else None
        return next((module for module in self.modules() if module.holds(address)), None)

    def name(self, address):
        """An address with its symbol and file, as "0x1234 main+4 of /bin/hello"."""
        module = self.module_at(address)
        if module is None:
            return f'{address:#x}'
        name = module.elf.name_at(address - module.bias)
        of = '' if module.elf is self.kernel_module.elf else f' of {module.elf.name}'
        if name is None:
            return f'{address:#x} (no symbol{of})'
        return f'{address:#x} {name}{of}'

    def source(self, address):
        """(file, line) of an address, or None."""
        module = self.module_at(address)
        return module and module.elf.source(address - module.bias)

    def calls(self, address):
        """(function, file, line) of an address: of the function that was inlined last first, then of those that it is
        in; empty without source lines."""
        module = self.module_at(address)
        return module.elf.places_in_source(address - module.bias) if module else []

    # Names to addresses

    def resolve(self, text):
        """The address of "0x1234", a register, a symbol, "symbol+4", or "file.c:12": symbols of
        the current process come before the kernel's; "kernel:NAME" and "user:NAME" choose."""
        if (value := self._value(text)) is not None:
            return value
        if places := self.places(text):
            return places[0][0]
        if match := WITH_OFFSET.match(text):
            offset = int(match[3], 16 if match[3].startswith('0x') else 10)
            return self.resolve(match[1]) + (offset if match[2] == '+' else -offset)
        if LINE.match(text):
            raise SessionError(f'no file that is mapped now has code for {text} and source lines.')
        if NUMBER.match(text):
            return int(text, 16)
        raise SessionError(f'{text} is neither an address nor a symbol of the kernel or of a '
                           'file that is mapped now.')

    def _value(self, text):
        """The number or the register that a text is, or None."""
        if text.lower().lstrip('$%') in self.registers():
            return self.registers()[text.lower().lstrip('$%')]
        if len(text) > TEXT_MAX:
            raise SessionError(f'{text[:20]}... is too long for an address or a symbol.')
        if text.startswith('0x') and NUMBER.match(text) or text.isdecimal():
            value = int(text, 16 if text.startswith('0x') else 10)
            if value >> 64:
                raise SessionError(f'{text} has more than 64 bits.')
            return value
        return None

    def resolve_all(self, text):
        """As resolve(), but all addresses at which a function or a source line begins in the first file that has it:
        of functions of the same name, of copies that the compiler has made, of places where it is inlined."""
        if self._value(text) is None:
            line, name = LINE.match(text), _bare(text)
            for by_end in (False, True):
                for module in self._searched(text):
                    with contextlib.suppress(SymbolError):
                        found = (module.elf.line_starts(line[1], int(line[2])) if line
                                 else module.elf.starts(name, by_end))
                        if found:
                            return [address + module.bias for address in found]
        return [self.resolve(text)]

    def places(self, text):
        """[(address, name)] of all places that "file.c:12" or a symbol names in the first file that has
        some. A whole name comes before the end of one, without its namespaces."""
        if match := LINE.match(text):
            return self._line(match[1], int(match[2]))
        name = _bare(text)
        for by_end in (False, True):
            for module in self._searched(text):
                if found := module.elf.places(name, by_end):
                    return [(address + module.bias, full) for address, full in found]
        return []

    def may_come(self, text):
        """Whether a file of the archive has a symbol or source line that no file in memory has yet."""
        if text.startswith('kernel:'):
            return False
        if match := WITH_OFFSET.match(text):
            text = match[1]
        elfs = (self.elf(path) for path, content in self.files.items() if content[:4] == b'\x7fELF')
        if match := LINE.match(text):
            return any(elf.has_line(match[1], int(match[2])) for elf in elfs if elf)
        name = _bare(text)
        return any(elf.starts(name, by_end) for elf in elfs if elf and elf.has_text(last_word(name))
                   for by_end in (False, True))

    def _searched(self, text):
        user = [] if text.startswith('kernel:') else self.modules()
        return user + ([] if text.startswith('user:') else [self.kernel_module])

    def _line(self, name, line):
        for module in [*self.modules(), self.kernel_module]:
            with contextlib.suppress(SymbolError):
                return [(address + module.bias, module.elf.name_at(address) or '')
                        for address in module.elf.line_addresses(name, line)]
        return []

    def names(self):
        """All symbols, for completion."""
        return self.user_names().union(self.kernel_module.elf.names)

    def user_names(self):
        """Those of the current program."""
        return set().union(*(module.elf.names for module in self.modules()))

    # Backtraces

    def backtrace(self, most=unwind.FRAMES_MAX):
        """The frames from the current instruction outwards, through entries into the kernel."""
        return unwind.backtrace(self.registers(), self.read, self._table_for, self.is_code, most)

    def is_code(self, address):
        """Whether the current program, or the kernel, may execute at an address."""
        return address >= KERNEL_HALF or self.process() is None or any(
            area.start <= address < area.end and area.prot & PROT_EXEC for area in self.kernel.areas(self.process()))

    def has_rules(self, address):
        """Whether there is call frame information for an address."""
        try:
            found = self._table_for(address)
            return found is not None and found[0].row(address - found[1]) is not None
        except CfiError:
            return False

    def _table_for(self, address):
        module = self.module_at(address)
        if module is None:
            return None
        table = self._cfi_table(module.elf)
        return (table, module.bias) if table else None

    def _cfi_table(self, elf):
        if elf.name not in self._tables:
            self._tables[elf.name] = Tables.of(elf)
        return self._tables[elf.name]
