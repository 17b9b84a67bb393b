"""Structures of the kernel, as the DWARF descriptions in its debug file define them."""
import dataclasses

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
