"""Address spaces of a stopped machine as data, for `./umbra map`: what its text, its JSON and its
page show. Addresses and entries are hexadecimal strings, since JSON's readers keep 53 bits only.

A report has moments, one for each stop. A moment has the memory that all processes share (its page
tables by physical address, and the frames as runs) and one space for each process with memory. A
space has regions: neighbouring pages that are alike in all that is known about them.
"""
import bisect
import itertools

from bochs import paging
from bochs.paging import ADDRESS, PAGE_SIZE, P
from debugger import explain, kernel, tables

KERNEL_IMAGE, KERNEL_STACKS = 0xffff_ffff_8000_0000, 0xffff_ffff_c000_0000
SYMBOLS_MAX = 5000  # of the program's own, for the search
ALL_PAIRS_MAX = 12  # spaces, all of which are compared with each other

# How a page of the user half is held: the word in the data, and its meaning.
STATES = {
    'absent': 'not present; it comes with the first use',
    'parked': 'not present, but its frame is kept',
    'zero': 'the frame of zeros, which all untouched anonymous pages share',
    'cow': 'copy-on-write: a write gets a frame of its own',
    'shared': 'shared: writes reach all that map it',
    'file': 'a page of a file in the VFS, read in place',
    'own': 'a frame of its own',
    'kernel': 'of the kernel half, the same in all address spaces',
}


def moment(session, name):
    """All address spaces of the stopped machine; `name` says when."""
    session.kernel.load_frames()
    current = session.process()
    spaces, roots = [], {}
    for process in session.kernel.processes():
        root = session.kernel.root_of(process)
        if root is not None:
            spaces.append(_space(session, process, root, process == current))
            roots[root] = paging.walk(session.memory, root)
    found = set().union(*(walked.tables for walked in roots.values()))
    return {
        'name': name,
        'spaces': spaces,
        'tables': {hex(table): [[index, hex(entry)] for index, entry
                                in enumerate(session.memory.table(table)) if entry]
                   for table in sorted(found)},
        'frames': [[hex(address), count, kind, refs]
                   for address, count, kind, refs in session.kernel.frame_runs()],
        'zero': hex(session.kernel.zero_frame()),
    }


def legend():
    """What the words of the data mean."""
    return {'states': STATES, 'kinds': explain.KIND_WORDS,
            'bits': [[bit.bit_length() - 1, name] for bit, name in tables.BITS]}


def _space(session, process, root, is_current):
    half = tables.user_half(session.memory, root)
    regions = list(_user_regions(session, process, half))
    mappings = paging.walk(session.memory, root).kernel()
    regions += [_kernel_region(session, *part) for part in merged(mappings)]
    return {'pid': process.pid, 'name': session.kernel.comm(process), 'current': is_current,
            'path': process.image.path if process.image else '', 'cr3': hex(root),
            'pages': len(half.leaves), 'tables': len(half.tables) + 1, 'regions': regions,
            'symbols': _symbols(session, process), 'half': half}


def _symbols(session, process):
    """The program's own symbols, where it is loaded."""
    path = process.image.path if process.image else ''
    module = next((module for module in session.modules(process) if module.elf.name == path), None)
    if module is None or len(module.elf.names) > SYMBOLS_MAX:
        return {}
    return {name: hex(address + module.bias) for name, address in module.elf.names.items()}


# The user half


def _user_regions(session, process, half):
    """The regions of the user half, by areas; pages that are in no area come last."""
    zero = session.kernel.zero_frame()
    rest = dict(half.leaves)
    for area in session.kernel.areas(process):
        module = explain.module_of(session, area, process)
        inside = {linear: rest.pop(linear) for linear in _between(half.leaves, area)}
        limits = explain.segment_limits(module, area) if module else set()
        for first, end, entries in _pieces(area, inside, limits, _likeness(session, area, zero)):
            yield _region(area, module, first, end, entries, zero)
    for linear, entry in rest.items():  # an error of the kernel, which the picture shows
        area = kernel.Area(linear, linear + PAGE_SIZE, 0, 0, '', 0, 0)
        yield _region(area, None, linear, area.end, [entry], zero)


def _between(leaves, area):
    """The addresses of leaves in an area; user_half() has found them in order."""
    ordered = list(leaves)
    return ordered[bisect.bisect_left(ordered, area.start):bisect.bisect_left(ordered, area.end)]


def _likeness(session, area, zero):
    """A function of an entry: pages with equal values are alike."""
    def likeness(entry):
        if not entry:
            return None
        frame = session.kernel.frame(entry & ADDRESS)
        return (tables.leaf_words(entry).split(' ', 2)[2], explain.state(area, entry, zero),
                frame and (frame.kind, frame.refs))
    return likeness


def _pieces(area, inside, limits, likeness):
    """(first, end, entries) of pages that are alike, without entries for those that have none; a
    piece ends at each of `limits`."""
    first, entries, alike = area.start, [], None
    for linear in sorted({*inside, *(page + PAGE_SIZE for page in inside), *limits}):
        if linear >= area.end:
            break
        here = likeness(inside.get(linear))
        if linear in limits or here != alike:
            if linear > first:
                yield first, linear, entries
            first, entries, alike = linear, [], here
        if linear in inside:
            entries.append(inside[linear])
    yield first, area.end, entries


def _region(area, module, first, end, entries, zero):
    entry = entries[0] if entries else 0
    offset = area.offset + first - area.start if area.path else None
    segment = explain.segment_words(module, first) if module else ''
    bss = explain.bss_start(module, first) if module else end
    return {'first': hex(first), 'end': hex(end), 'pages': (end - first) // PAGE_SIZE,
            'rights': tables.letters(entry) if entry & P else '---',
            'state': explain.state(area, entry, zero) if entry else 'absent',
            'area': f'{area.start:#x}-{area.end:#x} {area.letters()}', 'what': area.words(),
            'path': area.path, 'bss': hex(bss) if bss < end else None,
            'offset': None if offset is None else hex(offset),
            'segment': segment, 'frames': _frames([part & ADDRESS for part in entries])}


def _frames(addresses):
    """Runs of frames: (address, count)."""
    runs = []
    for address in addresses:
        if runs and runs[-1][0] + runs[-1][1] * PAGE_SIZE == address:
            runs[-1][1] += 1
        else:
            runs.append([address, 1])
    return [[hex(address), count] for address, count in runs]


# The kernel half


def merged(mappings):
    """[first, end, rights, frames] of mappings that follow each other with the same rights; frames
    are runs (address, count) as of a region."""
    parts = []
    for mapping in mappings:
        rights, end = mapping.permissions().split()[1], mapping.linear + mapping.size
        if not parts or parts[-1][1:3] != [mapping.linear, rights]:
            parts.append([mapping.linear, mapping.linear, rights, []])
        part, count = parts[-1], mapping.size // PAGE_SIZE
        part[1] = end
        if part[3] and part[3][-1][0] + part[3][-1][1] * PAGE_SIZE == mapping.physical:
            part[3][-1][1] += count
        else:
            part[3].append([mapping.physical, count])
    return parts


def _kernel_region(session, first, end, rights, frames):
    what = ('direct map of memory' if first < KERNEL_IMAGE else
            'kernel image' if first < KERNEL_STACKS else 'a kernel stack')
    sections = ''
    if what == 'kernel image':
        sections = ', '.join(
            section.name for section in session.kernel_module.elf.file.iter_sections()
            if section['sh_addr'] < end and section['sh_addr'] + section['sh_size'] > first)
    return {'first': hex(first), 'end': hex(end), 'pages': (end - first) // PAGE_SIZE,
            'rights': rights, 'state': 'kernel', 'area': '', 'what': what, 'path': '', 'bss': None,
            'offset': None, 'segment': sections and f'Sections {sections}.',
            'frames': [[hex(address), count] for address, count in frames]}


# Differences


def comparisons(moments):
    """What differs between two spaces, as `ptdiff` says it: {"0 1": {lines, ranges}}; a space is
    counted over all moments. Takes the tables out of the spaces, so that JSON can hold them."""
    spaces = [space for one in moments for space in one['spaces']]
    halves = [space.pop('half') for space in spaces]
    found = {}
    for left, right in _pairs([space['pid'] for space in spaces]):
        runs, _ = tables.changes(halves[left], halves[right])
        found[f'{left} {right}'] = {
            'lines': list(tables.differences(halves[left], halves[right])),
            'ranges': [[hex(first), hex(end)] for _, first, end, _ in runs]}
    return found


def _pairs(pids):
    """The pairs of spaces to compare: all; of many, each with the one of its process before."""
    if len(pids) <= ALL_PAIRS_MAX:
        yield from itertools.permutations(range(len(pids)), 2)
        return
    last = {}
    for number, pid in enumerate(pids):
        if pid in last:
            yield last[pid], number
        last[pid] = number
