"""Physical memory of a stopped machine, and its page tables: the walk of one address as the processor does it,
all leaves of a user half, and the differences between two moments.

All commands read the machine through the class Memory, so they work on any memory: of Bochs, of a core file, or
one that a test has built. Levels and bits are named as in Intel SDM volume 3, chapter "Paging", section "4-Level
Paging and 5-Level Paging".
"""
import dataclasses
import struct

from bochs.paging import ADDRESS, LEVELS, LEVEL_SHIFT, P, PS, U, W, XD

PAGE_SIZE = 4096


class Unreadable(Exception):
    """No memory is there, or no page is mapped at a linear address."""


class Memory:
    """Pages that are fetched once and kept until forget(): the machine is stopped meanwhile."""

    def __init__(self, fetch, save=None):
        """`fetch(address, size)` returns the bytes at a physical address, or None; `save(size)`, where it is
        faster, yields all bytes from 0 on in pieces."""
        self._fetch, self.save = fetch, save
        self._pages = {}

    def forget(self):
        """The machine has run, so that pages may have other contents."""
        self._pages.clear()

    def _page(self, address):
        if address not in self._pages:
            self._pages[address] = self._fetch(address, PAGE_SIZE)
        if self._pages[address] is None:
            raise Unreadable(f'there is no memory at physical address {address:#x}')
        return self._pages[address]

    def load(self, address, size):
        """Fetches the pages of a large range at once."""
        first, end = address & -PAGE_SIZE, -(-(address + size) // PAGE_SIZE) * PAGE_SIZE
        content = self._fetch(first, end - first)
        if content is not None:
            for page in range(first, end, PAGE_SIZE):
                self._pages[page] = content[page - first:page - first + PAGE_SIZE]

    def uncached(self, address, size):
        """The bytes of whole pages, or None; nothing is kept."""
        return self._fetch(address, size)

    def physical(self, address, size):
        """The bytes at a physical address; raises Unreadable."""
        parts = []
        while size > 0:
            offset = address % PAGE_SIZE
            part = self._page(address - offset)[offset:offset + size]
            parts.append(part)
            address += len(part)
            size -= len(part)
        return b''.join(parts)

    def table(self, physical):
        """The 512 entries of the page table at a physical address."""
        return struct.unpack('<512Q', self.physical(physical, PAGE_SIZE))


USER_SLOTS = 256
TOUCHED = 1 << 5 | 1 << 6  # the bits "accessed" and "dirty"

# The bits that an entry may have set, in words.
BITS = ((P, 'present'), (W, 'writable'), (U, 'user'), (1 << 3, 'write-through'),
        (1 << 4, 'cache disabled'), (1 << 5, 'accessed'), (1 << 6, 'dirty'), (1 << 8, 'global'),
        (1 << 9, 'bit 9'), (1 << 10, 'bit 10'), (1 << 11, 'bit 11'), (XD, 'execute-disable'))


def canonical(linear):
    """Whether bits 63 to 47 are equal."""
    return linear >> 47 in (0, 0x1ffff)


@dataclasses.dataclass(frozen=True)
class Step:
    """One level of a walk: entry `index` of the table at a physical address."""
    level: str
    table: int
    index: int
    entry: int

    def leaf(self):
        """Whether the entry maps memory: a page, or a large page."""
        return self.level == 'PT' or (self.level in ('PDPT', 'PD') and bool(self.entry & PS))

    def size(self):
        """The bytes that the entry maps, or that the table below it maps."""
        return 1 << LEVEL_SHIFT[self.level]

    def target(self):
        """The physical address in the entry: of memory, or of the next table."""
        mask = ~(self.size() - 1) if self.leaf() else -1
        return self.entry & ADDRESS & mask

    def words(self):
        """The bits that are set, in words."""
        if not self.entry & P:
            return 'not present' + (f' (the other bits are {self.entry:#x})' if self.entry else '')
        names = [name for bit, name in BITS if self.entry & bit]
        if self.level in ('PDPT', 'PD') and self.entry & PS:
            names.append('large page')
        if not self.entry & W:
            names.insert(1, 'read-only')
        if not self.entry & U:
            names.insert(2, 'supervisor')
        return ', '.join(names)


def walk(memory, cr3, linear):
    """The steps for an address, down to a leaf or to the first entry that is not present."""
    steps = []
    table = cr3 & ADDRESS
    for level in LEVELS:
        index = linear >> LEVEL_SHIFT[level] & 511
        entry = memory.table(table)[index]
        steps.append(Step(level, table, index, entry))
        if not entry & P or steps[-1].leaf():
            break
        table = entry & ADDRESS
    return steps


def rights(steps):
    """(writable, user, executable) of a walk that reached a leaf: a right needs every level."""
    return (all(step.entry & W for step in steps), all(step.entry & U for step in steps),
            not any(step.entry & XD for step in steps))


def translate(memory, cr3, linear):
    """The physical address, or None if the address is not mapped."""
    if not canonical(linear):
        return None
    last = walk(memory, cr3, linear)[-1]
    if not last.entry & P:
        return None
    return last.target() + linear % last.size()


def read(memory, cr3, linear, size):
    """The bytes at a linear address; raises Unreadable."""
    parts = []
    while size > 0:
        physical = translate(memory, cr3, linear)
        if physical is None:
            raise Unreadable(f'no page is mapped at {linear:#x}')
        part = memory.physical(physical, min(size, PAGE_SIZE - linear % PAGE_SIZE))
        parts.append(part)
        linear += len(part)
        size -= len(part)
    return b''.join(parts)


@dataclasses.dataclass(frozen=True)
class UserHalf:
    """All of a user half: its leaves (linear address: entry, also those that hold a frame without
    being present) and its tables (physical address: level and first linear address)."""
    leaves: dict
    tables: dict


def user_half(memory, cr3):
    """Reads all tables of the user half."""
    leaves, tables = {}, {}

    def visit(table, level, base):
        entries = memory.table(table)
        for index in range(USER_SLOTS if level == 0 else 512):
            entry = entries[index]
            if not entry:
                continue
            name = LEVELS[level]
            linear = base + (index << LEVEL_SHIFT[name])
            if name == 'PT' or entry & PS and name != 'PML4':
                leaves[linear] = entry
            elif entry & P:
                tables[entry & ADDRESS] = (LEVELS[level + 1], linear)
                visit(entry & ADDRESS, level + 1, linear)

    visit(cr3 & ADDRESS, 0, 0)
    return UserHalf(leaves, tables)


def letters(entry):
    """The rights of a leaf of the user half, as "rw-"."""
    return 'r' + ('w' if entry & W else '-') + ('-' if entry & XD else 'x')


def leaf_words(entry):
    """A leaf of the user half as "frame 0x1000 rw-"."""
    frame = f'frame {entry & ADDRESS:#x}'
    return f'{frame} {letters(entry)}' if entry & P else f'{frame}, not present'


def _rights(entry):
    return leaf_words(entry).split(' ', 2)[2]


def _change(old, new):
    """What happened to a page, and its frames, in words; None if only "accessed" and "dirty"
    changed."""
    if old is None:
        return f'new, {_rights(new)}', f'frame {new & ADDRESS:#x}'
    if new is None:
        return f'gone; it was {_rights(old)}', f'frame {old & ADDRESS:#x}'
    if (old ^ new) & ADDRESS:
        return (f'another frame, {_rights(new)}; it was {_rights(old)}',
                f'frame {new & ADDRESS:#x} instead of {old & ADDRESS:#x}')
    if (old ^ new) & ~TOUCHED:
        return f'{_rights(new)}; it was {_rights(old)}', f'frame {new & ADDRESS:#x}'
    return None


def changes(before, after):
    """What changed between two UserHalf: runs of neighbours with the same change, as [words, first,
    end, frame], and the number of pages of which only the bits "accessed" and "dirty" changed."""
    used, runs = 0, []
    for linear in sorted(before.leaves.keys() | after.leaves.keys()):
        old, new = before.leaves.get(linear), after.leaves.get(linear)
        if old == new:
            continue
        change = _change(old, new)
        if change is None:
            used += 1
        elif runs and runs[-1][0] == change[0] and runs[-1][2] == linear:
            runs[-1][2] += PAGE_SIZE
        else:
            runs.append([change[0], linear, linear + PAGE_SIZE, change[1]])
    return runs, used


def differences(before, after):
    """The changes between two UserHalf as sentences."""
    runs, used = changes(before, after)
    for what, first, end, frame in runs:
        count = (end - first) // PAGE_SIZE
        yield (f'page {first:#x} is {what} ({frame}).' if count == 1
               else f'{count} pages {first:#x}-{end:#x} are {what}.')
    for table, (level, linear) in sorted(after.tables.items()):
        if table not in before.tables:
            yield f'table {level} for {linear:#x} is new: frame {table:#x}.'
    for table, (level, linear) in sorted(before.tables.items()):
        if table not in after.tables:
            yield f'table {level} for {linear:#x} is gone: frame {table:#x}.'
    if used:
        yield f'{used} page{"s were" if used > 1 else " was"} used (accessed or dirty bit).'
