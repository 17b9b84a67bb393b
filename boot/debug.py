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

import cpio
import iso
import machine
import tools
from bochs.debugger import Debugger, DebuggerError
from run import words_of

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


def symbols(program):
    """Lines "ADDRESS NAME" for ldsym, from a file's symbol table."""
    tools.need('nm')
    done = subprocess.run(['nm', '--defined-only', program], capture_output=True, text=True,
                          check=False)
    lines = [match for line in done.stdout.splitlines()
             if (match := re.match(r'([0-9a-f]+) [TtDdBbRr] ([A-Za-z_][\w.]*)$', line))]
    return [f'{match[1]} {match[2]}' for match in lines]


def symbol_file(kernel, program, scratch):
    """A file with the symbols of the kernel and of a program (bytes or None)."""
    lines = symbols(kernel)
    if program is not None:
        copy = pathlib.Path(scratch, 'program')
        copy.write_bytes(program)
        lines += symbols(copy)
    target = pathlib.Path(scratch, 'symbols')
    target.write_text('\n'.join(lines) + '\n')
    return target


def entry_of(program):
    """e_entry of an ELF-64 file, for the hints."""
    return int.from_bytes(program[24:32], 'little') if program else 0


def debug(args):
    files = cpio.files(pathlib.Path(args.initrd).read_bytes())
    words = ['stop=exec', 'noaslr', 'eager', *words_of(args)]
    with tempfile.TemporaryDirectory(prefix='umbra-debug.') as scratch:
        image = pathlib.Path(scratch, 'umbra.iso')
        iso.make(image, args.kernel, args.initrd, words)
        print('umbra: booting under the debugger ...', flush=True)
        with Debugger(image, args.cpu, args.memory) as debugger:
            stop = debugger.run_to('exec')
            print(debugger.console)
            program = files.get(stop.path)
            table = symbol_file(args.kernel, program, scratch)
            debugger.command(f'ldsym global "{table}"')
            print(HINTS.format(path=stop.path, pid=stop.pid, cr3=stop.cr3,
                               entry=entry_of(program)))
            debugger.interact()


def parse():
    parser = argparse.ArgumentParser(prog='umbra debug', description="Bochs's debugger.")
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--initrd', required=True, metavar='FILE', help='another cpio archive')
    parser.add_argument('--cpu', choices=machine.CPU_MODELS, default=machine.DEFAULT_CPU)
    parser.add_argument('--memory', type=int, default=machine.DEFAULT_MEGABYTES, metavar='MB')
    parser.add_argument('--append', default='', metavar='WORDS',
                        help="words for the kernel's command line")
    parser.add_argument('program', nargs='*', metavar='-- PROGRAM ARGS',
                        help='the program to run as init, a path in the archive')
    return parser.parse_args()


def main():
    args = parse()
    if not sys.stdin.isatty():
        sys.exit('umbra: debug needs a terminal')
    try:
        debug(args)
    except (tools.ToolError, DebuggerError, FileNotFoundError) as error:
        sys.exit(f'umbra: {error}')


if __name__ == '__main__':
    main()
