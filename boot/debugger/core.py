"""The stopped machine as an ELF core file: gdb opens it with the symbols of kernel and programs, and
`umbra debug --core FILE` answers the commands from it.

All of memory is in the file once; the program headers place it where the page tables map it: the
direct map, the kernel image and stacks, and the pages of the current process.
"""
import pathlib
import shlex
import struct

from bochs import paging
from bochs.paging import KERNEL_HALF, PAGE_SIZE
from debugger.unwind import REGISTERS
from debugger.tables import Memory

CHUNK = 1 << 20
HEADER = struct.Struct('<16sHHIQQQIHHHHHH')
SEGMENT = struct.Struct('<IIQQQQQQ')
ET_CORE, EM_X86_64, PT_LOAD, PT_NOTE = 4, 62, 1, 4
NT_PRSTATUS, NT_CONTROL = 1, 0x756d
# The order of Linux's user_regs_struct, which is in elf_prstatus at this offset.
PRSTATUS_SIZE, PRSTATUS_REGISTERS = 336, 112
SAVED = ('r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx',
         'rsi', 'rdi', '', 'rip', 'cs', 'rflags', 'rsp', 'ss')
CONTROL = ('cr0', 'cr2', 'cr3', 'cr4', 'cpl')


class CoreError(Exception):
    """The file is not a core of this machine."""


def _note(name, kind, content):
    name += b'\0' * (4 - len(name) % 4)
    return struct.pack('<III', len(name.rstrip(b'\0')) + 1, len(content), kind) + name + content


def _notes(registers):
    selectors = {'cs': 0x33, 'ss': 0x2b} if registers['cpl'] == 3 else {'cs': 0x10, 'ss': 0x18}
    values = {**registers, **selectors, '': (1 << 64) - 1}
    status = bytearray(PRSTATUS_SIZE)
    struct.pack_into('<I', status, 32, 1)  # the process id of this thread
    for index, name in enumerate(SAVED):
        struct.pack_into('<Q', status, PRSTATUS_REGISTERS + 8 * index, values.get(name, 0))
    control = struct.pack(f'<{len(CONTROL)}Q', *(registers.get(name, 0) for name in CONTROL))
    return _note(b'CORE', NT_PRSTATUS, bytes(status)) + _note(b'UMBRA', NT_CONTROL, control)


def _ranges(memory, cr3, ram):
    """(linear, physical, size) of what is mapped, merged; the direct map last, for memory itself."""
    space = paging.walk(memory, cr3)
    mapped = [part for part in paging.ranges(space.mappings)
              if not KERNEL_HALF <= part[0] < KERNEL_HALF + paging.PML4_ENTRY_SIZE]
    found = [(first, physical, last + 1 - first) for first, last, physical in mapped
             if physical + (last + 1 - first) <= ram]
    return [*found, (KERNEL_HALF, 0, ram)]


def write(path, session, ram):
    """Writes the core; `ram` is the size of memory in bytes. Returns the number of segments."""
    notes = _notes(session.registers())
    parts = _ranges(session.memory, session.cr3(), ram)
    notes_at = HEADER.size + SEGMENT.size * (len(parts) + 1)
    data_at = -(-(notes_at + len(notes)) // PAGE_SIZE) * PAGE_SIZE
    with open(path, 'wb') as file:
        file.write(HEADER.pack(b'\x7fELF\x02\x01\x01' + bytes(9), ET_CORE, EM_X86_64, 1, 0,
                               HEADER.size, 0, 0, HEADER.size, SEGMENT.size, len(parts) + 1,
                               0, 0, 0))
        file.write(SEGMENT.pack(PT_NOTE, 4, notes_at, 0, 0, len(notes), 0, 4))
        for linear, physical, size in parts:
            file.write(SEGMENT.pack(PT_LOAD, 7, data_at + physical, linear, physical, size, size,
                                    PAGE_SIZE))
        file.write(notes)
        file.seek(data_at)
        by_chunks = (chunk(session.memory, address) for address in range(0, ram, CHUNK))
        file.writelines(session.memory.save(ram) if session.memory.save else by_chunks)
    return len(parts)


def for_gdb(path, session):
    """The lines of the command that opens a core in gdb, with the symbols of the files in memory that are files of this
    machine too."""
    lines = [f'gdb build/kernel/umbra.debug.elf {shlex.quote(str(path))}']
    for module in session.modules():
        file = pathlib.Path(module.elf.name)
        if file.is_absolute() and file.is_file() and file.read_bytes() == module.elf.content:
            lines[-1] += ' \\'
            lines.append('  -ex ' + shlex.quote(f'add-symbol-file "{file}" -o {module.bias:#x}'))
    return lines


def chunk(memory, address):
    """CHUNK bytes of physical memory; zeros where there is none."""
    return memory.uncached(address, CHUNK) or b''.join(
        memory.uncached(page, PAGE_SIZE) or bytes(PAGE_SIZE)
        for page in range(address, address + CHUNK, PAGE_SIZE))


class CoreTarget:
    """A core file in place of a machine: it can be looked at, and does not run."""

    def __init__(self, path):
        self._file = open(path, 'rb')  # closed by __exit__
        header = self._file.read(HEADER.size)
        if header[:4] != b'\x7fELF' or len(header) < HEADER.size:
            raise CoreError(f'{path} is not a core file of umbra debug')
        fields = HEADER.unpack(header)
        self._file.seek(fields[5])
        table = self._file.read(SEGMENT.size * fields[10])
        segments = list(SEGMENT.iter_unpack(table))
        if fields[1] != ET_CORE or len(segments) < 2 or segments[0][0] != PT_NOTE:
            raise CoreError(f'{path} is not a core file of umbra debug')
        self._file.seek(segments[0][2])
        self._values = self._read_notes(self._file.read(segments[0][5]))
        _, _, self._at, _, _, self._size, _, _ = segments[-1]
        self.memory = Memory(self._fetch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    @staticmethod
    def _read_notes(notes):
        registers = struct.unpack_from(f'<{len(SAVED)}Q', notes, 20 + PRSTATUS_REGISTERS)
        control = struct.unpack_from(f'<{len(CONTROL)}Q', notes, len(notes) - 8 * len(CONTROL))
        wanted = (*REGISTERS, 'rflags')
        return {**{name: value for name, value in zip(SAVED, registers) if name in wanted},
                **dict(zip(CONTROL, control))}

    def _fetch(self, address, size):
        if address + size > self._size:
            return None
        self._file.seek(self._at + address)
        return self._file.read(size)

    def registers(self):
        """The registers at the time of the dump."""
        return dict(self._values)
