#!/usr/bin/env python3
"""Hands this terminal to Bochs's debugger, with the machine stopped before a user instruction.

The kernel's symbols, and those of the program if it has any, are loaded, so that addresses print
as names.  `./umbra debug` runs this script; boot/README.md explains the page tables step by step.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import iso
import machine
import program
import tools
from bochs.debugger import Debugger, DebuggerError

VALUED = ('--kernel', '--initrd', '--elfparse', '--cpu', '--memory', '--append', '--with')
HINTS = """
Stopped in the kernel, in the address space of {path} (pid {pid}, CR3 {cr3:#x}),
a few instructions before its first one at {entry:#x}.

  creg                  control registers; capital letters are set bits
  info tab              every mapped range
  page {entry:<#17x}the walk for one address, level by level
  xp /512gx {cr3:<#12x}the PML4 itself; follow its entries with xp
  u /8                  disassemble here
  lb {entry:<#19x}break at the program's first instruction, then: c
  s, n, c, q            step, step over, continue to the next stop, quit
  print-stack, r, info gdt, info idt, info tss, watch w ADDRESS, ptime
"""


def symbols(path):
    """Lines "ADDRESS NAME" for ldsym, from a file's symbol table."""
    tools.need('nm')
    done = subprocess.run(['nm', '--defined-only', path], capture_output=True, text=True,
                          check=False)
    lines = [match for line in done.stdout.splitlines()
             if (match := re.match(r'([0-9a-f]+) [TtDdBbRr] ([A-Za-z_][\w.]*)$', line))]
    return [f'{match[1]} {match[2]}' for match in lines]


def symbol_file(kernel, content, scratch):
    """A file with the symbols of the kernel and of a program (bytes or None)."""
    lines = symbols(kernel)
    if content is not None:
        copy = pathlib.Path(scratch, 'program')
        copy.write_bytes(content)
        lines += symbols(copy)
    target = pathlib.Path(scratch, 'symbols')
    target.write_text('\n'.join(lines) + '\n')
    return target


def entry_of(content):
    """e_entry of an ELF-64 file, for the hints."""
    return int.from_bytes(content[24:32], 'little') if content else 0


def debug(args):
    with tempfile.TemporaryDirectory(prefix='umbra-debug.') as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        guest = program.load(args.program, args.is_ours, args.with_paths, args.elfparse, scratch)
        words = ['stop=exec', 'noaslr', 'eager', *args.append.split(), *guest.words]
        iso.make(image, args.kernel, program.joined(args.initrd, guest, scratch), words)
        files = program.files_of(args.initrd, guest)
        memory = args.memory or program.memory_for(guest, machine.DEFAULT_MEGABYTES)
        print('umbra: booting under the debugger ...', flush=True)
        with Debugger(image, args.cpu, memory) as debugger:
            stop = debugger.run_to('exec')
            print(debugger.console)
            content = files.get(stop.path)
            table = symbol_file(args.kernel, content, scratch)
            debugger.command(f'ldsym global "{table}"')
            print(HINTS.format(path=stop.path, pid=stop.pid, cr3=stop.cr3,
                               entry=entry_of(content)))
            debugger.interact()


def parse(argv):
    parser = argparse.ArgumentParser(prog='umbra debug', description="Bochs's debugger.")
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--initrd', required=True, metavar='FILE', help='another cpio archive')
    parser.add_argument('--elfparse', default='elfparse', help=argparse.SUPPRESS)
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--memory', type=int, metavar='MB')
    program.add_options(parser)
    options, words, is_ours = program.split(argv, VALUED)
    args = parser.parse_args(options)
    args.program, args.is_ours = words, is_ours
    return args


def main():
    args = parse(sys.argv[1:])
    if not sys.stdin.isatty():
        sys.exit('umbra: debug needs a terminal')
    try:
        debug(args)
    except (tools.ToolError, DebuggerError, FileNotFoundError) as error:
        sys.exit(f'umbra: {error}')


if __name__ == '__main__':
    main()
