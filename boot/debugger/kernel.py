"""What the stopped kernel knows: processes, areas, files and frames, read from its memory by the DWARF descriptions
of its structures."""
import dataclasses
import functools
import threading

from bochs.paging import ADDRESS, KERNEL_HALF, PAGE_SIZE
from debugger import tables
from debugger.tables import Unreadable

# A function of each unit whose structures are wanted: .debug_aranges leads to it, so that the other
# units are not read, which takes seconds.
FUNCTIONS = ('exec_commit', 'filemap_add', 'files_find', 'umvfs_find')


class TypeMissing(Exception):
    """The debug file does not describe this structure or member."""


@dataclasses.dataclass
class Type:
    """A type: `kind` is int, pointer, array, struct or void; `target` is what a pointer points to,
    or the elements of an array; `members` maps names to (offset, Type)."""
    kind: str
    size: int = 0
    signed: bool = False
    name: str = ''
    target: 'Type | None' = None
    count: int = 0
    members: dict = dataclasses.field(default_factory=dict)
    names: dict = dataclasses.field(default_factory=dict)  # of an enumeration's values


def _name(die):
    attribute = die.attributes.get('DW_AT_name')
    return attribute.value.decode() if attribute else ''


def _number(die, attribute, default=0):
    found = die.attributes.get(attribute)
    return found.value if found else default


def _units(elf):
    """The units of FUNCTIONS."""
    table = elf.get_section_by_name('.symtab')
    information = elf.get_dwarf_info()
    ranges = information.get_aranges()
    for name in FUNCTIONS if table and ranges else ():
        for symbol in table.get_symbol_by_name(name) or ():
            offset = ranges.cu_offset_at_addr(symbol['st_value'])
            if offset is not None:
                yield information.get_CU_at(offset)


class Types:
    """The structures that the units of FUNCTIONS describe, by name."""

    def __init__(self, elf):
        """`elf` is an ELFFile of pyelftools with DWARF information."""
        self._converted = {}
        self._structs = {}
        for unit in _units(elf):
            for die in unit.get_top_DIE().iter_children():
                if (die.tag == 'DW_TAG_structure_type' and _name(die)
                        and 'DW_AT_declaration' not in die.attributes):
                    self._structs.setdefault(_name(die), die)

    def struct(self, name):
        """The structure with this name."""
        if name not in self._structs:
            raise TypeMissing(f'the kernel\'s debug file does not describe struct {name}')
        return self._type(self._structs[name])

    def offset(self, struct, member):
        """The offset of a member in bytes."""
        return self.struct(struct).members[member][0]

    def _target(self, die):
        if 'DW_AT_type' not in die.attributes:
            return Type('void')
        return self._type(die.get_DIE_from_attribute('DW_AT_type'))

    def _type(self, die):
        if die.tag in ('DW_TAG_typedef', 'DW_TAG_const_type', 'DW_TAG_volatile_type'):
            return self._target(die)
        if 'DW_AT_declaration' in die.attributes and _name(die) in self._structs:
            return self._type(self._structs[_name(die)])
        if die.offset not in self._converted:
            made = self._converted[die.offset] = Type('void')
            self._fill(made, die)
        return self._converted[die.offset]

    def _fill(self, made, die):
        tag = die.tag.removeprefix('DW_TAG_')
        made.name, made.size = _name(die), _number(die, 'DW_AT_byte_size')
        if tag in ('base_type', 'enumeration_type'):
            made.kind = 'int'
            made.signed = _number(die, 'DW_AT_encoding') in (5, 6, 13)  # DW_ATE_signed...
            made.names = {_number(child, 'DW_AT_const_value'): _name(child)
                          for child in die.iter_children() if child.tag == 'DW_TAG_enumerator'}
        elif tag == 'pointer_type':
            made.kind, made.size, made.target = 'pointer', 8, self._target(die)
        elif tag == 'array_type':
            made.kind, made.target, made.count = 'array', self._target(die), 1
            for child in die.iter_children():
                made.count *= _number(child, 'DW_AT_upper_bound', -1) + 1
            made.size = made.count * made.target.size
        elif tag in ('structure_type', 'union_type'):
            self._fill_struct(made, die)

    def _fill_struct(self, made, die):
        made.kind = 'struct'
        for child in die.iter_children():
            if child.tag != 'DW_TAG_member':
                continue
            if 'DW_AT_data_bit_offset' in child.attributes:
                # Only bits that fill whole bytes are members here.
                at, bits = _number(child, 'DW_AT_data_bit_offset'), _number(child, 'DW_AT_bit_size')
                if at % 8 == 0 and bits % 8 == 0:
                    made.members[_name(child)] = (at // 8, Type('int', bits // 8))
                continue
            offset = _number(child, 'DW_AT_data_member_location')
            inner = self._target(child)
            if _name(child):
                made.members[_name(child)] = (offset, inner)
            else:
                for name, (more, member) in inner.members.items():
                    made.members[name] = (offset + more, member)
        # An address of the kernel (arch/phys.h) is a number in a structure without a name.
        if not made.name and list(made.members) == ['value'] and made.members['value'][1].kind == 'int':
            made.kind, made.members = 'int', {}


class View:
    """A structure in memory: its members are attributes. A pointer to a structure reads as a View,
    or None if it is 0; an array of characters as its text; a structure as a View."""

    def __init__(self, read, made, address):
        """`read(address, size)` returns bytes of linear memory."""
        self._read, self._made, self.address = read, made, address

    def __getattr__(self, name):
        if name not in self._made.members:
            raise TypeMissing(f'struct {self._made.name} has no member {name}')
        offset, made = self._made.members[name]
        return value(self._read, made, self.address + offset)

    def address_of(self, name):
        """The address of a member."""
        return self.address + self._made.members[name][0]

    def word_of(self, name):
        """The value of an enumeration in a member, as a word: live for PROCESS_LIVE."""
        constant = self._made.members[name][1].names.get(getattr(self, name), '?')
        return constant.partition('_')[2].lower() or constant

    def __eq__(self, other):
        return isinstance(other, View) and other.address == self.address

    def __hash__(self):
        return hash(self.address)


def value(read, made, address):
    """The value of this type at an address."""
    if made.kind == 'int':
        return int.from_bytes(read(address, made.size), 'little', signed=made.signed)
    if made.kind == 'pointer':
        target = int.from_bytes(read(address, 8), 'little')
        if made.target.kind != 'struct':
            return target
        return View(read, made.target, target) if target else None
    if made.kind == 'array':
        if made.target.size == 1:
            return read(address, made.size).split(b'\0')[0].decode(errors='replace')
        return [value(read, made.target, address + index * made.target.size)
                for index in range(made.count)]
    return View(read, made, address)


DIRECT_MAP_END = KERNEL_HALF + (1 << 39)
PARTS_MAX = 64  # of a path
LIST_MAX = 100_000  # entries after which a list counts as damaged

SIGSTOP = 19
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
# VMA_* of kernel/mm/vma.h
SHARED, GROWSDOWN, NO_WRITE, BRK, HAS_ANON = 1, 2, 4, 8, 16
FRAME_KINDS = ('reserved', 'free', 'kernel', 'boot', 'table', 'slab', 'stack', 'anon', 'file')


@dataclasses.dataclass(frozen=True)
class Area:
    """A virtual memory area of a process; `path` is '' for an anonymous one."""
    start: int
    end: int
    prot: int
    flags: int
    path: str
    offset: int   # in the file, at `start`
    inode: int    # the address of its record, or 0

    def letters(self):
        """As in /proc/PID/maps."""
        return (('r' if self.prot & PROT_READ else '-') + ('w' if self.prot & PROT_WRITE else '-')
                + ('x' if self.prot & PROT_EXEC else '-')
                + ('s' if self.flags & SHARED else 'p'))

    def words(self):
        """What the area is, in words."""
        if self.path:
            shared = 'shared' if self.flags & SHARED else 'private'
            return f'{self.path}, {shared}, from file offset {self.offset:#x}'
        if self.flags & GROWSDOWN:
            return 'a stack, which grows down'
        if self.flags & BRK:
            return 'the heap of brk(2)'
        return ('shared ' if self.flags & SHARED else '') + 'anonymous memory'


@dataclasses.dataclass(frozen=True)
class Frame:
    """The record of a physical frame."""
    address: int
    kind: str
    refs: int


def _kind(number):
    return FRAME_KINDS[number] if number < len(FRAME_KINDS) else f'kind {number}'


class Kernel:
    """The kernel of a stopped machine. `cr3()` is the current root: the kernel half is the same
    in all of them."""

    def __init__(self, elf, memory, cr3):
        self.elf = elf
        self.memory = memory
        self._cr3 = cr3
        self._load_types(elf)

    def _load_types(self, elf):
        """Reads the descriptions of structures while the machine boots: it takes a moment."""
        result = []

        def load():
            try:
                result.append(Types(elf.another_file()))
            except Exception as error:  # raised where the result is used
                result.append(error)

        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        self._loading = thread, result

    @functools.cached_property
    def _types(self):
        thread, result = self._loading
        thread.join()
        if isinstance(result[0], Exception):
            raise result[0]
        return result[0]

    @functools.cached_property
    def _frame_size(self):
        return self._types.struct('frame').size

    def read(self, address, size):
        """The bytes at a linear address of the kernel half; raises Unreadable."""
        if KERNEL_HALF <= address < DIRECT_MAP_END:
            return self.memory.physical(address - KERNEL_HALF, size)
        return tables.read(self.memory, self._cr3(), address, size)

    def word(self, name):
        """The eight bytes of a variable."""
        return int.from_bytes(self.read(self.elf.symbol(name), 8), 'little')

    def view(self, struct, address):
        """A structure at an address."""
        return View(self.read, self._types.struct(struct), address)

    def list(self, head, struct, member):
        """The structures of a list (lib/list.h) whose head is at an address."""
        offset = self._types.offset(struct, member)
        link = head
        for _ in range(LIST_MAX):
            link = int.from_bytes(self.read(link, 8), 'little')
            if link in (head, 0):
                return
            yield self.view(struct, link - offset)
        raise Unreadable(f'the list at {head:#x} does not end')

    # Processes

    def processes(self):
        """All processes that are not reaped; none before the kernel has set up their list."""
        try:
            return list(self.list(self.elf.symbol('process_list'), 'process', 'all'))
        except Unreadable:
            return []

    def current(self):
        """The current process, or None during boot."""
        try:
            address = self.word('current_process')
        except Unreadable:
            return None
        return self.view('process', address) if address else None

    def process(self, pid):
        """The process with this pid, or None."""
        return next((process for process in self.processes() if process.pid == pid), None)

    def root_of(self, process):
        """The physical address of its PML4, or None after its end."""
        if process.aspace is None:
            return None
        return self.frame_address(process.aspace.pt.root.address)

    def owner_of(self, cr3):
        """The process whose address space this is, or None."""
        return next((process for process in self.processes()
                     if self.root_of(process) == cr3 & ADDRESS), None)

    def comm(self, process):
        """The short name of a process, as ps shows it."""
        for thread in self.threads(process):
            return thread.comm
        return process.last_comm

    def threads(self, process):
        """Its threads, the main one first."""
        return self.list(process.address_of('threads'), 'thread', 'siblings')

    @staticmethod
    def signal_actions(process):
        """(number, action) of each signal for which something was set: kernel/task/signal.h has where they end."""
        handlers = process.sighand.actions if process.sighand else []
        end = handlers[SIGSTOP - 1].used if handlers else 0
        return [(index + 1, action) for index, action in enumerate(handlers[:end]) if action.handler]

    # Areas and files

    def areas(self, process):
        """The areas of a process in the order of their addresses."""
        if process is None or process.aspace is None:
            return []
        head = process.aspace.areas.address_of('list')
        return [self._area(vma) for vma in self.list(head, 'vma', 'link')]

    def _area(self, vma):
        inode = vma.inode
        return Area(vma.start, vma.end, vma.prot, vma.flags,
                    self.path_of_inode(inode) if inode else '', vma.page_index * PAGE_SIZE,
                    inode.address if inode else 0)

    def path_of_inode(self, inode):
        """The path of a mapped file: the kernel keeps it for /proc/PID/maps."""
        if not inode.address or not inode.cookie:
            return f'inode {inode.ino}'
        path = self.view('filemap', inode.cookie).path
        return self.path_of(path) if path.dentry else f'inode {inode.ino}'

    def path_of(self, place):
        """The path of a place (struct umvfs_path), from the root of all mounts on."""
        parts, mount, dentry = [], place.mnt, place.dentry
        while len(parts) < PARTS_MAX:
            if mount and dentry == mount.root:
                if not mount.parent:
                    break
                mount, dentry = mount.parent, mount.point
            elif dentry.parent == dentry:
                break
            else:
                parts.append(self._dentry_name(dentry))
                dentry = dentry.parent
        return '/' + '/'.join(reversed(parts))

    def _dentry_name(self, dentry):
        length = dentry.name_len
        at = dentry.address_of('name')
        if length > 24:  # the union is then a pointer
            at = int.from_bytes(self.read(at, 8), 'little')
        return self.read(at, length).decode(errors='replace')

    # Frames

    def frame_address(self, record):
        """The physical address of the frame with a record at this address."""
        return (record - self.word('frame_records')) // self._frame_size * PAGE_SIZE

    def load_frames(self):
        """Fetches all records at once, for commands that look at many."""
        try:
            first, count = self.word('frame_records'), self.word('frame_records_size')
        except Unreadable:  # the kernel is not where it will be
            first = 0
        if not first:
            raise Unreadable('the kernel has no records of frames yet: it is early in the boot.')
        self.memory.load(first - KERNEL_HALF, count * self._frame_size)

    def frame(self, physical):
        """The record of the frame at a physical address; None if there is none."""
        number = physical // PAGE_SIZE
        if number >= self.word('frame_records_size'):
            return None
        record = self.view('frame', self.word('frame_records') + number * self._frame_size)
        return Frame(number * PAGE_SIZE, _kind(record.kind), record.refs)

    def frame_runs(self):
        """(address, count, kind, references) of all frames: neighbours that are alike are one run."""
        size, kind_at = self._frame_size, self._types.offset('frame', 'kind')
        refs_at, refs = self._types.struct('frame').members['refs']
        records = self.read(self.word('frame_records'), self.word('frame_records_size') * size)
        runs = []
        for number, at in enumerate(range(0, len(records), size)):
            here = (_kind(records[at + kind_at]), int.from_bytes(
                records[at + refs_at:at + refs_at + refs.size], 'little', signed=refs.signed))
            if runs and runs[-1][2:] == here:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, *here)
            else:
                runs.append((number * PAGE_SIZE, 1, *here))
        return runs

    def zero_frame(self):
        """The physical address of the frame of zeros."""
        return self.frame_address(self.word('aspace_zero_frame'))
