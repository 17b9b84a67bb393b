"""The checks on an address space.  Each yields one complaint for each error, with the address, the
value found and the value wanted; a check without complaints has passed."""
from bochs import paging
from bochs.paging import PAGE_SIZE

COMPLAINTS_MAX = 20

# The protections of each CPU model: all of them must be switched on.
PROTECTIONS = {
    'core2_penryn_t9600': {'WP', 'NXE'},
    'corei7_skylake_x': {'WP', 'NXE', 'SMEP', 'SMAP'},
    'tigerlake': {'WP', 'NXE', 'SMEP', 'SMAP', 'UMIP'},
}


def user_half(space, wanted, on_demand=False):
    """The user half is exactly `wanted`: a map from page address to permissions.

    With `on_demand` pages may not be there yet, and writable ones may be read-only: their first
    use is a fault that completes them."""
    present = {page.linear: page.permissions()
               for mapping in space.user() for page in mapping.pages()}
    for linear in sorted(wanted.keys() | present.keys()):
        have, want = present.get(linear), wanted.get(linear)
        if on_demand and want is not None and have in (None, want.replace('w', '-')):
            continue
        if have is None:
            yield f'page {linear:#x} is not mapped, wanted {want}'
        elif want is None:
            yield f'page {linear:#x} is mapped {have}, wanted none'
        elif have != want:
            yield f'page {linear:#x} is mapped {have}, wanted {want}'


def contents(debugger, program):
    """Each segment holds its bytes of the file, then zeros."""
    for index, segment in enumerate(program.segments):
        want = program.bytes_of(segment)
        have = debugger.memory(segment.address, len(want))
        if have is None:
            yield f'segment {index} is not mapped as a whole'
        elif have != want:
            at = next(at for at, pair in enumerate(zip(have, want)) if pair[0] != pair[1])
            yield (f'segment {index}: byte {have[at]:#04x} at {segment.address + at:#x}, '
                   f'wanted {want[at]:#04x}')


def write_xor_execute(space):
    """No mapping, of the kernel or of the user, is both writable and executable."""
    for mapping in space.mappings:
        if mapping.writable and mapping.executable:
            yield f'{mapping.linear:#x} is mapped {mapping.permissions()}'


def kernel_half_closed(space):
    """Nothing in the kernel half is accessible to user code. One level without U is enough, but no
    entry at any level has it."""
    for mapping in space.kernel():
        if mapping.user:
            yield f'{mapping.linear:#x} is mapped {mapping.permissions()}'
    for level, linear in space.kernel_entries_with_u:
        yield f'the {level} entry for {linear:#x} has U set'


def kernel_text_unaliased(space):
    """No frame of kernel text is writable through another mapping."""
    text = [(mapping.physical, mapping.physical + mapping.size, mapping.linear)
            for mapping in space.kernel() if mapping.executable]
    if not text:
        yield 'no kernel text found'
    for mapping in space.mappings:
        if mapping.writable:
            first, last = mapping.physical, mapping.physical + mapping.size
            for begin, end, linear in text:
                if first < end and begin < last:
                    yield (f'{mapping.linear:#x} is mapped {mapping.permissions()} and reaches '
                           f'the frame of the kernel text at {linear:#x}')


def frames_apart(space):
    """No writable page of the user half shares its frame, and none is a page table."""
    seen = {}
    for mapping in space.user():
        for page in mapping.pages():
            if page.physical in space.tables:
                yield f'page {page.linear:#x} is the page table at {page.physical:#x}'
            other = seen.setdefault(page.physical, page)
            if other != page and (other.writable or page.writable):
                yield (f'pages {other.linear:#x} and {page.linear:#x} share frame '
                       f'{page.physical:#x}')


def page_command_agrees(debugger, space, kernel=True):
    """The debugger's `page` agrees with the walk, and finds no pages beside the user pages.
    Without `kernel` it is asked about the user half only."""
    for mapping in space.mappings if kernel else space.user():
        first = next(mapping.pages())
        found = paging.page_command(debugger, mapping.linear)
        if found != first:
            yield f'{mapping.linear:#x}: the walk says {first}, `page` says {found}'
    mapped = {page.linear for mapping in space.user() for page in mapping.pages()}
    around = {linear + step for linear in mapped for step in (-PAGE_SIZE, PAGE_SIZE)} - mapped
    for linear in sorted(around | {0}):
        found = paging.page_command(debugger, linear)
        if found is not None:
            yield f'{linear:#x}: the walk says not mapped, `page` says {found}'


def linear_ranges_agree(debugger, space):
    """The debugger's `info tab` lists the same ranges as the walk. Bochs 2.7 skips the first PML4
    entry of the kernel half (the direct map), so that range is left to page_command_agrees()."""
    passed_over = range(paging.KERNEL_HALF, paging.KERNEL_HALF + paging.PML4_ENTRY_SIZE)
    listed = set(debugger.linear_ranges())
    walked = {area for area in paging.ranges(space.mappings) if area[0] not in passed_over}
    for first, last, physical in sorted(listed - walked):
        yield f'`info tab` alone has {first:#x}-{last:#x} at {physical:#x}'
    for first, last, physical in sorted(walked - listed):
        yield f'the walk alone has {first:#x}-{last:#x} at {physical:#x}'


def protections_on(control, cpu):
    """Every protection that the CPU model has is switched on."""
    for name in sorted(PROTECTIONS[cpu] - control.bits):
        yield f'{name} is off'


def kernel_half_shared(space, others):
    """All address spaces have the same kernel half."""
    for other in others:
        for slot, have, want in zip(paging.KERNEL_SLOTS, space.kernel_slots, other.kernel_slots):
            if have != want:
                yield (f'entry {slot} of the PML4 at {space.root:#x} is {have:#x}, of the one at '
                       f'{other.root:#x} it is {want:#x}')


def processes(stop, control, model):
    """The kernel's list of processes is the model's, and the stopped one is in its own space."""
    if set(stop.spaces) != set(model.processes):
        yield f'processes {sorted(stop.spaces)}, wanted {sorted(model.processes)}'
    if not control.cr3 == stop.cr3 == stop.spaces.get(stop.pid):
        yield (f'CR3 is {control.cr3:#x}, of the stop {stop.cr3:#x}, '
               f'of pid {stop.pid} {stop.spaces.get(stop.pid, 0):#x}')


def _present(space):
    return {page.linear: page for mapping in space.user() for page in mapping.pages()}


def live_pages(spaces, model):
    """Each process has the pages of the model, with their permissions, and no other. Optional ones
    may be absent, or not writable yet."""
    for pid, space in spaces.items():
        process, present = model.processes[pid], _present(space)
        for linear in sorted(present.keys() | process.leaves.keys()):
            leaf = process.leaves.get(linear)
            have = present[linear].permissions() if linear in present else None
            want = process.permissions(linear) if leaf else None
            if leaf and leaf.optional and want and have in (None, want.replace('w', '-')):
                continue
            if have != want:
                yield (f'pid {pid} page {linear:#x} is mapped {have or "not at all"}, '
                       f'wanted {want or "none"}')


def _pairs(spaces, model):
    """(name, leaf of the model, page of the machine) where there are both."""
    for pid, space in spaces.items():
        leaves = model.processes[pid].leaves
        for linear, page in sorted(_present(space).items()):
            if linear in leaves:
                yield f'pid {pid} page {linear:#x}', leaves[linear], page


def live_frames(spaces, model):
    """Two pages have the same frame exactly if they have the same one in the model."""
    at, of = {}, {}
    for name, leaf, page in _pairs(spaces, model):
        first, physical = at.setdefault(leaf.frame, (name, page.physical))
        if physical != page.physical:
            yield f'{name} has frame {page.physical:#x}, {first} has {physical:#x}: wanted the same'
        first, frame = of.setdefault(page.physical, (name, leaf.frame))
        if frame is not leaf.frame:
            yield f'{name} shares frame {page.physical:#x} with {first}: wanted apart'


def live_contents(debugger, spaces, model):
    """Each frame has the bytes that the model knows of."""
    seen = set()
    for name, leaf, page in _pairs(spaces, model):
        want = leaf.frame.content
        if want is None or leaf.frame in seen:
            continue
        seen.add(leaf.frame)
        have = debugger.memory(paging.KERNEL_HALF + page.physical, PAGE_SIZE)
        if have != want:
            at = next(at for at in range(PAGE_SIZE) if have[at] != want[at])
            yield f'{name}: byte {at} is {have[at]:#04x}, wanted {want[at]:#04x}'


def tables_closed(spaces):
    """No page of any process is a page table of any."""
    tables = {table for space in spaces.values() for table in space.tables}
    for pid, space in spaces.items():
        for linear, page in _present(space).items():
            if page.physical in tables:
                yield f'pid {pid} page {linear:#x} is the page table at {page.physical:#x}'
