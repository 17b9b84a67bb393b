#!/usr/bin/env python3
"""Make a reproducible cpio archive ("newc", magic 070701) from a list of entries.

    mkinitrd.py --output OUT.cpio [--set NAME PATH]... LIST...

One entry a line. The word `${NAME}` stands for the path given by --set, or for all of them where
it was given several times; `#` starts a comment:

    dir   PATH MODE
    file  PATH MODE SOURCE        the source's bytes, unchanged
    file? PATH MODE SOURCE        left out, with a warning, when there is no such source
    link  PATH TARGET
    link? PATH TARGET SOURCE      left out when there is no such source
    node  PATH MODE c|b MAJOR MINOR
    tree  PATH SOURCE             a directory with all that is below it, modes as they are
    files PATH MODE SOURCE...     one file for each source, with the source's name

Every entry belongs to root and has time 0. Entries are sorted, missing parents are created (0755).
The same input gives the same bytes.
"""

import argparse
import os
import re
import stat
import struct
import sys
from pathlib import Path

MAX_NAME = 4096


class ListError(Exception):
    """A line of the list that is wrong."""


class Archive:
    def __init__(self):
        self.entries = {}
        self.interpreters = []  # of programs listed one by one: (path, interpreter)

    def add(self, path, mode, data=b"", rdev=(0, 0)):
        name = path.strip("/")
        if not name or len(name) >= MAX_NAME or ".." in name.split("/"):
            raise ListError(f"{path!r} is no path for an archive")
        if name in self.entries and not stat.S_ISDIR(mode):
            raise ListError(f"{path} is listed twice")
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.entries[name] = (mode, data, rdev)

    def add_tree(self, path, source):
        root = Path(source)
        if not root.is_dir():
            raise ListError(f"{source} is no directory")
        self.add(path, stat.S_IFDIR | 0o755)
        for item in sorted(root.rglob("*")):
            where = f"{path}/{item.relative_to(root)}"
            mode = item.lstat().st_mode
            if stat.S_ISLNK(mode):
                self.add(where, stat.S_IFLNK | 0o777, os.readlink(item).encode())
            elif stat.S_ISDIR(mode):
                self.add(where, stat.S_IFDIR | 0o755)
            else:
                self.add(where, mode, item.read_bytes())

    def warn_of_missing_interpreters(self):
        for path, interpreter in self.interpreters:
            if interpreter not in self.entries:
                warn(f"{path} is dynamically linked and its /{interpreter} is not in the archive")

    def write(self, out):
        for number, name in enumerate(sorted(self.entries), start=1):
            mode, data, rdev = self.entries[name]
            links = 2 if stat.S_ISDIR(mode) else 1
            write_record(out, number, name, mode, links, data, rdev)
        write_record(out, 0, "TRAILER!!!", 0, 1, b"", (0, 0))


def write_record(out, ino, name, mode, links, data, rdev):
    encoded = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, links, 0, len(data), 0, 0, rdev[0], rdev[1], len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + encoded)
    out.write(b"\0" * (-(110 + len(encoded)) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


def interpreter_of(data):
    """The path that an ELF file's PT_INTERP names, without the leading slash; or None."""
    if data[:5] != b"\x7fELF\x02":
        return None
    phoff, = struct.unpack_from("<Q", data, 32)
    phnum, = struct.unpack_from("<H", data, 56)
    for i in range(phnum):
        p_type, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + 56 * i)
        if p_type == 3:
            return data[offset:offset + size].rstrip(b"\0").decode().strip("/")
    return None


def warn(text):
    print(f"mkinitrd: warning: {text}", file=sys.stderr)


def add_file(archive, path, mode, source, optional):
    if optional and not source:
        warn(f"{path} is left out: its source was not found when the build was configured")
        return
    data = Path(source).read_bytes()
    archive.add(path, stat.S_IFREG | int(mode, 8), data)
    interpreter = interpreter_of(data)
    if interpreter:
        archive.interpreters.append((path, interpreter))


def carry_out(archive, words):
    kind, path, *rest = words
    if kind == "dir":
        archive.add(path, stat.S_IFDIR | int(rest[0], 8))
    elif kind in ("file", "file?"):
        mode, source = rest if len(rest) == 2 else (rest[0], "")
        add_file(archive, path, mode, source, kind == "file?")
    elif kind == "link" or (kind == "link?" and len(rest) == 2):
        archive.add(path, stat.S_IFLNK | 0o777, rest[0].encode())
    elif kind == "node":
        mode, type_letter, major, minor = rest
        file_type = stat.S_IFCHR if type_letter == "c" else stat.S_IFBLK
        archive.add(path, file_type | int(mode, 8), rdev=(int(major), int(minor)))
    elif kind == "tree":
        archive.add_tree(path, rest[0])
    elif kind == "files":
        for source in rest[1:]:
            add_file(archive, f"{path}/{os.path.basename(source)}", rest[0], source, False)
    elif kind != "link?":
        raise ListError(f"unknown kind {kind!r}")


def expand(word, values):
    match = re.fullmatch(r"\$\{(\w+)\}", word)
    return values[match[1]] if match else [word]


def read_list(archive, list_path, values):
    for number, line in enumerate(Path(list_path).read_text().splitlines(), start=1):
        line = line.split("#", 1)[0]
        try:
            words = [part for word in line.split() for part in expand(word, values)]
            if words:
                carry_out(archive, words)
        except KeyError as missing:
            sys.exit(f"{list_path}:{number}: no value for {missing}")
        except (ListError, ValueError, IndexError, OSError) as error:
            sys.exit(f"{list_path}:{number}: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--set", nargs=2, action="append", default=[],
                        metavar=("NAME", "PATH"))
    parser.add_argument("lists", nargs="+")
    options = parser.parse_args()
    values = {}
    for name, path in options.set:
        values.setdefault(name, []).extend([path] if path else [])
    archive = Archive()
    for list_path in options.lists:
        read_list(archive, list_path, values)
    archive.warn_of_missing_interpreters()
    with open(options.output, "wb") as out:
        archive.write(out)


if __name__ == "__main__":
    main()
