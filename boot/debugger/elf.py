"""Symbols and source lines of an ELF file: the kernel, a program, an interpreter or a library."""
import bisect
import functools
import io
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

import tools

try:
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import NoteSection, SymbolTableSection
except ImportError:  # reported by Elf()
    ELFFile = None

DEBUG_FOLDER = pathlib.Path('/usr/lib/debug/.build-id')
SYMBOL = struct.Struct('<IBBHQQ')  # name, type in the low half, other, section, value, size
KINDS = (0, 1, 2, 10)  # STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC
SHN_UNDEF, SHN_ABS = 0, 0xfff1
FILE_NAME_SECTIONS = ('.debug_line', '.debug_line_str', '.debug_str')
LINES_AFTER = 20  # lines without code that are passed over
ONE_FILE = ('.c', '.S', '.cc', '.cpp', '.cxx')  # a file of this kind is the main file of its unit
MANGLED = re.compile(r'_Z|_R')
HASH = re.compile(r'::h[0-9a-f]{16}$')  # at the end of a name of Rust
SOURCE = re.compile(r'(.+):(\d+)(?: \(discriminator \d+\))?$')


def short_source(path):
    """A source path from the folder of the repository on."""
    parts = pathlib.PurePath(path).parts
    return '/'.join(parts[parts.index('..') + 1:]) if '..' in parts else path


class SymbolError(Exception):
    """There is no such symbol or source line, or the file is not ELF."""


class Elf:
    """One file. Addresses are those of the file: the caller subtracts where it was loaded."""

    def __init__(self, name, content):
        """`name` is for messages; `content` are its bytes."""
        if ELFFile is None:
            raise tools.ToolError(tools.missing('python3-pyelftools'))
        self.name = name
        self.content = content
        try:
            self.file = ELFFile(io.BytesIO(content))
        except ELFError as error:
            raise SymbolError(f'{name} is not an ELF file: {error}') from error
        if self.file.elfclass != 64 or not self.file.little_endian:
            raise SymbolError(f'{name} is for another machine')
        self.debug = self._debug_file() or self.file
        self._copy = None

    def another_file(self):
        """The same file, for another thread."""
        return ELFFile(io.BytesIO(self.content))

    def _debug_file(self):
        """The separate file with the debugging information, by build ID, or None."""
        if self.file.get_section_by_name('.symtab'):
            return None
        for section in self.file.iter_sections():
            if isinstance(section, NoteSection):
                for note in section.iter_notes():
                    if note['n_type'] == 'NT_GNU_BUILD_ID':
                        build = note['n_desc']
                        path = DEBUG_FOLDER / build[:2] / (build[2:] + '.debug')
                        return ELFFile(io.BytesIO(path.read_bytes())) if path.is_file() else None
        return None

    @functools.cached_property
    def segments(self):
        """Its PT_LOAD program headers: (file offset, address, bytes in the file, in memory)."""
        return [(part['p_offset'], part['p_vaddr'], part['p_filesz'], part['p_memsz'])
                for part in self.file.iter_segments() if part['p_type'] == 'PT_LOAD']

    def address_at(self, offset):
        """The address to which a file offset is loaded, or None."""
        for start, address, size, _ in self.segments:
            if start & -4096 <= offset < start + size:
                return address - start + offset
        return None

    @functools.cached_property
    def _symbols(self):
        """(address, size, name) of each symbol, in order: .symtab, else .dynsym."""
        found = set()
        for elf in (self.debug, self.file):
            for section in elf.iter_sections():
                if isinstance(section, SymbolTableSection):
                    found.update(self._symbols_of(section))
            if found:
                break
        found = self._spoken(found)
        return sorted(found, key=lambda item: (item[0], item[1] == 0, item[2].startswith('_'),
                                               item[2]))

    @staticmethod
    def _symbols_of(section):
        """The symbols of a table; pyelftools needs ten times as long for it."""
        names, data = section.stringtable.data(), section.data()
        for at, kind, _, place, value, size in SYMBOL.iter_unpack(data[:len(data) // SYMBOL.size * SYMBOL.size]):
            if at and place not in (SHN_UNDEF, SHN_ABS) and kind & 15 in KINDS:
                name = names[at:names.find(b'\0', at)].decode(errors='replace')
                if name:
                    yield value, size, name

    @staticmethod
    def _spoken(symbols):
        """The symbols with the names that C++ and Rust programs have in their source, without parameters."""
        mangled = [item for item in symbols if MANGLED.match(item[2])]
        if not mangled or not shutil.which('c++filt'):
            return symbols
        done = subprocess.run(['c++filt', '-p'], input='\n'.join(item[2] for item in mangled),
                              capture_output=True, text=True, check=True)
        spoken = done.stdout.split('\n')
        return symbols - set(mangled) | {(*item[:2], HASH.sub('', name)) for item, name in zip(mangled, spoken)}

    @functools.cached_property
    def names(self):
        """The address of each name; the first one, where a name is there twice."""
        table = {}
        for address, _, name in self._symbols:
            table.setdefault(name, address)
        return table

    @functools.cached_property
    def _starts(self):
        return [address for address, _, _ in self._symbols]

    def symbol(self, name):
        """The address of a symbol; raises SymbolError."""
        if name not in self.names:
            raise SymbolError(f'{self.name} has no symbol {name}')
        return self.names[name]

    def name_at(self, address):
        """The symbol that holds an address, as "name" or "name+0x10", or None."""
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start = self._starts[index]
        first = bisect.bisect_left(self._starts, start)
        _, size, name = self._symbols[first]
        if size and address >= start + size:
            return None
        return name if address == start else f'{name}+{address - start:#x}'

    # Source lines

    def _path(self):
        """A file that other programs can read."""
        if self._copy is None:
            self.debug.stream.seek(0)
            self._copy = tempfile.NamedTemporaryFile(prefix='umbra-elf.')
            self._copy.write(self.debug.stream.read())
            self._copy.flush()
        return self._copy.name

    @functools.cached_property
    def has_lines(self):
        """Whether there are source lines."""
        return self.debug.get_section_by_name('.debug_line') is not None

    @functools.lru_cache(maxsize=4096)
    def source(self, address):
        """The source line of an address as (file, line), or None."""
        if not self.has_lines:
            return None
        tools.need('addr2line')
        done = subprocess.run(['addr2line', '-e', self._path(), f'{address:#x}'],
                              capture_output=True, text=True, check=False)
        match = SOURCE.match(done.stdout.strip())
        return (match[1], int(match[2])) if match and match[1] != '??' else None

    def _units_of(self, base):
        """The units that may have lines of a file: all, or its own only."""
        whole = re.compile(rb'[/\0]' + re.escape(base.encode()) + rb'\0')
        sections = filter(None, map(self.debug.get_section_by_name, FILE_NAME_SECTIONS))
        if not any(whole.search(section.data()) for section in sections):
            return
        for unit in self.debug.get_dwarf_info().iter_CUs():
            own = unit.get_top_DIE().attributes.get('DW_AT_name')
            if not base.endswith(ONE_FILE) or own and own.value.decode().split('/')[-1] == base:
                yield unit

    def line_addresses(self, name, line):
        """The addresses of a source line, or of the next line that has code; `name` is the end of
        the file's path."""
        if not self.has_lines:
            raise SymbolError(f'{self.name} has no source lines')
        base = name.rsplit('/', 1)[-1]
        found = []
        for unit in self._units_of(base):
            program = self.debug.get_dwarf_info().line_program_for_CU(unit)
            files = program['file_entry'] if program else ()
            wanted = {index for index, entry in enumerate(files)
                      if entry.name.decode() == base}
            if not wanted:
                continue
            first = 0 if program['version'] >= 5 else 1
            found += [(entry.state.line, entry.state.address) for entry in program.get_entries()
                      if entry.state and line <= entry.state.line <= line + LINES_AFTER
                      and entry.state.is_stmt and entry.state.file - first in wanted
                      and not entry.state.end_sequence]
        for nearest in sorted({number for number, _ in found}):
            exact = [address for number, address in sorted(set(found)) if number == nearest
                     and (place := self.source(address)) and place[0].endswith(name)]
            if exact:
                return exact
        raise SymbolError(f'{self.name} has no code for {name}:{line}')
