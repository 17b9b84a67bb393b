"""Symbols and source lines of an ELF file: the kernel, a program, an interpreter or a library."""
import bisect
import contextlib
import functools
import hashlib
import io
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

import tools

try:
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import NoteSection, SymbolTableSection
except ImportError:  # reported by Elf()
    ELFFile = None

# The exceptions of pyelftools for files whose headers are wrong.
DAMAGED = (*([ELFError] if ELFFile else []), AssertionError, AttributeError, OverflowError, TypeError, ValueError,
           struct.error)
DEBUG_FOLDER = pathlib.Path('/usr/lib/debug/.build-id')
SYMBOL = struct.Struct('<IBBHQQ')  # name, type in the low half, other, section, value, size
KINDS = (0, 1, 2, 10)  # STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC
SHN_UNDEF, SHN_ABS = 0, 0xfff1
SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED, PF_X = 2, 4, 0x800, 1
LINE_SECTIONS = ('.debug_line', '.zdebug_line')
LINES_AFTER = 20  # lines without code that are passed over
# How c++filt demangles names, by how they begin: those of C++ and Rust, and of D.
MANGLED = ((re.compile(r'_Z|_R'), ()), (re.compile(r'_D(?:\d|main$)'), ('-s', 'dlang')))
SCOPE_OF_PASCAL = re.compile(r'\$_\$|_\$__\$\$_|_\$\$_')
OPERATORS_OF_ADA = {'Oeq': '=', 'One': '/=', 'Olt': '<', 'Ole': '<=', 'Ogt': '>', 'Oge': '>=', 'Oadd': '+',
                    'Osubtract': '-', 'Omultiply': '*', 'Odivide': '/', 'Oexpon': '**', 'Oconcat': '&'}


def _of_pascal(match):
    """UNIT_$$_FUNCTION$PARAMETERS$$RESULT and the like: unit.function."""
    return '.'.join(part.split('$')[0] for part in SCOPE_OF_PASCAL.split(match[1])).lower()


def _of_ada(match):
    """package__function__2: package.function."""
    parts = match[1].split('__')
    return '.'.join(f'"{OPERATORS_OF_ADA[part]}"' if part in OPERATORS_OF_ADA else part for part in parts)


def _of_ocaml(match):
    return '.'.join(match.groups()).replace('__', '.')


# How other languages write their names: Fortran's modules, OCaml, Ada's nested functions and main procedures,
# Free Pascal, Crystal. Names that C could have too are of Ada or Nim if a symbol of
# the file begins as the first word says.
WRITTEN = (
    ('', re.compile(r'__(\w+?)_MOD_(\w+)$'), r'\1::\2'),
    ('', re.compile(r'caml([A-Z]\w*?)__(\w+?)_\d+$'), _of_ocaml),
    ('', re.compile(r'([a-z][a-z0-9_]*?__[a-z0-9_]+?)(?:__\d+)?(?:X[bn]*)?\.\d+$'), _of_ada),
    ('', re.compile(r'_ada_([a-z]\w*)$'), _of_ada),
    ('', re.compile(r'(?:U_\$|TC_\$)?(?:P\$)?([A-Z]\w*(?:\$_\$|_\$\$_)\S+)$'), _of_pascal),
    ('', re.compile(r'\*((?:[^<:@]|::)+)(?:@(?:[^<:#.]|::)+([#.](?:\w+[?!=]?|[^\w:]+)))?(?:[<:].*)?$'), r'\1\2'),
    ('_ada_|__gnat_', re.compile(r'(?!\w*___)([a-z]\w*?__\w+?)(?:__\d+)?(?:X[bn]*)?(?:TKB)?(?:\.\d+)?$'), _of_ada),
    ('NimMain$', re.compile(r'([A-Za-z]\w*?)__([A-Za-z]\w*?)_\d+$'), r'\2.\1'))
# Names that do not depend on the case of letters.
CASELESS = re.compile(r'__\w+?_MOD_|_ada_|__gnat_|\w+(?:\$_\$|_\$\$_)')
HASH = re.compile(r'::h[0-9a-f]{16}$')  # at the end of a name of Rust
# At the end of the name of a part or a copy of a function that the compiler has made.
CLONE = re.compile(r'(?:\.(?:cold|isra|part|constprop|localalias|lto_priv|llvm|\d+))+$')
PART = re.compile(r'\.(?:cold|part)\b')
TEMPLATE_ARGUMENTS = re.compile(r'<[^<>]*>')
ANONYMOUS = '(anonymous namespace)'
METHOD_OF_TRAIT = re.compile(r'<(.+?) as .+>::([^>]+)$')  # of Rust
SOURCE = re.compile(r'(.+):(\d+)(?: \(discriminator \d+\))?$')
# A row of objdump's line table: file, line ("-" at the end of a function or several), address, number of
# the view, "x" if a statement begins; and the line before some rows with the whole path of their file.
ROW = r'^({file}) +(\d+|-) +0x([0-9a-f]+)(?:\[\d+\])?(?: +\d+)?( +x)?(?: +END)?[ \t]*$'
PATH = re.compile(r'^(?:CU: )?(/.*):$', re.M)
# It names functions that addr2line 2.40 does not: in clang's units of DWARF 5, and in units that are split.
SYMBOLIZERS = ('llvm-symbolizer', 'llvm-symbolizer-19')
COLUMN = re.compile(r'(?<=\d):\d+$')
# addr2line 2.40 does not know files of link-time optimisation, units that may be split, and .zdebug.
BY_ROWS = ('.debug_addr', '.zdebug_line')
UNIT_OF_LTO = '<artificial>'
# The entries of readelf for functions, for the places where they are inlined, and for what functions are in; and
# the attributes that count.
ENTRY = re.compile(r'^ <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(subprogram|inlined_subroutine|'
                   r'namespace|module|structure_type|class_type|union_type|lexical_block)\)\n((?:    <.*\n)*)', re.M)
FUNCTIONS = ('subprogram', 'inlined_subroutine')
CHUNK = 4 << 20  # characters of readelf's output that are read at a time
ATTRIBUTE = re.compile(r'DW_AT_(name|linkage_name|specification|abstract_origin|entry_pc|low_pc|ranges) *: '
                       r'(?:\((?:ind|alt)[^)]*\): )?(.*?)\t*$', re.M)
PLACE = {'low_pc', 'entry_pc', 'ranges'}  # the attributes that say where an inlined function begins
REFERENCE = re.compile(r'<(0x[0-9a-f]+)>$')
# Bytes of .debug_info: reading more would take too long; more is read only for names that have no symbol; the functions
# of more are kept for other sessions.
INFORMATION_MAX, INFORMATION_MUCH, INFORMATION_KEPT = 48 << 20, 4 << 20, 256 << 10
KEPT_MAX = 16  # files
WORD = re.compile(r'[A-Za-z_]\w*')
PARAMETERS = re.compile(r'\([^()]*\)( const)?$')
# The outer names of an operator of C++, the operator, and the arguments if it is a template.
OPERATOR = re.compile(r'(?:(.*)::)?(operator(?:\(\)|\[\]|[-+*/%^&|~!=<>,]+|"" ?\w+| .+?))(?: ?<.*>)?$')
INSTRUCTION = re.compile(r'^ *([0-9a-f]+):\t(?:(?:notrack|bnd|repz?) )*(\S+) *(.*)$', re.M)


def short_source(path):
    """A source path from the folder of the repository on."""
    parts = pathlib.PurePath(path).parts
    return '/'.join(parts[parts.index('..') + 1:]) if '..' in parts else path


class SymbolError(Exception):
    """There is no such symbol or source line, or the file is not ELF."""


def opened(content):
    """An ELF file; without its sections, if they are damaged: a program runs without them."""
    try:
        file = ELFFile(io.BytesIO(content))
        list(file.iter_sections())
        return file
    except DAMAGED:
        bare = bytearray(content)
        bare[40:48], bare[58:] = bytes(8), bytes(6) + bare[64:]  # e_shoff; e_shentsize, e_shnum, e_shstrndx
        return ELFFile(io.BytesIO(bytes(bare)))


def _decompressed(file):
    """The same file with debugging information that every tool can read: llvm-symbolizer 14 and pyelftools do not
    know zstd, and has_text() would not find names in compressed sections."""
    if not any(section['sh_flags'] & SHF_COMPRESSED or section.name.startswith('.zdebug')
               for section in file.iter_sections()) or not shutil.which('objcopy'):
        return file
    with tempfile.TemporaryDirectory(prefix='umbra-elf.') as folder:
        packed, plain = pathlib.Path(folder, 'packed'), pathlib.Path(folder, 'plain')
        packed.write_bytes(file.stream.getvalue())
        done = subprocess.run(['objcopy', '--decompress-debug-sections', packed, plain], check=False,
                              capture_output=True)
        return opened(plain.read_bytes()) if done.returncode == 0 else file


def last_word(name):
    """The last word of a name, or '': the symbol table and the debugging information have it as it is."""
    words = [word for word in WORD.findall(PARAMETERS.sub('', name)) if word != 'operator']
    return words[-1] if words and 'operator' not in name else ''


def _without_parentheses(name, templates=False):
    """A name of D without parameters, or also without the arguments of templates, !(...)."""
    kept, depth, left_out = '', 0, 0
    for letter in name:
        depth += letter == '('
        if letter == '(' and not left_out and (templates or not kept.endswith('!')):
            kept, left_out = kept.rstrip('!'), depth
        if not left_out:
            kept += letter
        if letter == ')':
            left_out = 0 if depth == left_out else left_out
            depth -= 1
    return kept


def demangled(names, all_names=None):
    """(short, full) of each of these names that is mangled: without parameters, and with them. `all_names` are those
    of the file, if these are only some."""
    found = {}
    for beginning, words in MANGLED:
        mangled = [name for name in names if beginning.match(name)]
        if not mangled or not shutil.which('c++filt'):
            continue
        text = '\n'.join(CLONE.sub('', name) for name in mangled)
        short, full = (subprocess.run(['c++filt', *words, *more], input=text, capture_output=True, text=True,
                                      check=True).stdout.split('\n') for more in (('-p',), ()))
        for name, brief, whole in zip(mangled, short, full):
            if words:  # c++filt has the parameters of D in both
                brief = re.sub(r'(?<!^D) \w+$', '', _without_parentheses(brief))
            clone = CLONE.search(name)
            end = clone[0] if clone else ''
            found[name] = HASH.sub('', brief) + end, HASH.sub('', whole[whole.find(brief):]) + end
    for sign, form, written in WRITTEN:
        if any(re.match(sign, name) for name in all_names or names):
            for name in names:
                if name not in found and form.match(name):
                    found[name] = (form.sub(written, name),) * 2
    return found


def _key(name):
    """A name as it is looked up: blanks do not count, nor does a const at the end."""
    return re.sub(r'\)const$', ')', name.replace(' ', ''))


def _ends(name):
    """The name without arguments of templates, and its ends without the outer namespaces."""
    if CLONE.search(name):
        return
    if match := OPERATOR.match(name):
        yield match[2]
        yield from (f'{end}::{match[2]}' for end in (_ends(match[1]) if match[1] else ()))
        return
    if match := METHOD_OF_TRAIT.match(name):
        yield from _ends(f'{match[1]}::{match[2]}')
    before, plain = None, _without_parentheses(name, True) if '!(' in name else name
    while plain != before:
        before, plain = plain, TEMPLATE_ARGUMENTS.sub('', plain)
    divider = '::' if '::' in plain else '.'
    parts = [part for part in plain.split(divider) if part != ANONYMOUS]
    for first in range(len(parts)):
        yield divider.join(parts[first:])


def _note(whole, ends, item, short, full):
    """Adds an item under all forms of a name."""
    for name in {_key(short), _key(full)}:
        whole.setdefault(name, set()).add(item)
    for end in _ends(short):
        ends.setdefault(_key(end), set()).add(item)


def _reaches(following, start, goal, without=None):
    """Whether execution can come from a start to a goal without an address; what is not known can."""
    waiting, seen = [start], {start}
    while waiting:
        address = waiting.pop()
        if address in (goal, None):
            return True
        new = following.get(address, set()) - seen if address != without else set()
        seen |= new
        waiting += new
    return False


def _entries_of(stream):
    """{offset: (tag, attributes)} of the functions in readelf's output, which is long: what was read is not kept.
    The attribute `scope` has the names of what a function is in, from the outside."""
    found, scopes, rest, ended = {}, {}, '', False
    while not ended:
        chunk = stream.read(CHUNK)
        ended = not chunk
        rest += chunk
        whole = len(rest) if ended else rest.rfind('\n <') + 1
        for depth, offset, tag, text in ENTRY.findall(rest, 0, whole):
            words = {name: REFERENCE.sub(r'\1', value) for name, value in ATTRIBUTE.findall(text)}
            depth = int(depth, 16)
            scope = scopes.get(depth - 1, ())
            if tag in FUNCTIONS:
                words['scope'] = scope
                found[int(offset, 16)] = tag, words
            else:
                of_none = {'namespace': (ANONYMOUS,)}.get(tag, ())
                scope += (words['name'],) if 'name' in words else of_none
            scopes[depth] = scope
        rest = rest[whole:]
    return found


def _entry_name(entries, offset):
    """The name of a function of readelf's entries, perhaps mangled, or None. A function that only its file can call has
    no mangled name: its name is made of those of what it is in."""
    for _ in entries:
        words = entries.get(offset, (None, {}))[1]
        if 'linkage_name' in words:
            return words['linkage_name']
        if 'name' in words:
            return '::'.join((*words['scope'], words['name']))
        further = words.get('abstract_origin') or words.get('specification') or ''
        if not further.startswith('0x'):  # "<alt 0x12>" is in another file
            return None
        offset = int(further, 16)
    return None


def _inlined_of(path):
    """{offset: (name, attributes)} of the places where functions of a file are inlined, by readelf: pyelftools takes a
    minute for the kernel."""
    tools.need('readelf')
    with subprocess.Popen(['readelf', '--debug-dump=info', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors='replace') as process:
        entries = _entries_of(process.stdout)
    return {offset: (name, {word: words[word] for word in PLACE & words.keys()})
            for offset, (tag, words) in entries.items()
            if tag == 'inlined_subroutine' and (name := _entry_name(entries, offset))}


class Elf:
    """One file. Addresses are those of the file: the caller subtracts where it was loaded."""

    def __init__(self, name, content):
        """`name` is for messages; `content` are its bytes."""
        if ELFFile is None:
            raise tools.ToolError(tools.missing('python3-pyelftools'))
        self.name = name
        self.content = content
        try:
            self.file = opened(content)
            self.segments = self._load_segments()
        except DAMAGED as error:
            raise SymbolError(f'{name} is not an ELF file: {error}') from error
        if self.file.elfclass != 64 or not self.file.little_endian:
            raise SymbolError(f'{name} is for another machine')
        self.debug = self.file
        with contextlib.suppress(OSError, *DAMAGED):  # without a debug file that can be read
            self.debug = _decompressed(self._debug_file() or self.file)
        self._files = {}  # copies for other programs

    def another_file(self):
        """The same file, for another thread."""
        return ELFFile(io.BytesIO(self.content))

    def _debug_file(self):
        """The separate file with the debugging information, where gdb looks for it too, or None."""
        if self.file.get_section_by_name('.symtab'):
            return None
        return next(filter(None, map(opened, self._debug_contents())), None)

    def _debug_contents(self):
        """The contents of such files: by build ID, then of the name in .gnu_debuglink with the right checksum."""
        for section in self.file.iter_sections():
            if isinstance(section, NoteSection):
                for note in section.iter_notes():
                    if note['n_type'] == 'NT_GNU_BUILD_ID':
                        build = note['n_desc']
                        path = DEBUG_FOLDER / build[:2] / (build[2:] + '.debug')
                        if path.is_file():
                            yield path.read_bytes()
        link = self.file.get_section_by_name('.gnu_debuglink')
        name = link.data().split(b'\0')[0].decode(errors='replace') if link else ''
        folder = pathlib.PurePath(self.name).parent
        if name and '/' not in name and folder.is_absolute():
            for place in (folder, folder / '.debug', DEBUG_FOLDER.parent / folder.relative_to('/')):
                content = (path := pathlib.Path(place, name)).is_file() and path.read_bytes()
                if content and zlib.crc32(content) == int.from_bytes(link.data()[-4:], 'little'):
                    yield content

    def has_text(self, text, is_whole=False):
        """Whether a part of a name may occur in the file: quickly, before its symbols are read. `is_whole`: where the
        word ends there, as names that are not mangled do. The linker may have put a name at the end of another one."""
        if self.debug.get_section_by_name('.gnu_debugaltlink'):  # some names are in another file
            return True
        files = {id(file): file for file in (self.file, self.debug)}.values()
        # Some languages ignore case.
        forms = {form.encode(errors='surrogateescape') for form in (text, text.lower(), text.upper())}
        end = b'(?![A-Za-z0-9])' if is_whole else b''
        return any(re.search(re.escape(form) + end, file.stream.getvalue()) for file in files for form in forms)

    def _load_segments(self):
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
    def _code(self):
        """The ranges of addresses with instructions: executable sections, or segments without sections."""
        sections = [(part['sh_addr'], part['sh_addr'] + part['sh_size']) for part in self.file.iter_sections()
                    if part['sh_flags'] & SHF_EXECINSTR and part['sh_flags'] & SHF_ALLOC]
        return sections or [(part['p_vaddr'], part['p_vaddr'] + part['p_memsz']) for part in self.file.iter_segments()
                            if part['p_type'] == 'PT_LOAD' and part['p_flags'] & PF_X]

    def _is_code(self, address):
        """False for what debugging information says of functions that the linker has left out: it has them near 0."""
        return any(start <= address < end for start, end in self._code)

    @functools.cached_property
    def _symbols(self):
        """(address, size, name) of each symbol, in order: .symtab, else .dynsym."""
        found = set()
        for elf in (self.debug, self.file):
            sections = list(elf.iter_sections())
            unloaded = {number for number, section in enumerate(sections) if not section['sh_flags'] & SHF_ALLOC}
            for section in sections:
                if isinstance(section, SymbolTableSection):
                    with contextlib.suppress(*DAMAGED):
                        found.update(self._symbols_of(section, unloaded))
            if found:
                break
        self._raw = {name for _, _, name in found}
        names = demangled(self._raw)
        self._is_caseless = any(map(CASELESS.match, self._raw))
        self._spoken = {(address, *names[name]) for address, _, name in found if name in names}
        self._written = {(address, name) for address, _, name in found if name in names}
        found = {(address, size, names[name][0] if name in names else name.split('@@')[0])
                 for address, size, name in found}
        return sorted(found, key=lambda item: (item[0], item[1] == 0, item[2].startswith('_'),
                                               item[2]))

    @staticmethod
    def _symbols_of(section, unloaded):
        """The symbols of a table, but for those of sections that are not loaded; pyelftools takes ten times as long."""
        names, data = section.stringtable.data(), section.data()
        for at, kind, _, place, value, size in SYMBOL.iter_unpack(data[:len(data) // SYMBOL.size * SYMBOL.size]):
            if at and place not in (SHN_UNDEF, SHN_ABS) and place not in unloaded and kind & 15 in KINDS:
                name = names[at:names.find(b'\0', at)].decode(errors='replace')
                if name:
                    yield value, size, name

    @functools.cached_property
    def names(self):
        """The address of each name; the first one, where a name is there twice."""
        table = {}
        for address, _, name in self._symbols:
            table.setdefault(name, address)
        return table

    @functools.cached_property
    def _places(self):
        """Two tables of {address: full name} by names: whole names, and ends of names."""
        whole, ends = {}, {}
        for address, _, name in self._symbols:
            whole.setdefault(_key(name), {})[address] = name
        for address, short, full in self._spoken:
            whole[_key(short)][address] = full
            whole.setdefault(_key(full), {})[address] = full
            for end in _ends(short):
                ends.setdefault(_key(end), {})[address] = full
        for address, name in self._written:
            whole.setdefault(name, {}).setdefault(address, name)
        return whole, ends

    def _known_as(self, tables, by_end, name):
        """What one of two tables has for a name, or nothing."""
        found = tables[by_end].get(_key(name))
        return found or (tables[by_end].get(_key(name).lower()) if self._is_caseless else None) or {}

    def places(self, name, by_end=False):
        """[(address, full name)] of all that a name means, with parameters or without; `by_end`: also
        without the outer namespaces and the arguments of templates."""
        return sorted(self._known_as(self._places, by_end, name).items())

    def _demangled(self, names):
        return demangled(names, self._symbols and self._raw)

    @functools.cached_property
    def _starts(self):
        return [address for address, _, _ in self._symbols]

    def symbol(self, name):
        """The address of a symbol; raises SymbolError."""
        if name not in self.names:
            raise SymbolError(f'{self.name} has no symbol {name}')
        return self.names[name]

    def _symbol_at(self, address):
        """(address, size, name) of the symbol that holds an address, or None."""
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, name = self._symbols[bisect.bisect_left(self._starts, self._starts[index])]
        return None if size and address >= start + size else (start, size, name)

    def name_at(self, address):
        """The symbol that holds an address, as "name" or "name+0x10", or None."""
        found = self._symbol_at(address)
        if found is None:
            return None
        start, _, name = found
        return name if address == start else f'{name}+{address - start:#x}'

    # Where functions begin

    def starts(self, name, by_end=False):
        """The addresses at which a function begins: its symbols, copies of it that the compiler has made, and the
        places where it is inlined. Names are as for places()."""
        found = {address for address, _ in self.places(name, by_end)}
        found.update(self._known_as(self._copies, by_end, name))
        inlined, section = set(), self.debug.get_section_by_name('.debug_info')
        if section is None or found and section.data_size > INFORMATION_MUCH:
            return sorted(found)
        if self.has_text(last_word(name), is_whole=True):  # reading all entries takes seconds
            inlined = {self._entry_address(offset) for offset in self._known_as(self._inlined, by_end, name)} - {None}
        return sorted(found.union(filter(self._is_code, inlined)))

    @functools.cached_property
    def _copies(self):
        """Two tables of {name: addresses} as _places, of copies."""
        whole, ends = {}, {}
        symbols = {(address, name, name) for address, _, name in self._symbols}
        for address, short, full in {*symbols, *self._spoken}:
            if CLONE.search(short) and not PART.search(short):
                _note(whole, ends, address, CLONE.sub('', short), CLONE.sub('', full))
        return whole, ends

    @functools.cached_property
    def _inlined(self):
        """Two tables as _places, of the entries of places where functions are inlined."""
        whole, ends = {}, {}
        spoken = self._demangled({name for name, _ in self._entries.values()})
        for offset, (name, _) in self._entries.items():
            _note(whole, ends, offset, *spoken.get(name, (name, name)))
        return whole, ends

    @functools.cached_property
    def _entries(self):
        """{offset: (name, attributes)} of the places where functions are inlined."""
        section = self.debug.get_section_by_name('.debug_info')
        if section.data_size > INFORMATION_MAX:
            return {}
        if section.data_size < INFORMATION_KEPT:
            return _inlined_of(self._path())
        folder = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'umbra')
        kept = folder / f'inlined-{hashlib.sha256(self.debug.stream.getvalue()).hexdigest()}'
        with contextlib.suppress(OSError, ValueError):
            return {int(offset): entry for offset, entry in json.loads(kept.read_text()).items()}
        found = _inlined_of(self._path())
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile('w', dir=folder) as file:
                json.dump(found, file)
                file.flush()
                os.link(file.name, kept)
            for old in sorted(folder.glob('inlined-*'), key=lambda path: path.stat().st_mtime)[:-KEPT_MAX]:
                old.unlink()
        return found

    def _entry_address(self, offset):
        """Where an inlined function begins that has an entry at an offset, or None: at its first range, as in gdb;
        DW_AT_entry_pc may be before that, in the function around it."""
        words = self._entries[offset][1]
        with contextlib.suppress(KeyError, *DAMAGED):  # in another form
            if 'ranges' not in words:
                return int(words.get('low_pc') or words['entry_pc'], 16)
            unit = self._dwarf.get_CU_containing(offset)
            base = unit.get_top_DIE().attributes['DW_AT_low_pc'].value
            for part in self._dwarf.range_lists().get_range_list_at_offset(int(words['ranges'], 16), unit):
                if hasattr(part, 'base_address'):
                    base = part.base_address
                elif part.begin_offset < part.end_offset:
                    return part.begin_offset + (0 if part.is_absolute else base)
        return None

    @functools.cached_property
    def _dwarf(self):
        return self.debug.get_dwarf_info()

    # Source lines

    def _path(self):
        """A file with the debugging information that other programs can read."""
        return self._copy_of(self.debug)

    def _code_path(self):
        """The same with the code."""
        return self._copy_of(self.file)

    def _copy_of(self, file):
        if id(file) not in self._files:
            file.stream.seek(0)
            copy = self._files[id(file)] = tempfile.NamedTemporaryFile(prefix='umbra-elf.')
            copy.write(file.stream.read())
            copy.flush()
        return self._files[id(file)].name

    @functools.cached_property
    def has_lines(self):
        """Whether there are source lines."""
        return any(self.debug.get_section_by_name(name) for name in LINE_SECTIONS)

    @functools.lru_cache(maxsize=4096)
    def source(self, address):
        """The source line of an address as (file, line), or None."""
        return next((place[1:] for place in self.places_in_source(address)), None)

    @functools.lru_cache(maxsize=4096)
    def places_in_source(self, address):
        """(function, file, line) of an address: of the function that was inlined last first, then of
        those that it is in."""
        if not self.has_lines or not self._is_code(address):
            return []
        said = self._symbolized(address)
        spoken = self._demangled(said[::2])
        found = [(function, SOURCE.match(place)) for function, place in zip(said[::2], said[1::2])]
        found = [(spoken.get(function, [function])[0], match[1], int(match[2]))
                 for function, match in found if match and match[1] != '??' and match[2] != '0']
        if found[0][1].endswith(UNIT_OF_LTO) if found else any(map(self.debug.get_section_by_name, BY_ROWS)):
            place = self._source_by_rows(address)
            return [(self.name_at(address) or '', *place)] if place else []
        return found

    def _symbolized(self, address):
        """The lines of addr2line: function, FILE:LINE, and so on, with those that it is inlined in."""
        if self._symbolizer:
            self._symbolizer.stdin.write(f'{address:#x}\n')
            self._symbolizer.stdin.flush()
            said = list(iter(lambda: self._symbolizer.stdout.readline().strip(), ''))
            return [COLUMN.sub('', line) for line in said]
        tools.need('addr2line')
        done = subprocess.run(['addr2line', '-i', '-f', '-e', self._path(), f'{address:#x}'],
                              capture_output=True, text=True, check=False)
        return done.stdout.split('\n')

    @functools.cached_property
    def _symbolizer(self):
        """A process of llvm-symbolizer that waits for addresses of this file; None if it is not installed."""
        program = next(filter(shutil.which, SYMBOLIZERS), None)
        # It ends at the end of its input, when this process ends.
        return program and subprocess.Popen([program, '--no-demangle', '-e', self._path()], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    @functools.cached_property
    def _line_table(self):
        """The line table as objdump prints it."""
        tools.need('objdump')
        return subprocess.run(['objdump', '--wide', '--dwarf=decodedline', self._path()],
                              capture_output=True, text=True, errors='replace', check=False).stdout

    def _rows(self, file=r'\S.*?'):
        """The rows of the line table, or those of files whose name matches: as ROW."""
        return re.finditer(ROW.format(file=file), self._line_table, re.M)

    @functools.cached_property
    def _intervals(self):
        """(address, end, file, line) of the line table, in order: each row counts up to the next one."""
        found, before = [], None
        for row in self._rows():
            address = int(row[3], 16)
            if before and before[0] < address:
                found.append((before[0], address, *before[1:]))
            before = None if row[2] == '-' else (address, row[1], int(row[2]))
        return sorted(found)

    def _source_by_rows(self, address):
        """The source line of an address by the line table alone, or None."""
        index = bisect.bisect_right(self._intervals, (address, math.inf)) - 1
        _, end, file, line = self._intervals[index] if index >= 0 else (0, 0, '', 0)
        if address >= end:
            return None
        whole = {path for path in PATH.findall(self._line_table) if path.endswith('/' + file)}
        return whole.pop() if len(whole) == 1 else file, line

    def line_addresses(self, name, line):
        """The addresses of a source line, or of the next line that has code; `name` is the end of
        the file's path."""
        return self._line_and_addresses(name, line)[1]

    def _line_and_addresses(self, name, line):
        if not self.has_lines:
            raise SymbolError(f'{self.name} has no source lines')
        base = name.rsplit('/', 1)[-1]
        found = {(int(row[2]), int(row[3], 16)) for row in self._rows(r'(?:\S.*/)?' + re.escape(base))
                 if row[4] and line <= int(row[2]) <= line + LINES_AFTER and self._is_code(int(row[3], 16))}
        for nearest in sorted({number for number, _ in found}):
            exact = [address for number, address in sorted(found) if number == nearest
                     and (base == name or self._is_in(address, name))]
            if exact:
                return nearest, exact
        raise SymbolError(f'{self.name} has no code for {name}:{line}')

    def line_starts(self, name, line):
        """The addresses at which a source line begins: in each function, and each place where that is inlined,
        without those that another one always comes before. So a loop's line comes once, and twice if the loop is there
        twice."""
        groups, (nearest, found) = {}, self._line_and_addresses(name, line)
        # Not where the line has no instruction before the next line begins, if it has some elsewhere.
        lasting = {start for start, _, file, number in self._intervals
                   if number == nearest and file.rsplit('/', 1)[-1] == name.rsplit('/', 1)[-1]}
        for address in lasting.intersection(found) or found:
            groups.setdefault(self._instance(address), []).append(address)
        return sorted(address for (function, _), group in groups.items() for address in self._firsts(function, group))

    def _instance(self, address):
        """(address of the function, where it is inlined) of an address."""
        symbol = self._symbol_at(address) or (None, 0, '')
        places = tuple((function, line) for function, _, line in self.places_in_source(address)[1:])
        if symbol[2].endswith('.cold'):  # a part of another function
            parents = [start for start, size, name in self._symbols if name == symbol[2][:-5] and size]
            return (parents[0] if len(parents) == 1 else symbol[0]), places
        return symbol[0], places

    def _firsts(self, function, group):
        """Those addresses of a function that can be reached without passing another one of them."""
        symbol = self._symbol_at(function) if function is not None and len(group) > 1 else None
        if symbol is None:
            return group
        parts = [part for part in self._symbols if part == symbol or part[2] == symbol[2] + '.cold' and part[1]]
        following = {}
        for start, size, _ in parts:
            following.update(self._following(start, size))
        return [address for address in group
                if not _reaches(following, function, address)
                or all(_reaches(following, function, address, other) for other in group if other != address)]

    def _following(self, start, size):
        """For each instruction in a range those that may come next; None is one that is not known."""
        tools.need('objdump')
        text = subprocess.run(['objdump', '-d', '-w', '--no-show-raw-insn', f'--start-address={start:#x}',
                               f'--stop-address={start + size:#x}', self._code_path()], capture_output=True,
                              text=True, check=False).stdout
        found = [(int(address, 16), word, rest) for address, word, rest in INSTRUCTION.findall(text)]
        following = {}
        for (address, word, rest), after in zip(found, [*found[1:], (None,)]):
            target = re.match('[0-9a-f]+', rest)
            following[address] = set()
            if word.startswith(('j', 'loop')):
                following[address].add(int(target[0], 16) if target else None)
            if not word.startswith(('jmp', 'ret', 'hlt', 'ud2')) and after[0] is not None:
                following[address].add(after[0])
        return following

    def has_line(self, name, line):
        """Whether line_addresses() finds something."""
        try:
            return bool(self.line_addresses(name, line))
        except SymbolError:
            return False

    def _is_in(self, address, name):
        return any(path.endswith('/' + name) or path == name for _, path, _ in self.places_in_source(address))
