"""Compares the kernel's frame records, read from its memory, with the page tables."""
import collections
import dataclasses
import re
import struct

import tools
from bochs.paging import ADDRESS, KERNEL_HALF, PAGE_SIZE

# struct frame and enum frame_kind of kernel/mm/frame.h.
RECORD = struct.Struct('<16xIBBHQ')
KINDS = ('reserved', 'free', 'kernel', 'boot', 'table', 'slab', 'stack', 'anon', 'file')
SYMBOLS = ('frame_records', 'frame_records_size', 'kernel_pagetable', 'aspace_zero_frame')


class FramesError(Exception):
    """The kernel has no such symbols, or the records are not valid."""


@dataclasses.dataclass(frozen=True)
class Records:
    """The records: (kind, references) of each frame, by number, and two frames by address."""
    frames: tuple
    kernel_root: int
    zero: int

    def counts(self):
        """The number of frames of each kind."""
        return collections.Counter(kind for kind, _ in self.frames)

    def of(self, physical):
        """(kind, references) of the frame at a physical address."""
        return self.frames[physical // PAGE_SIZE]


def symbols(kernel):
    """The addresses of the variables that read() needs, from the kernel's ELF file."""
    text = tools.run(['nm', str(kernel)])
    found = {match[2]: int(match[1], 16)
             for match in re.finditer(r'^([0-9a-f]+) \w (\w+)$', text, re.M)}
    missing = [name for name in SYMBOLS if name not in found]
    if missing:
        raise FramesError(f'{kernel} has no symbol {missing[0]}')
    return {name: found[name] for name in SYMBOLS}


def read(debugger, where):
    """The records, at a stop in the kernel. `where` is the result of symbols()."""
    def word(address):
        return int.from_bytes(debugger.memory(address, 8), 'little')

    base, count = word(where['frame_records']), word(where['frame_records_size'])
    data = debugger.memory(base, count * RECORD.size)
    frames = tuple((KINDS[kind] if kind < len(KINDS) else f'kind {kind}', refs)
                   for refs, kind, _, _, _ in RECORD.iter_unpack(data))

    def address(pointer):
        number, rest = divmod(pointer - base, RECORD.size)
        if rest or not 0 <= number < count:
            raise FramesError(f'{pointer:#x} is not a record')
        return number * PAGE_SIZE

    return Records(frames, address(word(where['kernel_pagetable'])),
                   address(word(where['aspace_zero_frame'])))


def holders(spaces):
    """The number of leaves of each frame in the user halves, including those not present."""
    count = collections.Counter()
    for space in spaces:
        count.update(page.physical for mapping in space.user() for page in mapping.pages())
        count.update(entry & ADDRESS for _, entry in space.parked)
    return count


def tables(records, spaces):
    """Every frame that the kernel calls a page table is one of a live address space, and the other
    way round."""
    reached = {records.kernel_root}.union(*(space.tables for space in spaces))
    for number, (kind, _) in enumerate(records.frames):
        physical = number * PAGE_SIZE
        if kind == 'table' and physical not in reached:
            yield f'frame {physical:#x} is recorded as a page table, of no live address space'
        if kind != 'table' and physical in reached:
            yield f'page table {physical:#x} is recorded as {kind}'


def references(records, spaces):
    """Each user page's frame has one reference for each leaf; one more for the file, or for the
    frame of zeros."""
    held = holders(spaces)
    for physical in sorted(held):
        kind, refs = records.of(physical)
        more = 1 if kind == 'file' or physical == records.zero else 0
        if kind not in ('anon', 'file') and physical != records.zero:
            yield f'frame {physical:#x} is mapped, and recorded as {kind}'
        elif refs != held[physical] + more:
            yield (f'frame {physical:#x}, {kind}, has {refs} references, '
                   f'wanted {held[physical] + more}')
    for number, (kind, refs) in enumerate(records.frames):
        if kind == 'anon' and number * PAGE_SIZE not in held:
            yield (f'frame {number * PAGE_SIZE:#x} is recorded as anon with {refs} references, '
                   'and is mapped nowhere')


def unchanged(records, earlier):
    """As many frames of each kind as at an earlier stop."""
    have, want = records.counts(), earlier.counts()
    for kind in sorted(have.keys() | want.keys()):
        if have[kind] != want[kind]:
            yield f'{have[kind]} frames are {kind}, they were {want[kind]}'


def direct_map(physical):
    """Where the kernel sees a physical address."""
    return KERNEL_HALF + physical
