"""Sentences about one address: how it is mapped, whether an access faults, where its page comes
from. Everything here is read from memory, so that it is tested without a machine."""
from bochs.paging import ADDRESS, KERNEL_HALF, P, PAGE_SIZE, U, W, XD
from debugger import kernel, tables
from debugger.tables import Unreadable

CR0_WP, CR4_SMEP, CR4_SMAP, RFLAGS_AC = 1 << 16, 1 << 20, 1 << 21, 1 << 18
CR0_PG = 1 << 31
NOWHERE = 1 << 64  # above all addresses
ACCESSES = {'r': ('A read', kernel.PROT_READ), 'w': ('A write', kernel.PROT_WRITE),
            'x': ('An execution', kernel.PROT_EXEC)}
KIND_WORDS = {'reserved': 'not RAM, or never given to the allocator', 'free': 'free',
              'kernel': 'of the kernel image or the frame records', 'boot': 'of the boot modules',
              'table': 'a page table', 'slab': 'kernel objects', 'stack': 'a kernel stack',
              'anon': 'a private page of programs', 'file': 'a page of a file in the VFS'}


def letters(steps):
    """The rights of a complete walk, as "user r-x"."""
    writable, user, executable = tables.rights(steps)
    return (('user ' if user else 'kernel ') + 'r' + ('w' if writable else '-')
            + ('x' if executable else '-'))


def walk(session, linear):
    """Each level of the walk of an address, and where the page comes from."""
    if not session.registers()['cr0'] & CR0_PG:
        yield f'Paging is off: {linear:#x} is the physical address itself.'
        return
    if not tables.canonical(linear):
        yield f'{linear:#x} is not canonical: bits 63 to 47 differ. An access faults with #GP.'
        return
    cr3 = session.cr3()
    steps = tables.walk(session.memory, cr3, linear)
    yield f'The walk of {session.name(linear)} begins at CR3 = {cr3:#x}.'
    for step in steps:
        yield (f'  {step.level:<4} at {step.table:#x}, entry {step.index:>3}: '
               f'{step.entry:#018x}  {step.words()}')
    last = steps[-1]
    if not last.entry & P:
        yield f'Not mapped: the walk ends at the {last.level} entry, which is not present.'
        yield from _area_of(session, linear)
        return
    physical = last.target() + linear % last.size()
    yield (f'It is at physical address {physical:#x}, in a page of {_size(last.size())}: '
           f'{letters(steps)}.')
    yield from frame(session, physical)
    yield from _area_of(session, linear)


def _size(size):
    return {1 << 12: '4 KiB', 1 << 21: '2 MiB', 1 << 30: '1 GiB'}[size]


def frame(session, physical):
    """What the kernel has recorded about a frame."""
    try:
        record = session.kernel.frame(physical)
        if record is None:
            yield 'The kernel has no record of this frame.'
            return
        if record.address == session.kernel.zero_frame():
            yield (f'Frame {record.address:#x} is the frame of zeros, which all untouched '
                   f'anonymous pages share: {record.refs} references.')
            return
    except Unreadable:
        yield 'The kernel has no frame records yet.'
        return
    yield (f'Frame {record.address:#x} is {KIND_WORDS.get(record.kind, record.kind)}: '
           f'{record.refs} reference{"" if record.refs == 1 else "s"}.')


def area_at(session, linear):
    """The area of the current process that holds an address, or None."""
    return next((area for area in session.kernel.areas(session.process())
                 if area.start <= linear < area.end), None)


def next_area(session, linear):
    """The first area above an address, or None."""
    return next((area for area in session.kernel.areas(session.process())
                 if area.start > linear), None)


def _area_of(session, linear):
    if linear >= KERNEL_HALF:
        yield from _kernel_region(session, linear)
        return
    process = session.process()
    if process is None:
        yield 'This address space belongs to no process.'
        return
    area = area_at(session, linear)
    if area is None:
        above = next_area(session, linear)
        yield (f'No area of pid {process.pid} holds it'
               + (f'; the next one above begins at {above.start:#x}.' if above else '.'))
        return
    yield (f'Area {area.start:#x}-{area.end:#x} {area.letters()} of pid {process.pid}: '
           f'{area.words()}.')
    yield from _origin(session, area, linear)


def _origin(session, area, linear):
    """The place in the file, and the segment, of an address in an area of a file."""
    module = session.module_at(linear)
    if area.path:
        offset = area.offset + linear - area.start
        place = f'page {offset // PAGE_SIZE} of'
        if module is not None and linear >= bss_start(module, linear):
            yield f'Its page comes from {place} {area.path}.'
        else:
            yield f'It is byte {offset:#x} of {area.path}, in {place} the file.'
    if module is not None and (words := segment_words(module, linear)):
        yield words


def module_of(session, area, process):
    """The file that is loaded at the start of an area of a process, or None."""
    return next((module for module in session.modules(process) if module.holds(area.start)), None)


def segment_words(module, linear):
    """The sentence about the segment of a file that is at an address, or ''."""
    index, start, address = _segment_at(module, linear)[:3]
    if index is None:
        return ''
    part = ', in the part that has no bytes in the file (.bss)' if linear >= bss_start(module, linear) else ''
    return (f'Segment {index} of {module.elf.name} is there (file offset {start:#x}, '
            f'address {address:#x}{_bias(module)}){part}.')


def _segment_at(module, linear):
    """(index, file offset, address, size in the file) of the segment at an address; the index is None if there
    is none."""
    for index, (start, address, size, memory) in enumerate(module.elf.segments):
        if address & -PAGE_SIZE <= linear - module.bias < address + memory:
            return index, start, address, size
    return None, 0, NOWHERE, 0


def bss_start(module, linear):
    """The address from which the segment at an address has no bytes in the file."""
    _, _, address, size = _segment_at(module, linear)
    return module.bias + address + size


def segment_limits(module, area):
    """The pages in an area at which segment_words() changes."""
    limits = {limit + module.bias for _, address, size, memory in module.elf.segments
              for limit in (address & -PAGE_SIZE, -(-(address + size) // PAGE_SIZE) * PAGE_SIZE,
                            -(-(address + memory) // PAGE_SIZE) * PAGE_SIZE)}
    return {limit for limit in limits if area.start < limit < area.end}


def _bias(module):
    return f', loaded at +{module.bias:#x}' if module.bias else ''


def _kernel_region(session, linear):
    if linear < kernel.DIRECT_MAP_END:
        yield f'It is in the direct map: physical address {linear - KERNEL_HALF:#x}.'
    elif linear >= 0xffff_ffff_c000_0000:
        yield 'It is in the region of kernel stacks, each above a guard page.'
    elif linear >= 0xffff_ffff_8000_0000:
        name = session.kernel_module.elf.name_at(linear)
        yield 'It is in the kernel image' + (f': {name}.' if name else '.')
    else:
        yield 'Nothing of the kernel is mapped there.'


# why


def why(session, linear, access, user):
    """Whether an access would fault, at which level and by which rule, and what the kernel would
    do about it."""
    verb, prot = ACCESSES[access]
    who = 'user code' if user else 'the kernel'
    registers = session.registers()
    if not registers['cr0'] & CR0_PG:
        yield f'Paging is off: no access faults by page tables; {linear:#x} is the physical address itself.'
        return
    if not tables.canonical(linear):
        yield f'{verb} of {linear:#x} by {who} faults with #GP: the address is not canonical.'
        return
    steps = tables.walk(session.memory, session.cr3(), linear)
    rule = _rule(steps, access, user, registers)
    if rule is None:
        yield (f'{verb} of {linear:#x} by {who} does not fault: all levels allow it '
               f'({letters(steps)}).')
        return
    present = bool(steps[-1].entry & P)
    code = present | (access == 'w') << 1 | user << 2 | (access == 'x') << 4
    yield f'{verb} of {linear:#x} by {who} faults (#PF, error code {code:#x}): {rule}'
    if linear < KERNEL_HALF and not user and present and steps[-1].entry & U:
        yield ('The kernel panics, unless the instruction is one of its copies from and to user '
               'memory (kernel/arch/usercopy.S).')
    elif linear < KERNEL_HALF:
        yield from _answer(session, linear, prot, steps)
    else:
        yield ('The kernel ends the process with SIGSEGV: the kernel half is not for programs.'
               if user else 'The kernel panics: its own half is complete, so this is an error.')


def _rule(steps, access, user, registers):
    """The rule that forbids the access, or None."""
    last = steps[-1]
    if not last.entry & P:
        return f'the {last.level} entry is not present.'
    closed = [step for step in steps if not step.entry & U]
    if user and closed:
        return f'the {closed[0].level} entry has no U bit, so that ring 3 cannot use it.'
    if access == 'x':
        never = [step for step in steps if step.entry & XD]
        if never:
            return f'the {never[0].level} entry has the XD bit, so that it cannot be executed.'
    if not user and not closed:
        if access == 'x' and registers['cr4'] & CR4_SMEP:
            return 'CR4.SMEP forbids the kernel to execute user pages.'
        if (access != 'x' and registers['cr4'] & CR4_SMAP
                and not registers.get('rflags', 0) & RFLAGS_AC):
            return 'CR4.SMAP forbids the kernel to use user pages while RFLAGS.AC is 0.'
    fixed = [step for step in steps if not step.entry & W]
    if access == 'w' and fixed and (user or registers['cr0'] & CR0_WP):
        return f'the {fixed[0].level} entry has no W bit, so that it is read-only.'
    return None


def _answer(session, linear, prot, steps):
    """What the kernel does about a fault of the current process at a user address."""
    process = session.process()
    if process is None:
        yield 'This address space belongs to no process.'
        return
    area = area_at(session, linear)
    if area is None:
        yield from _outside(session, process, linear)
        return
    where = f'area {area.start:#x}-{area.end:#x} {area.letters()}'
    allowed = area.prot & prot or prot == kernel.PROT_READ and area.prot
    if not allowed:
        needed = {1: 'r', 2: 'w', 4: 'x'}[prot]
        yield (f'The {where} ({area.words()}) does not allow it: it would need {needed}. The '
               f'kernel sends SIGSEGV to pid {process.pid}.')
        return
    yield f'The {where} ({area.words()}) allows it, so the kernel resolves the fault: ' + (
        _resolution(area, prot, steps))


def _resolution(area, prot, steps):
    entry = steps[-1].entry
    present = steps[-1].level == 'PT' and entry & P
    write = prot == kernel.PROT_WRITE
    if present and write:
        if area.flags & kernel.SHARED:
            return 'the page becomes writable, and the write reaches the file.'
        return ('copy-on-write. The page is copied into a frame of its own, unless nobody else '
                'holds the frame, and becomes writable.')
    if area.path:
        if write and not area.flags & kernel.SHARED:
            return 'the page of the file is copied into a new frame, which becomes writable.'
        return 'it maps the page of the file.'
    if write:
        return 'it maps a new frame of zeros.'
    return 'it maps the frame of zeros, which all untouched pages share.'


def _outside(session, process, linear):
    above = next_area(session, linear)
    if above is not None and above.flags & kernel.GROWSDOWN:
        yield (f'No area holds it, but the stack above begins at {above.start:#x}: the kernel '
               'extends it down to this page, if the limit of the stack and the gap below it '
               'allow that; else it sends SIGSEGV.')
        return
    nearest = f'; the next area above begins at {above.start:#x}' if above else ''
    yield f'No area of pid {process.pid} holds it{nearest}. The kernel sends SIGSEGV.'


# Other views of the tables


def maps(session, process):
    """The areas of a process, each with what its page tables hold."""
    root = session.kernel.root_of(process)
    if root is None:
        yield f'pid {process.pid} has no memory: it has ended.'
        return
    half = tables.user_half(session.memory, root)
    zero = session.kernel.zero_frame()
    yield (f'pid {process.pid} ({session.kernel.comm(process)}), CR3 {root:#x}: '
           f'{len(half.leaves)} pages, {len(half.tables) + 1} page tables.')
    seen = 0
    for area in session.kernel.areas(process):
        inside = {linear: entry for linear, entry in half.leaves.items()
                  if area.start <= linear < area.end}
        seen += len(inside)
        yield (f'  {area.start:#014x}-{area.end:#014x} {area.letters()}  '
               f'{_present(area, inside, zero)}  {area.words()}')
    if seen != len(half.leaves):
        yield f'  {len(half.leaves) - seen} pages are in no area.'


def _present(area, inside, zero):
    total = (area.end - area.start) // PAGE_SIZE
    parts = [f'{sum(1 for entry in inside.values() if entry & P)} of {total} present']
    if cow := sum(1 for entry in inside.values() if is_cow(area, entry)):
        parts.append(f'{cow} copy-on-write')
    zeros = sum(1 for entry in inside.values() if entry & ADDRESS == zero)
    if zeros:
        parts.append(f'{zeros} zero page')
    return ', '.join(parts)


def is_cow(area, entry):
    """Whether a write to this page of an area gets a frame of its own."""
    return bool(entry & P and not entry & W and area.prot & kernel.PROT_WRITE
                and not area.flags & kernel.SHARED)


def state(area, entry, zero):
    """How a page of an area is held: a word of space.STATES."""
    if not entry & P:
        return 'parked'
    if entry & ADDRESS == zero:
        return 'zero'
    if area.flags & kernel.SHARED:
        return 'shared'
    if is_cow(area, entry):
        return 'cow'
    return 'file' if area.path and not entry & W else 'own'


def sharers(session, physical):
    """All user pages of all processes that map a frame: (process, linear address, entry)."""
    physical &= -PAGE_SIZE
    for process in session.kernel.processes():
        root = session.kernel.root_of(process)
        if root is None:
            continue
        for linear, entry in sorted(tables.user_half(session.memory, root).leaves.items()):
            if entry & ADDRESS == physical:
                yield process, linear, entry
