"""Backtraces: from the registers of a stopped machine to those of each caller."""
import dataclasses

from debugger.cfi import REGISTERS, RIP, CfiError, Reader
from debugger.memory import Unreadable

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
    `read(address, size)` reads linear memory, `table_for(pc)` returns (cfi.Table, load bias) or None,
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
        caller = _by_frame_pointer(frame, read)
        return caller if caller and is_code(caller.lookup()) else None
    except (CfiError, Unreadable, IndexError, TypeError):  # the last two: a damaged rule, an unknown register
        return None


def _by_call(frame, read):
    """The caller of an address without code: the call has pushed where it returns to, and nothing more came."""
    rsp = frame.registers['rsp']
    new = dict(frame.registers, rip=_word(read, rsp), rsp=rsp + 8)
    return Frame(new['rip'], False, new, 'call')


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
