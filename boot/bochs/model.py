"""The mappings that processes should have: those that a program file asks for, independent of umbra, from the output
of readelf; and a model that follows the operations of a scenario.

The model has no tables, no areas and no reference counts. For each page of each process it has the result
of mmap(2) and similar calls, and the frame.  A frame here is an object; two pages of the machine
must have the same frame exactly if they have the same object in the model.
"""
import dataclasses
import re

import tools
from bochs.paging import PAGE_SIZE

# The stack of a new process: STACK_TOP and STACK_PAGES of the kernel.
STACK_TOP = 0x7fff_ffff_e000
STACK_PAGES = 32
# The base of a program without a fixed address, with noaslr: PIE_BASE of the kernel.
PIE_BASE = 0x5555_5555_4000

LOAD_LINE = re.compile(r' +LOAD +(0x[0-9a-f]+) (0x[0-9a-f]+) 0x[0-9a-f]+ '
                       r'(0x[0-9a-f]+) (0x[0-9a-f]+) (R| )(W| )(E| )')


class ImageError(Exception):
    """The expected mappings cannot be derived from this file."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """A PT_LOAD program header, sizes and addresses in bytes."""
    offset: int
    address: int
    file_size: int
    memory_size: int
    writable: bool
    executable: bool

    def pages(self):
        """The addresses of the pages that it touches."""
        first = self.address & -PAGE_SIZE
        return range(first, self.address + self.memory_size, PAGE_SIZE)


@dataclasses.dataclass(frozen=True)
class Program:
    """A static program at a fixed address: its content and its segments."""
    path: str
    content: bytes
    segments: tuple

    def rights(self):
        """Maps each page of the image to its permissions, in the words of Mapping."""
        wanted = {}
        for segment in self.segments:
            word = f'user r{"w" if segment.writable else "-"}{"x" if segment.executable else "-"}'
            for page in segment.pages():
                if wanted.setdefault(page, word) != word:
                    raise ImageError(f'{self.path}: two segments share the page {page:#x}')
        return wanted

    def bytes_of(self, segment):
        """The memory of a segment at the program's start: file bytes, then zeros; for a writable
        one up to the end of its last page."""
        size = segment.memory_size
        if segment.writable:
            size = -(-(segment.address + size) // PAGE_SIZE) * PAGE_SIZE - segment.address
        content = self.content[segment.offset:segment.offset + segment.file_size]
        return content + bytes(size - len(content))


def read_program(path, content, scratch, base=None):
    """The program with this content; `scratch` is a folder for a file that readelf can open. One
    without a fixed address is refused, unless its `base` is given."""
    copy = scratch / 'program'
    copy.write_bytes(content)
    text = tools.run(['readelf', '-lW', str(copy)],
                     env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin'})
    fixed = 'Elf file type is EXEC' in text
    if not fixed and base is None:
        raise ImageError(f'{path} is not at a fixed address')
    segments = []
    for match in LOAD_LINE.finditer(text):
        numbers = [int(match[group], 16) for group in range(1, 5)]
        numbers[1] += 0 if fixed else base
        segments.append(Segment(*numbers, match[6] == 'W', match[7] == 'E'))
    if not segments:
        raise ImageError(f'readelf lists no segment of {path}')
    return Program(path, content, tuple(segments))


def stack_rights(pages=STACK_PAGES):
    """Maps each page of a new stack to its permissions."""
    return {STACK_TOP - PAGE_SIZE * (index + 1): 'user rw-' for index in range(pages)}


AROUND_PAGES = 32  # as in kernel/mm/fault.c: a read of a file page maps the aligned block around it


@dataclasses.dataclass(eq=False)
class Frame:
    """A frame, compared by identity. `content` is None if it is not known."""
    kind: str  # anon, file, zero
    content: bytearray | None = None

    def copy(self):
        """A private copy."""
        return Frame('anon', None if self.content is None else bytearray(self.content))


class Store:
    """The object of a shared or a file mapping: pages of a file, or shared anonymous memory."""

    def __init__(self, size, content=None):
        self.pages = -(-size // PAGE_SIZE)
        self._frames = {}
        for index in range(self.pages if content is not None else 0):
            part = content[index * PAGE_SIZE:(index + 1) * PAGE_SIZE]
            self._frames[index] = Frame('file', bytearray(part.ljust(PAGE_SIZE, b'\0')))

    def frame(self, index):
        """The page, or None for a hole."""
        return self._frames.get(index)

    def fill(self, index):
        """The page, made if it is a hole."""
        return self._frames.setdefault(index, Frame('file', bytearray(PAGE_SIZE)))


@dataclasses.dataclass(frozen=True)
class Place:
    """The rights of a process on a page, and the origin of its content."""
    rights: str  # as in rw-
    shared: bool = False
    store: Store | None = None
    index: int = 0


@dataclasses.dataclass
class Leaf:
    """A present page; with `optional` it may be absent until its next use."""
    frame: Frame
    writable: bool = False
    optional: bool = False


@dataclasses.dataclass
class Process:
    """Maps from the address of a page."""
    places: dict
    leaves: dict
    heap: int
    heap_pages: int = 0

    def permissions(self, page):
        """Of a leaf, in the words of Mapping; None for one that nobody may access."""
        rights = self.places[page].rights
        if rights == '---':
            return None
        return f'user r{"w" if self.leaves[page].writable else "-"}{rights[2]}'


def span(page, count):
    """The addresses of `count` pages."""
    return range(page, page + count * PAGE_SIZE, PAGE_SIZE)


class Model:
    """All processes. The methods have the names of the operations of a scenario."""

    def __init__(self, files):
        self.processes = {}
        self.zero = Frame('zero', bytearray(PAGE_SIZE))
        self._stores = {path: Store(len(content), content) for path, content in files.items()}

    def exec(self, pid, program):
        """A new program with every page present."""
        places, leaves = {}, {}
        for segment in program.segments:
            for page in segment.pages():
                index = (page - segment.address + segment.offset) // PAGE_SIZE
                in_file = page < segment.address + segment.file_size
                store = self._stores[program.path] if in_file else None
                rights = f'r{"w" if segment.writable else "-"}{"x" if segment.executable else "-"}'
                places[page] = Place(rights, False, store, index)
                leaves[page] = Leaf(Frame('anon'), True) if segment.writable else \
                    Leaf(store.frame(index))
        for page in stack_rights():
            places[page], leaves[page] = Place('rw-'), Leaf(Frame('anon'), True)
        end = max(segment.address + segment.memory_size for segment in program.segments)
        self.processes[pid] = Process(places, leaves, -(-end // PAGE_SIZE) * PAGE_SIZE)

    def file(self, path, pages):
        """A new file of this size, all of it a hole."""
        self._stores[path] = Store(pages * PAGE_SIZE)

    def map(self, pid, page, count, rights, sharing, path=None, first=0):
        """mmap(2) with MAP_FIXED."""
        self.unmap(pid, page, count)
        shared = sharing == 'shared'
        store = self._stores[path] if path else Store(count * PAGE_SIZE) if shared else None
        for number, at in enumerate(span(page, count)):
            self.processes[pid].places[at] = Place(rights, shared, store, first + number)

    def unmap(self, pid, page, count):
        """munmap(2)"""
        for at in span(page, count):
            self.processes[pid].places.pop(at, None)
            self.processes[pid].leaves.pop(at, None)

    def discard(self, pid, page, count):
        """madvise(2) with MADV_DONTNEED."""
        for at in span(page, count):
            self.processes[pid].leaves.pop(at, None)

    def protect(self, pid, page, count, rights):
        """mprotect(2)"""
        process = self.processes[pid]
        for at in span(page, count):
            place = process.places[at] = dataclasses.replace(process.places[at], rights=rights)
            if leaf := process.leaves.get(at):
                mine = leaf.frame.kind == 'file' if place.shared else self._is_own(leaf.frame)
                leaf.writable = 'w' in rights and mine

    def remap(self, pid, page, count, to, new_count):
        """mremap(2) to another place."""
        process = self.processes[pid]
        moved = [(process.places[at], process.leaves.get(at)) for at in span(page, count)]
        last = moved[-1][0]
        for more in range(new_count - count):
            moved.append((dataclasses.replace(last, index=last.index + more + 1), None))
        self.unmap(pid, page, count)
        self.unmap(pid, to, new_count)
        for at, (place, leaf) in zip(span(to, new_count), moved):
            process.places[at] = place
            if leaf:
                process.leaves[at] = leaf

    def brk(self, pid, count):
        """brk(2), in pages above the program."""
        process = self.processes[pid]
        end = process.heap + process.heap_pages * PAGE_SIZE
        if count > process.heap_pages:
            self.map(pid, end, count - process.heap_pages, 'rw-', 'private')
        else:
            less = process.heap_pages - count
            self.unmap(pid, end - less * PAGE_SIZE, less)
        process.heap_pages = count

    def read(self, pid, page, count=1):
        """The program reads each of the pages."""
        for at in span(page, count):
            self._read(self.processes[pid], at)

    def _read(self, process, page):
        place = process.places[page]
        if page in process.leaves:
            process.leaves[page].optional = False
        elif place.store is None:
            process.leaves[page] = Leaf(self.zero)
        else:
            block = page & -(AROUND_PAGES * PAGE_SIZE)
            for at in span(block, AROUND_PAGES):
                alike = dataclasses.replace(place, index=place.index + (at - page) // PAGE_SIZE)
                frame = self._seen(alike, filled=at == page)
                if process.places.get(at) == alike and frame:
                    process.leaves.setdefault(at, Leaf(frame))

    def _seen(self, place, filled):
        """The frame of a read file page. A hole is zeros in a private mapping; a shared one must
        see what others write there, so that its first use fills it."""
        if not 0 <= place.index < place.store.pages:
            return None
        if place.shared:
            return place.store.fill(place.index) if filled else place.store.frame(place.index)
        return place.store.frame(place.index) or self.zero

    def write(self, pid, page, count=1):
        """The program writes its pid into the first byte of each of the pages."""
        for at in span(page, count):
            self.admit(pid, at)
            self.store(pid, at)

    def admit(self, pid, page):
        """The first half of a write: the page can be written."""
        process = self.processes[pid]
        place = process.places[page]
        if place.shared:
            frame = place.store.fill(place.index)
        else:
            leaf = process.leaves.get(page)
            frame = leaf.frame if leaf else self._origin(place)
            if not self._is_own(frame):
                frame = frame.copy()
        process.leaves[page] = Leaf(frame, True)

    def store(self, pid, page):
        """The second half: the instruction is executed again."""
        frame = self.processes[pid].leaves[page].frame
        if frame.content is not None:
            frame.content[0] = pid

    def _origin(self, place):
        return place.store and place.store.frame(place.index) or self.zero

    def _is_own(self, frame):
        holders = sum(leaf.frame is frame for process in self.processes.values()
                      for leaf in process.leaves.values())
        return frame.kind == 'anon' and holders <= 1

    def grow(self, pid, page):
        """The stack's area goes down to that page, which is about to be written."""
        places = self.processes[pid].places
        lowest = STACK_TOP - PAGE_SIZE
        while lowest in places:
            lowest -= PAGE_SIZE
        for at in range(page, lowest + PAGE_SIZE, PAGE_SIZE):
            places[at] = Place('rw-')

    def fork(self, pid, child):
        """Private pages are shared until a process writes; file pages may be absent until used."""
        parent = self.processes[pid]
        leaves = {}
        for page, leaf in parent.leaves.items():
            place = parent.places[page]
            if not place.shared:
                leaf.writable = False
            leaves[page] = Leaf(leaf.frame, leaf.writable,
                                place.store is not None and leaf.frame.kind != 'anon')
        self.processes[child] = Process(dict(parent.places), leaves, parent.heap,
                                        parent.heap_pages)

    def exit(self, pid):
        """Removes the process and its mappings."""
        del self.processes[pid]
