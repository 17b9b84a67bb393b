#!/usr/bin/env python3
"""Writes the assembly file that puts a program into the kernel, or none: embed.py [PROGRAM] OUTPUT."""
import pathlib
import sys

TEXT = """/* The program that run_init() falls back to (boot/init.h): {size} bytes. */
    .section .embedded, "a"
    .globl embedded_init_start, embedded_init_end
    .balign 16
embedded_init_start:
{content}embedded_init_end:

    .section .note.GNU-stack, "", @progbits
"""

*programs, output = map(pathlib.Path, sys.argv[1:])
content = ''.join(f'    .incbin "{program.resolve()}"\n' for program in programs)
output.write_text(TEXT.format(content=content, size=sum(program.stat().st_size for program in programs)),
                  encoding='utf-8')
