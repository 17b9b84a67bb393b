#!/usr/bin/env python3
"""Prints the address map: the kernel's sections, and what is mapped while a program runs.

For the second part the machine is booted under Bochs's debugger and stopped before the program's
first instruction; then its page tables are read.
"""
import argparse
import pathlib
import re
import sys
import tempfile

import iso
import machine
import program
import tools
from bochs import image, paging
from bochs.debugger import Debugger, DebuggerError

VALUED = ('--kernel', '--initrd', '--elfparse', '--append', '--with')
STACK_SPACE = 16 << 30  # below STACK_TOP, where the kernel puts nothing but the stack
KERNEL_IMAGE, KERNEL_STACKS = 0xffff_ffff_8000_0000, 0xffff_ffff_c000_0000
SECTION = re.compile(r' *\[ *\d+\] (\S+) +(\S+) +([0-9a-f]{16}) [0-9a-f]+ ([0-9a-f]+) \S+ '
                     r'+([WAX]*)')


def sections(kernel):
    """Lines about the kernel's sections that are loaded, from readelf."""
    text = tools.run(['readelf', '-SW', kernel])
    for match in SECTION.finditer(text):
        name, _, address, size, flags = match.groups()
        if 'A' in flags:
            yield f'  {int(address, 16):#018x}  {int(size, 16):>9,}  {flags:<3} {name}'


def areas(mappings):
    """Mappings merged where they follow each other with the same permissions."""
    merged = []
    for mapping in mappings:
        if merged:
            first, last, count, rights = merged[-1]
            if mapping.linear == last and mapping.permissions() == rights:
                merged[-1] = (first, last + mapping.size, count + 1, rights)
                continue
        merged.append((mapping.linear, mapping.linear + mapping.size, 1, mapping.permissions()))
    return merged


def label(first, running_program):
    """The name of an area, by its address."""
    if any(first in segment.pages() for segment in running_program.segments):
        return 'the program'
    if first < paging.KERNEL_HALF:
        return 'its stack' if first >= image.STACK_TOP - STACK_SPACE else 'interpreter, libraries'
    if first < KERNEL_IMAGE:
        return 'direct map of memory'
    return 'the kernel' if first < KERNEL_STACKS else 'a kernel stack'


def running(args):
    """Lines about the address space of a program that is about to run."""
    with tempfile.TemporaryDirectory(prefix='umbra-map.') as scratch:
        boot_image = pathlib.Path(scratch, 'umbra.iso')
        guest = program.load(args.program, args.is_ours, args.with_paths, args.elfparse, scratch)
        words = ['stop=exec', 'noaslr', 'eager', *args.append.split(), *guest.words]
        iso.make(boot_image, args.kernel, program.joined(args.initrd, guest, scratch), words)
        files = program.files_of(args.initrd, guest)
        memory = program.memory_for(guest, machine.DEFAULT_MEGABYTES)
        with Debugger(boot_image, megabytes=memory) as debugger:
            stop = debugger.run_to('exec')
            space = paging.walk(debugger, debugger.control().cr3)
        loaded = image.read(stop.path, files[stop.path], pathlib.Path(scratch), image.PIE_BASE)
    yield f'{stop.path} (pid {stop.pid}), page tables at {stop.cr3:#x}:'
    for first, last, count, rights in areas(space.mappings):
        yield (f'  {first:#018x}-{last:#018x}  {(last - first) // 1024:>9,} KiB  '
               f'{count:>4} entries  {rights:<10}  {label(first, loaded)}')
    yield f'  {len(space.tables)} page tables, {len(space.user())} pages of the user half'


def parse(argv):
    parser = argparse.ArgumentParser(prog='umbra map', description='Print the address map.')
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--initrd', required=True, metavar='FILE', help='another cpio archive')
    parser.add_argument('--elfparse', default='elfparse', help=argparse.SUPPRESS)
    program.add_options(parser)
    options, words, is_ours = program.split(argv, VALUED)
    args = parser.parse_args(options)
    args.program, args.is_ours = words, is_ours
    return args


def main():
    args = parse(sys.argv[1:])
    try:
        print("kernel sections (address, bytes, flags):")
        for line in sections(args.kernel):
            print(line)
        print()
        for line in running(args):
            print(line, flush=True)
    except (tools.ToolError, DebuggerError, image.ImageError) as error:
        sys.exit(f'umbra: {error}')


if __name__ == '__main__':
    main()
