"""A complete walk of the page tables from CR3, as the processor does it, and its cross-checks.

Bits and levels are named as in Intel SDM volume 3, chapter "Paging", section "4-Level Paging and
5-Level Paging", tables "Format of a Page-Map Level-4 Entry" and following.
"""
import dataclasses
import re

PAGE_SIZE = 4096
LEVELS = ('PML4', 'PDPT', 'PD', 'PT')
LEVEL_SHIFT = {'PML4': 39, 'PDPT': 30, 'PD': 21, 'PT': 12}

P, W, U = 1 << 0, 1 << 1, 1 << 2
ACCESSED, DIRTY, PS = 1 << 5, 1 << 6, 1 << 7
XD = 1 << 63
ADDRESS = 0x000f_ffff_ffff_f000

KERNEL_HALF = 0xffff_8000_0000_0000
PML4_ENTRY_SIZE = 1 << 39
KERNEL_SLOTS = range(256, 512)


@dataclasses.dataclass(frozen=True)
class Mapping:
    """One leaf of the walk: `size` bytes at `linear`, with the permissions of the whole walk."""
    linear: int
    physical: int
    size: int
    writable: bool
    user: bool
    executable: bool

    def permissions(self):
        """As a word like "user r-x"."""
        return (('user ' if self.user else 'kernel ') + 'r' + ('w' if self.writable else '-')
                + ('x' if self.executable else '-'))

    def pages(self):
        """The same as 4 KiB mappings."""
        for offset in range(0, self.size, PAGE_SIZE):
            yield dataclasses.replace(self, linear=self.linear + offset, size=PAGE_SIZE,
                                      physical=self.physical + offset)


@dataclasses.dataclass(frozen=True)
class AddressSpace:
    """All tables and mappings that are reachable from one CR3."""
    root: int
    tables: frozenset
    kernel_slots: tuple
    mappings: tuple
    kernel_entries_with_u: tuple
    parked: tuple = ()  # user leaves that hold a frame without being present: (linear, entry)

    def user(self):
        """The mappings of the user half."""
        return [mapping for mapping in self.mappings if mapping.linear < KERNEL_HALF]

    def kernel(self):
        """The mappings of the kernel half."""
        return [mapping for mapping in self.mappings if mapping.linear >= KERNEL_HALF]


def canonical(linear):
    """The address with bit 47 copied into the bits above."""
    return linear | 0xffff_0000_0000_0000 if linear >> 47 & 1 else linear


class _Walk:
    def __init__(self, debugger):
        self._debugger = debugger
        self.tables = set()
        self.mappings = []
        self.kernel_entries_with_u = []
        self.parked = []

    def table(self, physical, level, base, rights):
        """Visits one table; `rights` is (writable, user, executable) of the levels above."""
        self.tables.add(physical)
        entries = self._debugger.table(physical)
        for index, entry in enumerate(entries):
            linear = canonical(base + (index << LEVEL_SHIFT[LEVELS[level]]))
            if entry & P:
                self._entry(entry, level, linear, (rights[0] and bool(entry & W),
                                                   rights[1] and bool(entry & U),
                                                   rights[2] and not entry & XD))
            elif entry and linear < KERNEL_HALF:
                self.parked.append((linear, entry))
        return entries

    def _entry(self, entry, level, linear, rights):
        size = 1 << LEVEL_SHIFT[LEVELS[level]]
        if linear >= KERNEL_HALF and entry & U:
            self.kernel_entries_with_u.append((LEVELS[level], linear))
        if LEVELS[level] == 'PT' or (LEVELS[level] in ('PD', 'PDPT') and entry & PS):
            self.mappings.append(Mapping(linear, entry & ADDRESS & ~(size - 1), size, *rights))
        else:
            self.table(entry & ADDRESS, level + 1, linear, rights)


def walk(debugger, cr3):
    """Reads every table that is reachable from `cr3`."""
    reader = _Walk(debugger)
    entries = reader.table(cr3 & ADDRESS, 0, 0, (True, True, True))
    slots = tuple(entries[index] & ~ACCESSED for index in KERNEL_SLOTS)
    return AddressSpace(cr3 & ADDRESS, frozenset(reader.tables), slots, tuple(reader.mappings),
                        tuple(reader.kernel_entries_with_u), tuple(reader.parked))


LEVEL_LINE = re.compile(r' *(PML4|PDPE|PDE|PTE): (0x[0-9a-f]+) +(.*)')
TARGET_LINE = re.compile(r'linear page 0x[0-9a-f]+ maps to physical page (0x[0-9a-f]+)')


def page_command(debugger, linear):
    """The result of the debugger's `page`: a 4 KiB Mapping, or None if the address is not mapped.

    The permissions come from the letters that it prints, not from the entries' bits, so that
    this shares nothing with walk().
    """
    writable = user = executable = True
    target = None
    for line in debugger.page(linear):
        if level := LEVEL_LINE.match(line):
            letters = level[3].split()
            writable = writable and 'W' in letters
            user = user and 'U' in letters
            executable = executable and 'XD' not in letters
        elif match := TARGET_LINE.match(line):
            target = int(match[1], 16)
    if target is None:
        return None
    return Mapping(linear, target, PAGE_SIZE, writable, user, executable)


def ranges(mappings):
    """The mappings as (first, last, physical first), merged like the ranges of `info tab`."""
    merged = []
    for mapping in mappings:
        if merged:
            first, last, physical = merged[-1]
            if mapping.linear == last + 1 and mapping.physical == physical + (last + 1 - first):
                merged[-1] = (first, last + mapping.size, physical)
                continue
        merged.append((mapping.linear, mapping.linear + mapping.size - 1, mapping.physical))
    return merged
