#!/usr/bin/env python3
"""Writes the assembly file that puts a program into the kernel: embed.py PROGRAM OUTPUT."""
import pathlib
import sys

TEXT = """/* The program that run_init() falls back to: {size} bytes. */
    .section .rodata
    .globl embedded_init_start, embedded_init_end
embedded_init_start:
    .incbin "{path}"
embedded_init_end:

    .section .note.GNU-stack, "", @progbits
"""

program, output = map(pathlib.Path, sys.argv[1:])
output.write_text(TEXT.format(path=program.resolve(), size=program.stat().st_size),
                  encoding='utf-8')
