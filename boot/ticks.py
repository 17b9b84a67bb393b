#!/usr/bin/env python3
"""Compares the instruction counts of a few paths with a committed table; reports in TAP.

    ticks.py --kernel ELF --initrd FILE [--update] TABLE

Bochs executes one instruction a tick, so that a count is the same in every run.  A row of the
table names a path by its two end points, "entry" (the kernel's first instruction) or STOP:PROGRAM
(a stop of the kernel).  The machine has no serial port, so that waiting for it does not count.  A
count outside the tolerance, in either direction, fails.  After an intended change, update the
table with --update and give the reason in the commit.
"""
import argparse
import pathlib
import re
import sys
import tempfile

import iso
import machine
import tools
from bochs.debugger import Debugger, DebuggerError
from guest_tap import Tap

TOLERANCE = 0.02
KERNEL_BASE = 0xffff_ffff_8000_0000
WORDS = ('noaslr', 'stop=exec')


def rows(table):
    """The rows of the table: (name, from, to, ticks)."""
    for line in table.read_text().splitlines():
        if line and not line.startswith('#'):
            name, begin, end, ticks = line.split('\t')
            yield name, begin, end, int(ticks)


def entry_point(kernel):
    """The physical address that GRUB jumps to."""
    text = tools.run(['readelf', '-hW', kernel])
    address = int(re.search(r'Entry point address: +(0x[0-9a-f]+)', text)[1], 16)
    return address - KERNEL_BASE if address >= KERNEL_BASE else address


def measure(kernel, initrd, wanted):
    """Maps each wanted point to the count of instructions at which it was first reached."""
    reached = {}
    with tempfile.TemporaryDirectory(prefix='umbra-ticks.') as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        iso.make(image, kernel, initrd, WORDS)
        with Debugger(image, ips=machine.COUNTING_IPS, serial=False) as debugger:
            debugger.command(f'pb {entry_point(kernel):#x}')
            debugger.run()
            reached['entry'] = debugger.ticks()
            while not wanted <= reached.keys():
                stop = debugger.next_stop()
                reached.setdefault(f'{stop.name}:{stop.path}', debugger.ticks())
    return reached


def update(table, counts):
    """Writes the measured counts into the table, and keeps its comments."""
    lines = []
    for line in table.read_text().splitlines():
        if line and not line.startswith('#'):
            name, begin, end, _ = line.split('\t')
            line = '\t'.join((name, begin, end, str(counts[name])))
        lines.append(line)
    table.write_text('\n'.join(lines) + '\n')


def main():
    parser = argparse.ArgumentParser(description='Compare instruction counts with a table.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--update', action='store_true', help='write the measured counts')
    parser.add_argument('table', type=pathlib.Path)
    args = parser.parse_args()
    table = list(rows(args.table))
    tap = Tap()
    try:
        reached = measure(args.kernel, args.initrd, {point for row in table for point in row[1:3]})
    except (tools.ToolError, DebuggerError) as error:
        for line in str(error).splitlines():
            tap.comment(line)
        tap.point(False, 'every point is reached')
        tap.finish()
        sys.exit(1)
    counts = {name: reached[end] - reached[begin] for name, begin, end, _ in table}
    if args.update:
        update(args.table, counts)
        table = list(rows(args.table))
    for name, _, _, ticks in table:
        difference = counts[name] / ticks - 1 if ticks else 1
        tap.point(abs(difference) <= TOLERANCE,
                  f'{name}: {counts[name]} instructions, {difference:+.2%} of {ticks}')
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    tools.tap_main(main)
