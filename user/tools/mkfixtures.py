#!/usr/bin/env python3
"""Make the directory of files that the guest tests read: mkfixtures.py DIRECTORY STAMP

bad/ has ELF files that must be refused, good/ has unusual ones that must run. elf.tsv has a line
for each file: its path, and the expected result, `exit 0` or the errno value of execve. A name
starts with the rule that the file keeps or breaks (libelfparse/README.md has the table of rules),
or with the name of its defect.
"""

import os
import shutil
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path

PAGE = 0x1000
BASE = 0x400000
DATA = 0x402000
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_GNU_STACK = 1, 2, 3, 4, 6, 0x6474E551
R, W, X = 4, 2, 1
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
EM_386, EM_ARM, EM_X86_64, EM_AARCH64, EM_RISCV = 3, 40, 62, 183, 243
USER_END = 0x7FFFFFFFF000


@dataclass
class Segment:
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    flags: int
    type: int = PT_LOAD
    align: int = PAGE

    def pack(self):
        return struct.pack("<IIQQQQQQ", self.type, self.flags, self.offset, self.vaddr,
                           self.vaddr, self.filesz, self.memsz, self.align)


@dataclass
class Program:
    """A file of two pages: headers and code in the first, data in the second."""
    checks: list = field(default_factory=list)  # (address, 32-bit value) that the code compares
    header: dict = field(default_factory=dict)  # fields of the ELF header that differ
    first: list = field(default_factory=list)   # segments before text and data
    extra: list = field(default_factory=list)   # segments after them
    text: dict = field(default_factory=dict)    # fields of the text segment that differ
    data: dict = field(default_factory=dict)    # fields of the data segment that differ
    texts: dict = field(default_factory=dict)   # offset: bytes that are put there
    reverse: bool = False
    size: int = 2 * PAGE
    tail: bytes = b""
    cut: int = 0                                # bytes left, if not 0

    def segments(self):
        text = Segment(0, BASE, PAGE, PAGE, R | X)
        data = Segment(PAGE, DATA, PAGE, PAGE, R | W)
        for segment, changes in ((text, self.text), (data, self.data)):
            for name, value in changes.items():
                setattr(segment, name, value)
        every = self.first + [text, data] + self.extra
        return every[::-1] if self.reverse else every

    def pack(self):
        table = b"".join(segment.pack() for segment in self.segments())
        fields = dict(magic=b"\x7fELF", elf_class=2, byte_order=1, ident_version=1, osabi=0,
                      abiversion=0, type=ET_EXEC, machine=EM_X86_64, version=1,
                      entry=BASE + 0x400, phoff=64, shoff=0, flags=0, ehsize=64, phentsize=56,
                      phnum=len(table) // 56, shentsize=0, shnum=0, shstrndx=0)
        fields.update(self.header)
        out = bytearray(b"\xcc" * self.size)
        struct.pack_into("<4sBBBBB7xHHIQQQIHHHHHH", out, 0, *fields.values())
        if fields["phoff"] + len(table) <= len(out):
            out[fields["phoff"]:fields["phoff"] + len(table)] = table
        code = machine_code(self.checks)
        out[0x400:0x400 + len(code)] = code
        for index in range(PAGE, min(self.size, 2 * PAGE), 4):
            struct.pack_into("<I", out, index, 0xDA7A0000 + (index - PAGE))
        for offset, text in self.texts.items():
            out[offset:offset + len(text)] = text
        out += self.tail
        return bytes(out[:self.cut] if self.cut else out)


def machine_code(checks):
    """exit(0) if every check holds, else exit(1)."""
    fail_size = 12
    out = b""
    ends = b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05\x90\x90\x90"          # xor edi,edi; exit
    fails = b"\xbf\x01\x00\x00\x00\xb8\x3c\x00\x00\x00\x0f\x05"         # mov edi,1; exit
    for address, value in checks:
        out += b"\x81\x3c\x25" + struct.pack("<II", address, value)      # cmp dword [address]
        out += b"\x74" + bytes([fail_size]) + fails                      # je over
    return out + ends


def data_word(offset):
    return 0xDA7A0000 + offset


def load(offset, vaddr, filesz, memsz, flags, **more):
    return Segment(offset, vaddr, filesz, memsz, flags, **more)


def big_endian_program():
    """A complete program in big-endian byte order, as for s390x."""
    head = struct.pack(">4sBBBBB7xHHIQQQIHHHHHH", b"\x7fELF", 2, 2, 1, 0, 0, ET_EXEC, 22, 1,
                       BASE + 0x400, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    head += struct.pack(">IIQQQQQQ", PT_LOAD, R | X, 0, BASE, BASE, PAGE, PAGE, PAGE)
    return head + b"\0" * (PAGE - len(head))


def i386_program():
    """A complete 32-bit program: `mov $1, %eax; xor %ebx, %ebx; int $0x80`."""
    head = struct.pack("<4sBBBBB7xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 0, ET_EXEC, EM_386, 1,
                       BASE + 0x400, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    head += struct.pack("<IIIIIIII", PT_LOAD, 0, BASE, BASE, PAGE, PAGE, R | X, PAGE)
    out = bytearray(head + b"\0" * (PAGE - len(head)))
    out[0x400:0x409] = b"\xb8\x01\x00\x00\x00\x31\xdb\xcd\x80"
    return bytes(out)


def good_programs():
    tail_zero = [(DATA, data_word(0)), (DATA + 8, 0), (DATA + 0x800, 0), (DATA + 0xFFC, 0),
                 (DATA + PAGE, 0), (DATA + 3 * PAGE - 4, 0)]
    return {
        "plain": Program(checks=[(DATA, data_word(0)), (DATA + 0xFFC, data_word(0xFFC))]),
        "pie": Program(header=dict(type=ET_DYN, entry=0x400), text=dict(vaddr=0),
                       data=dict(vaddr=0x2000)),
        "R1-bss-in-the-file": Program(data=dict(filesz=8, memsz=3 * PAGE), checks=tail_zero,
                                      tail=b"\xcc" * (3 * PAGE)),
        "R1-bss-at-the-files-end": Program(data=dict(filesz=8, memsz=3 * PAGE), checks=tail_zero,
                                           cut=PAGE + 8),
        "R1-bss-ends-in-a-page": Program(data=dict(filesz=8, memsz=16),
                                         checks=[(DATA + 8, 0), (DATA + 12, 0), (DATA + 16, 0)]),
        "R2-data-unaligned": Program(data=dict(offset=PAGE + 0x124, vaddr=DATA + 0x124,
                                               filesz=0x200, memsz=0x200),
                                     checks=[(DATA + 0x124, data_word(0x124)),
                                             (DATA + 0x320, data_word(0x320))]),
        "R2-bss-unaligned": Program(data=dict(offset=PAGE + 0x124, vaddr=DATA + 0x124,
                                              filesz=8, memsz=2 * PAGE),
                                    checks=[(DATA + 0x124, data_word(0x124)), (DATA + 0x12C, 0),
                                            (DATA + PAGE, 0), (DATA + 2 * PAGE + 0x120, 0)]),
        "R2-text-unaligned": Program(text=dict(offset=0x400, vaddr=BASE + 0x400, filesz=0x400,
                                               memsz=0x400)),
        "R6-bss-beyond-the-file": Program(data=dict(memsz=64 * PAGE),
                                          checks=[(DATA + PAGE, 0), (DATA + 64 * PAGE - 4, 0)]),
        "E4-osabi-gnu": Program(header=dict(osabi=3)),
        "E4-osabi-other": Program(header=dict(osabi=9, abiversion=1)),
        "E6-flags": Program(header=dict(flags=1)),
        "E9-table-moved": Program(header=dict(phoff=0x800)),
        "L3-empty-past-the-end": Program(
            extra=[load(0x100000, DATA + PAGE, 0, PAGE, R | W)], checks=[(DATA + PAGE, 0)]),
        "L5-align-one": Program(data=dict(align=1)),
        "L5-align-zero": Program(data=dict(align=0)),
        "L8-not-readable": Program(data=dict(flags=W)),
        "L10-bss-read-only": Program(data=dict(flags=R, memsz=2 * PAGE),
                                     checks=[(DATA + PAGE, 0)]),
        "L13-empty-segment": Program(extra=[load(0, 0x500000, 0, 0, R)]),
        "O3-size-of-the-table": Program(first=[load(0, BASE + 64, PAGE, PAGE, R, type=PT_PHDR)]),
        "O4-end-beyond-the-header": Program(
            extra=[load(0, BASE + 0x700, 16, 16, R, type=PT_DYNAMIC)],
            texts={0x700: b"\5" + b"\0" * 15, 0x710: b"\0" * 16}),
        "O8-note-cut": Program(extra=[load(0x700, BASE + 0x700, 11, 11, R, type=PT_NOTE)]),
        "O8-note-outside": Program(extra=[load(0x100000, BASE, 11, 11, R, type=PT_NOTE)]),
        "O6-stack-not-executable": Program(extra=[load(0, 0, 0, 0, R | W, type=PT_GNU_STACK)]),
        "O9-unknown-type": Program(extra=[load(0, 0, 0, 0, R, type=0x6FFFFFF0)]),
    }


def bad_headers():
    bad = {f"R4-phentsize-{size}": Program(header=dict(phentsize=size))
           for size in (0, 32, 55, 57, 64, 112)}
    bad.update({
        "E1-magic": Program(header=dict(magic=b"\x7fELf")),
        "E1-one-byte": Program(cut=1),
        "E1-63-bytes": Program(cut=63),
        "E2-32-bit-class": Program(header=dict(elf_class=1)),
        "E2-no-class": Program(header=dict(elf_class=0)),
        "E2-big-endian-flag": Program(header=dict(byte_order=2)),
        "E3-ident-version": Program(header=dict(ident_version=0)),
        "E3-version": Program(header=dict(version=2)),
        "E5-object": Program(header=dict(type=ET_REL)),
        "E5-core": Program(header=dict(type=ET_CORE)),
        "E5-no-type": Program(header=dict(type=0)),
        "E6-arm": Program(header=dict(machine=EM_ARM)),
        "E6-aarch64": Program(header=dict(machine=EM_AARCH64)),
        "E6-riscv": Program(header=dict(machine=EM_RISCV)),
        "E7-ehsize": Program(header=dict(ehsize=52)),
        "E8-no-segments": Program(header=dict(phnum=0)),
        "E8-phnum-65535": Program(header=dict(phnum=0xFFFF)),
        "E9-table-unaligned": Program(header=dict(phoff=65)),
        "E9-table-in-the-header": Program(header=dict(phoff=56)),
        "R3-phoff-wraps": Program(header=dict(phoff=2**64 - 8)),
        "R3-phoff-wraps-to-the-table": Program(header=dict(phoff=2**64 - 56)),
        "R3-phoff-past-the-end": Program(header=dict(phoff=0x100000)),
        "R3-table-cut": Program(cut=64 + 56 + 8),
        "R11-entry-nowhere": Program(header=dict(entry=0x12345678)),
        "R11-entry-in-data": Program(header=dict(entry=DATA)),
        "R11-entry-zero": Program(header=dict(entry=0)),
        "R11-entry-past-the-text": Program(header=dict(entry=BASE + PAGE)),
        "R11-entry-in-the-kernel": Program(header=dict(entry=0xFFFFFFFF80100000)),
        "R11-entry-not-canonical": Program(header=dict(entry=0x800000000000)),
    })
    return bad


def bad_segments():
    end = USER_END - PAGE
    return {
        "R3-offset-wraps": Program(data=dict(offset=2**64 - PAGE, filesz=2 * PAGE,
                                             memsz=2 * PAGE)),
        "R3-filesz-past-the-end": Program(data=dict(filesz=2 * PAGE, memsz=2 * PAGE)),
        "R3-offset-past-the-end": Program(data=dict(offset=64 * PAGE)),
        "R3-file-cut": Program(cut=PAGE + 100),
        "R7-filesz-over-memsz": Program(data=dict(memsz=PAGE - 1)),
        "R7-filesz-with-no-memsz": Program(data=dict(memsz=0)),
        "R8-overlap": Program(extra=[load(PAGE, DATA, PAGE, PAGE, R | W)]),
        "R8-overlap-by-a-byte": Program(data=dict(memsz=PAGE + 1),
                                        extra=[load(PAGE, DATA + PAGE, PAGE, PAGE, R)]),
        "R8-page-shared-text-and-data": Program(
            text=dict(filesz=0x800, memsz=0x800),
            data=dict(offset=0x900, vaddr=BASE + 0x900, filesz=0x100, memsz=0x100)),
        "R9-writable-and-executable": Program(data=dict(flags=R | W | X)),
        "R9-text-writable": Program(text=dict(flags=R | W | X)),
        "R10-kernel-image": Program(data=dict(vaddr=0xFFFFFFFF80000000)),
        "R10-direct-map": Program(data=dict(vaddr=0xFFFF800000000000)),
        "R10-not-canonical": Program(data=dict(vaddr=0x800000000000)),
        "R10-page-0": Program(data=dict(vaddr=0), reverse=True),
        "R10-across-the-user-end": Program(data=dict(vaddr=end, memsz=3 * PAGE)),
        "R10-last-canonical-page": Program(data=dict(vaddr=USER_END)),
        "R10-wraps": Program(data=dict(vaddr=2**64 - PAGE)),
        "R10-memsz-wraps": Program(data=dict(memsz=2**64 - DATA)),
        "L1-no-load": Program(text=dict(type=0x6FFFFFF0), data=dict(type=0x6FFFFFF0)),
        "L5-offset-and-vaddr": Program(data=dict(vaddr=DATA + 16)),
        "L5-align-three": Program(data=dict(align=3)),
        "L6-descending": Program(reverse=True),
        "L8-unknown-flags": Program(data=dict(flags=R | W | 8)),
        "L10-bss-in-the-text": Program(text=dict(memsz=2 * PAGE)),
        "L13-empty-segment-in-the-kernel": Program(
            extra=[load(0, 0xFFFFFFFF80000000, 0, 0, R)]),
        "O2-interpreter-twice": Program(first=[interpreter(0x700), interpreter(0x700)]),
        "O2-interpreter-without-end": Program(first=[interpreter(0x400)]),
        "O2-interpreter-empty": Program(first=[load(0x700, BASE, 0, 0, R, type=PT_INTERP)]),
        "O2-interpreter-too-long": Program(first=[load(0, BASE, 4097, 4097, R, type=PT_INTERP)]),
        "O2-interpreter-past-the-end": Program(
            first=[load(0x100000, BASE, 16, 16, R, type=PT_INTERP)]),
        "O2-interpreter-relative": Program(
            first=[interpreter(0x700, 6)], texts={0x700: b"ld.so\0"}),
        "O6-stack-executable": Program(extra=[load(0, 0, 0, 0, R | W | X, type=PT_GNU_STACK)]),
    }


def interpreter(offset, size=16):
    return load(offset, BASE + offset, size, size, R, type=PT_INTERP, align=1)


def program_with_interpreter(path):
    text = path.encode() + b"\0"
    return Program(first=[interpreter(0x700, len(text))], texts={0x700: text}).pack()


def write_programs(out):
    lines = ["# path\twhat execve must answer\n"]
    bad = {name: program.pack() for name, program in {**bad_headers(), **bad_segments()}.items()}
    bad.update({"E1-empty": b"", "E1-text": b"This is not a program.\n",
                "E2-real-i386": i386_program(), "E2-real-s390x": big_endian_program()})
    good = {name: program.pack() for name, program in good_programs().items()}
    huge = {"L11-64-terabytes": Program(data=dict(memsz=1 << 46)).pack()}
    late = {"O2-interpreter-after-a-load": Program(
        extra=[interpreter(0x700, 7)], texts={0x700: b"/ld.so\0"}).pack()}
    for kind, files, answer in (("good", good, "exit 0"), ("bad", bad, "ENOEXEC"),
                                ("bad", huge, "ENOMEM"), ("bad", late, "ENOENT")):
        (out / kind).mkdir(exist_ok=True)
        for name, data in sorted(files.items()):
            path = out / kind / name
            path.write_bytes(data)
            lines.append(f"fixtures/{kind}/{name}\t{answer}\n")
    (out / "elf.tsv").write_text("".join(lines))


def write_interpreters(out):
    (out / "interpreter").mkdir()
    for name, path in (("missing", "/nowhere/ld.so"), ("directory", "/tmp"),
                       ("text", "/tmp/umbra-interpreter")):
        (out / "interpreter" / name).write_bytes(program_with_interpreter(path))


def write_files(out):
    (out / "data.bin").write_bytes(bytes(i * 7 % 251 for i in range(10000)))
    (out / "empty").write_bytes(b"")
    (out / "not-executable").write_bytes(Program().pack())
    (out / "directory").mkdir()
    (out / "directory" / "file").write_text("in a directory\n")
    (out / "many").mkdir()
    for i in range(150):
        (out / "many" / f"{i:03d}-{'x' * (i % 40)}").write_text(f"{i}\n")
    for link, target in (("link", "data.bin"), ("link-to-directory", "directory"),
                         ("dangling", "nowhere"), ("loop-a", "loop-b"), ("loop-b", "loop-a"),
                         ("directory/up", "../data.bin"), ("link-to-program", "good/plain"),
                         ("chain-00", "data.bin")):
        os.symlink(target, out / link)
    for i in range(1, 42):
        os.symlink(f"chain-{i - 1:02d}", out / f"chain-{i:02d}")


def main():
    out, stamp = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_files(out)
    write_programs(out)
    write_interpreters(out)
    for path in [out, *out.rglob("*")]:
        if path.is_file() and not path.is_symlink():
            programs = path.parent.name in ("good", "bad", "interpreter")
            path.chmod(0o755 if programs else 0o644)
    stamp.write_text("done\n")


if __name__ == "__main__":
    main()
