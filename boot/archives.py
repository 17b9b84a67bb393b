#!/usr/bin/env python3
"""Compares the code of static archives with the executables linked from them; reports in TAP.

    archives.py --pair ARCHIVE ELF [--pair ARCHIVE ELF]...

The kernel and the host tests must use the same libraries: each function of an archive that is in an
executable must have the same bytes there, except for the bytes that the linker fills in.
"""
import argparse
import pathlib
import struct
import tempfile

import tools
from guest_tap import Tap

HEADER = struct.Struct('<16sHHIQQQIHHHHHH')
SECTION = struct.Struct('<IIQQQQIIQQ')
SYMBOL = struct.Struct('<IBBHQQ')
RELOCATION = struct.Struct('<QQq')
SHT_SYMTAB, SHT_RELA = 2, 4
STT_FUNC = 2
STB_LOCAL = 0
WIDTHS = {1: 8}          # R_X86_64_64; all others that occur fill four bytes
GOT_LOADS = (41, 42)     # R_X86_64_GOTPCRELX and REX_: the linker may rewrite the instruction


class Elf:
    """Sections and functions of a 64-bit little-endian ELF file."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        fields = HEADER.unpack_from(self.data)
        offset, size, count = fields[6], fields[11], fields[12]
        self.sections = [SECTION.unpack_from(self.data, offset + i * size) for i in range(count)]
        self.linked = fields[1] != 1  # ET_REL

    def content(self, section):
        return self.data[section[4]:section[4] + section[5]]

    def name(self, table, at):
        start = self.sections[table][4] + at
        return self.data[start:self.data.index(b'\0', start)].decode()

    def functions(self):
        """(name, section, offset in it, size, whether it is local) of each function with a size."""
        for section in self.sections:
            if section[1] != SHT_SYMTAB:
                continue
            for name, info, _, index, value, size in SYMBOL.iter_unpack(self.content(section)):
                if info & 15 == STT_FUNC and size and 0 < index < len(self.sections):
                    start = value - (self.sections[index][3] if self.linked else 0)
                    local = info >> 4 == STB_LOCAL
                    yield self.name(section[6], name), index, start, size, local

    def code(self):
        """Bytes of each function by name, and whether it is local; None if several functions have
        the name."""
        code = {}
        for name, index, start, size, local in self.functions():
            body = self.content(self.sections[index])[start:start + size]
            code[name] = None if name in code else (body, local)
        return code

    def holes(self):
        """The byte ranges of each section that the linker fills in."""
        holes = {}
        for section in self.sections:
            if section[1] != SHT_RELA:
                continue
            places = holes.setdefault(section[7], set())
            for offset, info, _ in RELOCATION.iter_unpack(self.content(section)):
                kind = info & 0xffffffff
                before = 3 if kind in GOT_LOADS else 0
                places.update(range(offset - before, offset + WIDTHS.get(kind, 4)))
        return holes


def archived(path):
    """Name, (bytes, holes, whether it is local) of each function of an archive whose name is
    unique."""
    found = {}
    with tempfile.TemporaryDirectory(prefix='umbra-archive.') as folder:
        tools.run(['ar', 'x', pathlib.Path(path).resolve()], cwd=folder)
        for member in sorted(pathlib.Path(folder).iterdir()):
            elf = Elf(member)
            holes = elf.holes()
            for name, index, start, size, local in elf.functions():
                body = elf.content(elf.sections[index])[start:start + size]
                places = {at - start for at in holes.get(index, ()) if 0 <= at - start < size}
                found[name] = None if name in found else (body, places, local)
    return {name: what for name, what in found.items() if what}


def masked(body, places):
    return bytes(0 if at in places else byte for at, byte in enumerate(body))


def compare(tap, archive, path):
    functions, code = archived(archive), Elf(path).code()
    # A name that is local in the archive and global in the executable belongs to another function.
    there = {name for name, (_, _, local) in functions.items()
             if code.get(name) and (code[name][1] or not local)}
    other = [name for name in sorted(there)
             if masked(code[name][0], functions[name][1]) != masked(*functions[name][:2])]
    for name in other[:10]:
        tap.comment(f'{name} is another')
    where = f'{pathlib.Path(archive).name} in {pathlib.Path(path).name}'
    tap.point(len(there) >= 10, f'{where}: {len(there)} of {len(functions)} functions are there')
    tap.point(not other, f'{where}: all of them are equal byte for byte')


def main():
    parser = argparse.ArgumentParser(description='Compare archives with their executables.')
    parser.add_argument('--pair', action='append', nargs=2, required=True,
                        metavar=('ARCHIVE', 'ELF'))
    args = parser.parse_args()
    tap = Tap()
    for archive, path in args.pair:
        compare(tap, archive, path)
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
