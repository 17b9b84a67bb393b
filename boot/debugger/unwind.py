"""Backtraces: from the registers of a stopped machine to those of each caller, by call frame information.

Its formats are DWARF 5, section 6.4 "Call Frame Information", for .debug_frame, and the Linux
Standard Base, "Exception Frames", for .eh_frame. Only the entry of the wanted address is decoded,
because the tables of a C library are long.
"""
import bisect
import dataclasses
import struct

from debugger.tables import Unreadable

# DWARF register numbers of the psABI for x86-64.
REGISTERS = ('rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11',
             'r12', 'r13', 'r14', 'r15', 'rip')
RIP = 16

# DW_EH_PE_*
PE_PCREL, PE_DATAREL, PE_INDIRECT, PE_OMIT = 0x10, 0x30, 0x80, 0xff
PE_FORMATS = {0: '<Q', 2: '<H', 3: '<I', 4: '<Q', 10: '<h', 11: '<i', 12: '<q'}


class CfiError(Exception):
    """The information is damaged, or of a kind that is not supported."""


class Reader:
    """Reads numbers from bytes that lie at `address`."""

    def __init__(self, data, offset=0, address=0):
        self.data, self.at, self.address = data, offset, address

    def number(self, form):
        """A number in one of struct's formats."""
        try:
            result = struct.unpack_from(form, self.data, self.at)[0]
        except struct.error as error:
            raise CfiError('the table ends too early') from error
        self.at += struct.calcsize(form)
        return result

    def byte(self):
        return self.number('<B')

    def uleb(self):
        """An unsigned LEB128 number."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result

    def sleb(self):
        """A signed LEB128 number."""
        start = self.at
        result = self.uleb()
        bits = 7 * (self.at - start)
        return result - (1 << bits) if result >> (bits - 1) & 1 else result

    def block(self):
        """Bytes after their length."""
        size = self.uleb()
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        """Bytes up to a NUL."""
        end = self.data.index(b'\0', self.at)
        result, self.at = self.data[self.at:end], end + 1
        return result

    def encoded(self, encoding, base=0):
        """A pointer in an encoding DW_EH_PE_*."""
        place = self.address + self.at
        if encoding & 15 == 1:
            result = self.uleb()
        elif encoding & 15 == 9:
            result = self.sleb()
        elif encoding & 15 in PE_FORMATS:
            result = self.number(PE_FORMATS[encoding & 15])
        else:
            raise CfiError(f'pointers of encoding {encoding:#x} are not supported')
        kind = encoding & 0x70
        if kind not in (0, PE_PCREL, PE_DATAREL) or encoding & PE_INDIRECT:
            raise CfiError(f'pointers of encoding {encoding:#x} are not supported')
        return result + {PE_PCREL: place, PE_DATAREL: base}.get(kind, 0) & (1 << 64) - 1


@dataclasses.dataclass
class Row:
    """The rules at one address: the CFA, as (register, offset) or an expression; each register as
    a pair of kind (offset, value, register, expression, undefined) and argument."""
    cfa: object = None
    rules: dict = dataclasses.field(default_factory=dict)
    signal: bool = False  # the caller was interrupted, and did not call

    def copy(self):
        return Row(self.cfa, dict(self.rules), self.signal)


@dataclasses.dataclass(frozen=True)
class _Cie:
    code_align: int
    data_align: int
    return_register: int
    encoding: int
    has_size: bool
    signal: bool
    instructions: bytes


class Table:
    """The information of one section."""

    def __init__(self, data, address, eh_frame):
        self._data, self._address, self._eh = data, address, eh_frame
        self._cies = {}
        self._starts, self._entries = None, None

    def row(self, pc):
        """The row for an address, or None if the table has none."""
        if self._starts is None:
            self._index()
        index = bisect.bisect_right(self._starts, pc) - 1
        if index < 0:
            return None
        start, end, cie, begin, stop = self._entries[index]
        if pc >= end:
            return None
        return _execute(cie, self._data[begin:stop], start, pc)

    def _index(self):
        """Lists all functions: (first address, end, CIE, range of its instructions)."""
        found = []
        reader = Reader(self._data, 0, self._address)
        while reader.at + 4 <= len(self._data):
            begin = reader.at
            length = reader.number('<I')
            if length == 0:
                break
            wide = length == 0xffffffff
            if wide:
                length = reader.number('<Q')
            end = reader.at + length
            place = reader.at
            pointer = reader.number('<Q' if wide and not self._eh else '<I')
            if not self._is_cie(pointer, wide):
                cie = self._cie(place - pointer if self._eh else pointer)
                entry = self._fde(reader, cie, end)
                if entry[1] > entry[0]:
                    found.append(entry)
            reader.at = end
            if end <= begin:
                raise CfiError('an entry has a wrong length')
        found.sort(key=lambda entry: entry[0])
        self._starts, self._entries = [entry[0] for entry in found], found

    def _is_cie(self, pointer, wide):
        return pointer == (0 if self._eh else 0xffffffffffffffff if wide else 0xffffffff)

    def _fde(self, reader, cie, end):
        start = reader.encoded(cie.encoding)
        size = reader.encoded(cie.encoding & 15)
        if cie.has_size:
            reader.block()
        return start, start + size, cie, reader.at, end

    def _cie(self, offset):
        if offset not in self._cies:
            self._cies[offset] = self._read_cie(offset)
        return self._cies[offset]

    def _read_cie(self, offset):
        reader = Reader(self._data, offset, self._address)
        length = reader.number('<I')
        if length == 0xffffffff:
            raise CfiError('64-bit entries are not supported')
        end = reader.at + length
        reader.number('<I')
        version, augmentation = reader.byte(), reader.text()
        if version >= 4:
            reader.number('<H')  # sizes of addresses and segments
        code, data = reader.uleb(), reader.sleb()
        returns = reader.byte() if version == 1 else reader.uleb()
        encoding = 0
        if augmentation.startswith(b'z'):
            after = reader.uleb() + reader.at
            for letter in augmentation[1:].decode():
                if letter == 'R':
                    encoding = reader.byte()
                elif letter == 'P':
                    reader.encoded(reader.byte() & ~PE_INDIRECT)
                elif letter == 'L':
                    reader.byte()
            reader.at = after
        return _Cie(code, data, returns, encoding, augmentation.startswith(b'z'),
                    b'S' in augmentation, self._data[reader.at:end])


class Tables:
    """Several tables of one file, of which the first one that knows a function counts: a program may have .eh_frame
    of the C library, and .debug_frame of its own functions."""

    def __init__(self, tables):
        self._tables = tables

    @classmethod
    def of(cls, elf):
        """Those of an elf.Elf, or None without any."""
        tables = []
        for file, name in ((elf.file, '.eh_frame'), (elf.debug, '.debug_frame')):
            section = file.get_section_by_name(name)
            if section is not None and section['sh_type'] != 'SHT_NOBITS':
                tables.append(Table(section.data(), section['sh_addr'], name == '.eh_frame'))
        return cls(tables) if tables else None

    def row(self, pc):
        """As Table.row()."""
        damage = None
        for table in self._tables:
            try:
                if row := table.row(pc):
                    return row
            except CfiError as error:
                damage = error
        if damage:
            raise damage
        return None


def _execute(cie, instructions, location, pc):
    """Runs the instructions of the CIE, then those of the function up to the address."""
    row = Row(signal=cie.signal)
    _run(cie, Reader(cie.instructions), row, None, None, None)
    return _run(cie, Reader(instructions), row, row.copy(), location, pc)


def _run(cie, reader, row, initial, location, pc):
    saved, before = [], row.copy()
    while reader.at < len(reader.data):
        byte = reader.byte()
        operation, operand = byte & 0xc0, byte & 0x3f
        if operation == 0x40:                                     # DW_CFA_advance_loc
            location += operand * cie.code_align
        elif operation == 0x80:                                   # offset
            row.rules[operand] = ('offset', reader.uleb() * cie.data_align)
        elif operation == 0xc0:                                   # restore
            _restore(row, initial, operand)
        elif byte in (2, 3, 4):                                   # advance_loc1, 2, 4
            location += reader.number({2: '<B', 3: '<H', 4: '<I'}[byte]) * cie.code_align
        elif byte == 1:                                           # set_loc
            location = reader.encoded(cie.encoding)
        elif byte == 6:                                           # restore_extended
            _restore(row, initial, reader.uleb())
        elif byte == 10:                                          # remember_state
            saved.append(row.copy())
        elif byte == 11:                                          # restore_state
            old = saved.pop()
            row.cfa, row.rules = old.cfa, old.rules
        else:
            _rule(cie, reader, row, byte)
        if pc is not None and location > pc and (operation == 0x40 or byte in (1, 2, 3, 4)):
            return before
        before = row.copy()
    return row


def _restore(row, initial, register):
    row.rules.pop(register, None)
    if register in initial.rules:
        row.rules[register] = initial.rules[register]


def _rule(cie, reader, row, byte):
    """An instruction that sets a rule."""
    if byte == 0:                                                 # nop
        return
    if byte in (12, 18):                                          # def_cfa, def_cfa_sf
        register = reader.uleb()
        row.cfa = (register, reader.uleb() if byte == 12 else reader.sleb() * cie.data_align)
    elif byte == 13:                                              # def_cfa_register
        row.cfa = (reader.uleb(), row.cfa[1])
    elif byte in (14, 19):                                        # def_cfa_offset, _sf
        row.cfa = (row.cfa[0], reader.uleb() if byte == 14 else reader.sleb() * cie.data_align)
    elif byte == 15:                                              # def_cfa_expression
        row.cfa = reader.block()
    elif byte == 0x2e:                                            # GNU_args_size
        reader.uleb()
    else:
        _register_rule(cie, reader, row, byte)


def _register_rule(cie, reader, row, byte):
    register = reader.uleb()
    if byte in (5, 20):                                           # offset_extended, val_offset
        row.rules[register] = ('offset' if byte == 5 else 'value',
                               reader.uleb() * cie.data_align)
    elif byte in (17, 21):                                        # the same, signed
        row.rules[register] = ('offset' if byte == 17 else 'value',
                               reader.sleb() * cie.data_align)
    elif byte == 7:                                               # undefined
        row.rules[register] = ('undefined', None)
    elif byte == 8:                                               # same_value
        row.rules[register] = ('same', None)
    elif byte == 9:                                               # register
        row.rules[register] = ('register', reader.uleb())
    elif byte in (16, 22):                                        # expression, val_expression
        row.rules[register] = ('at' if byte == 16 else 'is', reader.block())
    else:
        raise CfiError(f'instruction {byte:#x} is not supported')


FRAMES_MAX = 64
MASK = (1 << 64) - 1


@dataclasses.dataclass(frozen=True)
class Frame:
    """One function of a backtrace. `exact` is true if `pc` is the next instruction, not a return
    address; `how` names the method that found the frame."""
    pc: int
    exact: bool
    registers: dict
    how: str

    def lookup(self):
        """An address inside the call, for symbols and lines."""
        return self.pc if self.exact else self.pc - 1


def backtrace(registers, read, table_for, is_code=lambda pc: True, most=FRAMES_MAX):
    """The frames from the innermost outwards, at most so many. `registers` maps names to values,
    `read(address, size)` reads linear memory, `table_for(pc)` returns (Table, load bias) or None,
    `is_code(pc)` says whether memory is executable there."""
    frames = [Frame(registers['rip'], True, registers, 'registers')]
    while len(frames) < most:
        following = _caller(frames[-1], read, table_for, is_code)
        if following is None or not following.pc:
            break
        frames.append(following)
    return frames


def _caller(frame, read, table_for, is_code):
    try:
        if frame.exact and not is_code(frame.pc):
            return _by_call(frame, read)
        found = table_for(frame.lookup())
        row = found and found[0].row(frame.lookup() - found[1])
        if row:
            return _by_rules(frame, row, read)
        if _is_trampoline(frame, read):
            return _by_signal_frame(frame, read)
        caller = _by_edge(frame, read) or _by_frame_pointer(frame, read)
        return caller if caller and is_code(caller.lookup()) else None
    except (CfiError, Unreadable, IndexError, TypeError):  # the last two: a damaged rule, an unknown register
        return None


# A signal handler returns to code that calls rt_sigreturn. Where a C library has no unwind rules for it, it is known by
# its bytes. RSP then points to the struct ucontext of the signal frame: its registers begin at this offset and have
# this order (asm/sigcontext.h).
TRAMPOLINES = tuple(bytes.fromhex(code) for code in ('48c7c00f0000000f05', 'b80f0000000f05'))
UCONTEXT_REGISTERS = 40
SAVED = ('r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx', 'rax', 'rcx', 'rsp',
         'rip')


def _is_trampoline(frame, read):
    """Whether the code is one of the trampolines, at its first instruction, its second, or after it."""
    for code in TRAMPOLINES:
        for done in (0, len(code) - 2, len(code)):
            try:
                if read(frame.pc - done, len(code)) == code:
                    return True
            except Unreadable:
                continue
    return False


def _by_signal_frame(frame, read):
    place = frame.registers['rsp'] + UCONTEXT_REGISTERS
    saved = {name: _word(read, place + 8 * index) for index, name in enumerate(SAVED)}
    return Frame(saved['rip'], True, {**frame.registers, **saved}, 'signal frame')


def _by_call(frame, read):
    """The caller, where the call has pushed where it returns to, and nothing more came."""
    rsp = frame.registers['rsp']
    new = dict(frame.registers, rip=_word(read, rsp), rsp=rsp + 8)
    return Frame(new['rip'], False, new, 'call')


# push %rbp; mov %rsp,%rbp, in both encodings of the second one; what may be before; and returns.
PUSH, MOVES = b'\x55', (b'\x48\x89\xe5', b'\x48\x8b\xec')
BEFORE, RETURNS = b'\xf3\x0f\x1e\xfa', (b'\xc3', b'\xf3\xc3')


def _holds(read, address, *codes):
    """Whether one of these is at an address."""
    for code in codes:
        try:
            if read(address, len(code)) == code:
                return True
        except Unreadable:
            continue
    return False


def _by_edge(frame, read):
    """The caller in code without information that keeps a frame pointer, before it has one, or when it returns."""
    if not frame.exact:
        return None
    starts = [PUSH + move for move in MOVES]
    if _holds(read, frame.pc, *starts, *(BEFORE + start for start in starts), *RETURNS):
        return _by_call(frame, read)
    if _holds(read, frame.pc - 1, *starts):
        rsp = frame.registers['rsp']
        return _by_call(dataclasses.replace(frame, registers={
            **frame.registers, 'rsp': rsp + 8, 'rbp': _word(read, rsp)}), read)
    return None


def _by_rules(frame, row, read):
    old = frame.registers
    cfa = _cfa(row, old, read)
    new = dict(old)
    new['rsp'] = cfa
    for number, (kind, argument) in row.rules.items():
        if number >= len(REGISTERS):
            continue
        name = REGISTERS[number]
        if kind == 'undefined':
            new[name] = None
        elif kind == 'offset':
            new[name] = _word(read, cfa + argument)
        elif kind == 'value':
            new[name] = cfa + argument & MASK
        elif kind == 'register':
            new[name] = old[REGISTERS[argument]]
        elif kind == 'same':
            new[name] = old[name]
        elif kind == 'at':
            new[name] = _word(read, _expression(argument, old, read, cfa))
        else:
            new[name] = _expression(argument, old, read, cfa)
    if RIP not in row.rules or new['rip'] is None:
        return None
    if not row.signal and new['rsp'] == old['rsp'] and new['rip'] == old['rip']:
        return None
    return Frame(new['rip'], row.signal, new, 'call frame information')


def _cfa(row, registers, read):
    if isinstance(row.cfa, bytes):
        return _expression(row.cfa, registers, read, None)
    if row.cfa is None:
        raise CfiError('no rule for the frame')
    value = registers[REGISTERS[row.cfa[0]]]
    if value is None:
        raise CfiError('the register of the frame is not known')
    return value + row.cfa[1] & MASK


def _expression(code, registers, read, first):
    """The result of a DWARF expression, as far as compilers and linkers emit them here."""
    stack = [] if first is None else [first]
    reader = Reader(code)
    while reader.at < len(code):
        operation = reader.byte()
        if 0x30 <= operation <= 0x4f:                  # lit
            stack.append(operation - 0x30)
        elif 0x70 <= operation <= 0x80:                # breg
            stack.append(registers[REGISTERS[operation - 0x70]] + reader.sleb() & MASK)
        elif operation == 0x06:                        # deref
            stack.append(_word(read, stack.pop()))
        elif operation == 0x03:                        # addr
            stack.append(reader.number('<Q'))
        elif operation in (0x08, 0x0a, 0x0c):          # const1u, 2u, 4u
            stack.append(reader.number({8: '<B', 10: '<H', 12: '<I'}[operation]))
        elif operation in (0x09, 0x0b, 0x0d):          # const1s, 2s, 4s
            stack.append(reader.number({9: '<b', 11: '<h', 13: '<i'}[operation]))
        elif operation == 0x23:                        # plus_uconst
            stack.append(stack.pop() + reader.uleb() & MASK)
        else:
            stack.append(_binary(operation, stack.pop(), stack.pop()))
    return stack.pop()


def _binary(operation, right, left):
    results = {0x1a: left & right, 0x22: left + right, 0x1c: left - right, 0x24: left << right,
               0x21: left | right, 0x2a: int(left >= right), 0x29: int(left == right)}
    if operation not in results:
        raise CfiError(f'operation {operation:#x} of an expression is not supported')
    return results[operation] & MASK


def _by_frame_pointer(frame, read):
    """For code without information, if it keeps a frame pointer."""
    rbp, rsp = frame.registers['rbp'], frame.registers['rsp']
    if not rbp or rsp is None or rbp < rsp or rbp % 8:
        return None
    new = dict(frame.registers, rbp=_word(read, rbp), rip=_word(read, rbp + 8), rsp=rbp + 16)
    return Frame(new['rip'], False, new, 'frame pointer')


def _word(read, address):
    return int.from_bytes(read(address & MASK, 8), 'little')
