#!/usr/bin/env python3
"""Tests of the model that scenarios follow, and of the checks against it, without a machine; TAP.

The machine is made from the model, so that the checks must accept it; then one thing is changed,
and exactly the check that is responsible must complain."""
import dataclasses
import pathlib
import re
import sys

BOOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BOOT))

import guest_tap  # noqa: E402
from bochs import check, frames, model as models  # noqa: E402
from bochs.model import Model, Process  # noqa: E402
from bochs.paging import KERNEL_HALF, PAGE_SIZE, AddressSpace, Mapping  # noqa: E402

AREA, SHARED, FILE, HEAP = 0x10000000, 0x11000000, 0x12000000, 0x500000
FRAMES, KERNEL_ROOT = 0x40000, 0x1000


def page(base, number):
    return base + number * PAGE_SIZE


def new_model():
    """A process with private, shared and file memory, and its child, which has written a page."""
    model = Model({'/file': b'abc' * 4096})
    model.processes[1] = Process({}, {}, HEAP)
    model.map(1, AREA, 4, 'rw-', 'private')
    model.map(1, SHARED, 2, 'rw-', 'shared')
    model.map(1, FILE, 3, 'r--', 'private', '/file', 0)
    model.write(1, AREA, 2)
    model.read(1, page(AREA, 2))
    model.write(1, SHARED)
    model.read(1, FILE)
    model.fork(1, 2)
    model.write(2, AREA)
    model.write(2, SHARED)
    model.read(2, FILE, 3)
    return model


class Machine:
    """The machine as the debugger would see it if the kernel agreed with the model."""

    def __init__(self, model):
        self.model = model
        self.physical, self.memory = {}, {}
        self.mappings = {pid: self._pages(process) for pid, process in model.processes.items()}
        self.tables = {pid: {0x100000 * pid} for pid in model.processes}

    def _pages(self, process):
        pages = {}
        for linear, leaf in process.leaves.items():
            where = self.physical.setdefault(leaf.frame, FRAMES + PAGE_SIZE * len(self.physical))
            if leaf.frame.content is not None:
                self.memory[KERNEL_HALF + where] = bytes(leaf.frame.content)
            if process.permissions(linear):
                pages[linear] = Mapping(linear, where, PAGE_SIZE, leaf.writable, True,
                                        process.places[linear].rights[2] == 'x')
        return pages

    def change(self, pid, linear, **what):
        self.mappings[pid][linear] = dataclasses.replace(self.mappings[pid][linear], **what)

    def copy(self, pid, linear, where):
        """Another frame with the same bytes."""
        self.memory[KERNEL_HALF + where] = \
            self.memory[KERNEL_HALF + self.mappings[pid][linear].physical]
        self.change(pid, linear, physical=where)

    def spaces(self):
        return {pid: AddressSpace(min(self.tables[pid]), frozenset(self.tables[pid]), (),
                                  tuple(pages.values()), ())
                for pid, pages in self.mappings.items()}

    def records(self):
        """The kernel's records, correct for the mappings."""
        held = frames.holders(self.spaces().values())
        kinds = {where: frame.kind for frame, where in self.physical.items()}
        table = dict.fromkeys((KERNEL_ROOT, *set().union(*self.tables.values())), ('table', 1))
        zero = self.physical[self.model.zero]
        for where, refs in held.items():
            kind = 'kernel' if where == zero else kinds.get(where, 'anon')
            table[where] = (kind, refs + (kind != 'anon'))
        last = max(table) // PAGE_SIZE + 1
        return frames.Records(tuple(table.get(number * PAGE_SIZE, ('free', 0))
                                    for number in range(last)), KERNEL_ROOT, zero)

    def memory_of(self, linear, size):
        return self.memory[linear][:size]

    def findings(self):
        spaces = self.spaces()
        reader = type('Reader', (), {'memory': staticmethod(self.memory_of)})
        return {'pages': list(check.live_pages(spaces, self.model)),
                'frames': list(check.live_frames(spaces, self.model)),
                'contents': list(check.live_contents(reader, spaces, self.model)),
                'tables': list(check.tables_closed(spaces))}


# The fault, the check that must find it, and a part of the complaint.
FAULTS = [
    ('a page missing', lambda m: m.mappings[1].pop(AREA), 'pages', 'not at all, wanted user r--'),
    ('a page too many', lambda m: m.mappings[1].update(
        {HEAP: Mapping(HEAP, 0x90000, PAGE_SIZE, True, True, False)}),
     'pages', 'is mapped user rw-, wanted none'),
    ('a shared private page left writable', lambda m: m.change(1, page(AREA, 1), writable=True),
     'pages', 'is mapped user rw-, wanted user r--'),
    ('the frame of zeros writable', lambda m: m.change(2, page(AREA, 2), writable=True),
     'pages', 'is mapped user rw-, wanted user r--'),
    ('an executable page', lambda m: m.change(1, page(AREA, 1), executable=True),
     'pages', 'is mapped user r-x, wanted user r--'),
    ('a kernel page', lambda m: m.change(1, page(AREA, 1), user=False),
     'pages', 'is mapped kernel r--, wanted user r--'),
    ('a copy where there must be none', lambda m: m.copy(2, SHARED, 0x90000),
     'frames', 'wanted the same'),
    ('a file page that is a copy', lambda m: m.copy(2, FILE, 0x90000), 'frames', 'wanted the same'),
    ('no copy', lambda m: m.change(2, AREA, physical=m.mappings[1][AREA].physical),
     'frames', 'wanted apart'),
    ('wrong bytes', lambda m: m.memory.update(
        {KERNEL_HALF + m.mappings[2][AREA].physical: bytes(PAGE_SIZE)}),
     'contents', 'byte 0 is 0x00, wanted 0x02'),
    ('a page table in reach', lambda m: m.tables[2].add(m.mappings[1][page(AREA, 1)].physical),
     'tables', 'is the page table at'),
]


def test_faults(tap):
    good = Machine(new_model()).findings()
    tap.point(not any(good.values()), 'the checks accept what the model says')
    for name, change, where, words in FAULTS:
        machine = Machine(new_model())
        change(machine)
        tap.point(any(words in text for text in machine.findings()[where]),
                  f'the checks find {name}')


def test_optional(tap):
    model = new_model()
    model.fork(1, 3)
    machine = Machine(model)
    del machine.mappings[3][SHARED], machine.mappings[3][FILE]
    tap.point(not machine.findings()['pages'], 'what a file has need not be there after fork')
    del machine.mappings[3][AREA]
    tap.point(len(machine.findings()['pages']) == 1, 'what was private must be')


def changed(records, physical, record):
    table = list(records.frames)
    table[physical // PAGE_SIZE] = record
    return dataclasses.replace(records, frames=tuple(table))


def test_records(tap):
    machine = Machine(new_model())
    spaces, records = machine.spaces().values(), machine.records()
    found = [*frames.tables(records, spaces), *frames.references(records, spaces)]
    tap.point(not found, 'right records are accepted')
    anon, free = machine.mappings[1][page(AREA, 1)].physical, 0x3000
    for name, test, physical, record, words in (
            ('a leaked table', frames.tables, free, ('table', 1), 'of no live address space'),
            ('a table that is free', frames.tables, 0x100000, ('free', 0), 'recorded as free'),
            ('a leaked page', frames.references, free, ('anon', 1), 'is mapped nowhere'),
            ('a reference too few', frames.references, anon, ('anon', 1), 'wanted 2'),
            ('a freed page', frames.references, anon, ('free', 1), 'recorded as free')):
        found = list(test(changed(records, physical, record), spaces))
        tap.point(any(words in text for text in found), f'the records show {name}')
    found = list(frames.unchanged(changed(records, free, ('slab', 1)), records))
    tap.point(len(found) == 2, 'the counts show a frame that went to another kind')


def permissions(model, pid, base, count):
    process = model.processes[pid]
    return [process.permissions(page(base, number)) if page(base, number) in process.leaves
            else 'none' for number in range(count)]


def test_model(tap):
    """The results of the operations, in the cases that the scenarios rely on."""
    model = new_model()
    model.exit(2)
    model.protect(1, AREA, 3, 'rw-')
    tap.point(permissions(model, 1, AREA, 4) == ['user rw-', 'user rw-', 'user r--', 'none'],
              'mprotect makes writable what nobody else has, and not the zeros')
    model.protect(1, page(AREA, 1), 1, '---')
    tap.point(permissions(model, 1, AREA, 2) == ['user rw-', None], 'PROT_NONE hides a page')
    model.remap(1, page(AREA, 1), 1, HEAP, 2)
    tap.point(permissions(model, 1, HEAP, 2) == [None, 'none'], 'mremap takes the page along')
    tap.point(page(AREA, 1) not in model.processes[1].places, 'mremap leaves nothing behind')
    model.unmap(1, AREA, 1)
    tap.point(permissions(model, 1, AREA, 3) == ['none', 'none', 'user r--'], 'munmap of a part')
    tap.point(permissions(model, 1, FILE, 3) == ['user r--'] * 3, 'one read brings pages around it')
    model.read(1, page(SHARED, 1))
    leaf = model.processes[1].leaves[page(SHARED, 1)]
    tap.point(leaf.frame is not model.zero, 'a read of a shared hole fills it')


def defined(path, name):
    """The value of a macro in a file of the kernel."""
    text = BOOT.parent.joinpath('kernel', path).read_text(encoding='utf-8')
    return int(re.search(rf'^#define {name} +(?:ADDRESS\()?(0x[0-9a-f]+|[0-9]+)', text, re.M)[1], 0)


def test_constants(tap):
    """The constants that the checks share with the kernel."""
    for path, name, value in (('mm/fault.c', 'AROUND_PAGES', models.AROUND_PAGES),
                              ('exec/image.h', 'STACK_PAGES', models.STACK_PAGES),
                              ('arch/layout.h', 'STACK_TOP', models.STACK_TOP)):
        tap.point(defined(path, name) == value, f'{name} is that of kernel/{path}')
    header = BOOT.parent.joinpath('kernel/mm/frame.h').read_text(encoding='utf-8')
    kinds = re.search(r'enum frame_kind \{(.*?)FRAME_KINDS', header, re.S)[1]
    kinds = [kind.lower() for kind in re.findall(r'^ *FRAME_(\w+)', kinds, re.M)]
    tap.point(tuple(kinds) == frames.KINDS, 'the kinds of frames are those of kernel/mm/frame.h')


def main():
    tap = guest_tap.Tap()
    for name, test in sorted(globals().items()):
        if name.startswith('test_'):
            test(tap)
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
