#!/usr/bin/env python3
"""What the parts of libvfs take, and what a small program of files, directories and cpio needs.

Usage: parts.py README prints the README's first example in C.
       parts.py LIBVFS EXAMPLE.c README. Compiles the library for size, without ACLs and the readers of tar and
of Linux's initramfs, links the README's example, which must take at most 40 KB of it, and runs it. The
README's table must be what is measured, within a tenth."""
import os
import re
import subprocess
import sys
import tempfile

LIMIT = 40 * 1024
WITHOUT = ["-DUMVFS_WITHOUT_TAR", "-DUMVFS_WITHOUT_INITRAMFS", "-DUMVFS_WITHOUT_ACL"]
FLAGS = ["-std=c17", "-Os", "-ffreestanding", "-fno-asynchronous-unwind-tables", "-ffunction-sections",
         "-fdata-sections", "-fno-stack-protector"]
PARTS = {
    "names, directories, links, permissions": "attr core create dcache dir inode name path perm radix "
                                              "rename walk",
    "whole trees: walk, remove, make": "trees",
    "files": "data falloc file open page",
    "mounts, other file systems": "foreign graft mount mount_table",
    "extended attributes": "xattr",
    "ACLs": "acl",
    "locks": "lock lock_tree",
    "events": "event tell",
    "import: cpio": "cpio field import import_tree",
    "import: tar": "pax tar tar_sparse",
    "import as Linux": "initramfs initramfs_tree",
    "export": "export",
}
WANTED = "a program of files, directories and cpio"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def compile_files(libvfs, work, names, defines):
    folder = libvfs + "/src/"
    run("cc", *FLAGS, *defines, "-I" + libvfs + "/include", "-c", *(folder + n + ".c" for n in names), cwd=work)
    sizes = {}
    for name in names:
        sizes[name] = int(run("size", name + ".o", cwd=work).splitlines()[1].split()[0])
    return sizes


def cpio(name, data):
    def member(name, mode, data):
        head = "070701" + "%08x" * 13 % (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        text = head.encode() + name.encode() + b"\0"
        text += b"\0" * (-len(text) % 4) + data
        return text + b"\0" * (-len(text) % 4)
    return member(name, 0o100644, data) + member("TRAILER!!!", 0, b"")


def print_example(name):
    with open(name, encoding="utf-8") as readme:
        found = re.search(r"```c\n(.*?)```", readme.read(), re.S)
    if not found:
        sys.exit("no example in " + name)
    print(found.group(1), end="")


def main():
    if len(sys.argv) == 2:
        print_example(sys.argv[1])
        return
    libvfs, example, readme = map(os.path.abspath, sys.argv[1:])
    lines = {}
    with tempfile.TemporaryDirectory() as work:
        all_names = sorted(name[:-2] for name in os.listdir(libvfs + "/src") if name.endswith(".c"))
        sizes = compile_files(libvfs, work, all_names, [])
        for part, names in PARTS.items():
            lines[part] = sum(sizes.pop(name) for name in names.split())
        if sizes:
            sys.exit("of no part: " + " ".join(sizes))
        lines["all"] = sum(lines.values())
        without = [name for part in ("import: tar", "import as Linux", "ACLs") for name in PARTS[part].split()]
        for name in without:
            os.remove(work + "/" + name + ".o")
        compile_files(libvfs, work, [name for name in all_names if name not in without], WITHOUT)
        objects = sorted(name for name in os.listdir(work) if name.endswith(".o"))
        run("ar", "rcs", "libvfs.a", *objects, cwd=work)
        run("cc", "-Os", "-I" + libvfs + "/include", "-Wl,--gc-sections", "-Wl,-Map=map", "-o", "example", example,
            "libvfs.a", cwd=work)
        with open(work + "/map", encoding="utf-8") as text:
            pieces = re.findall(r"^ \.(?:text|rodata|data)\S*\s+0x([0-9a-f]+)\s+(0x[0-9a-f]+) libvfs\.a\(",
                                text.read(), re.M)
        lines[WANTED] = sum(int(size, 16) for at, size in pieces if int(at, 16))
        for name, data, expected in (("ok", cpio("inside", b"text"), 0), ("tar", b"x" * 600, 1)):
            with open(work + "/" + name, "wb") as out:
                out.write(data)
            done = subprocess.run(["./example", name], cwd=work, capture_output=True, text=True, check=False)
            if done.returncode != expected or ("inside" in done.stdout.split()) == bool(expected):
                sys.exit("%s: %d, %s%s" % (name, done.returncode, done.stdout, done.stderr))
    table = "".join("| %s | %s |\n" % (part, format(size, ",")) for part, size in lines.items())
    print(table)
    if lines[WANTED] > LIMIT:
        sys.exit("%s takes more than %d bytes" % (WANTED, LIMIT))
    with open(readme, encoding="utf-8") as text:
        said = dict(re.findall(r"^\| ([^|]*) \| ([0-9,]+) \|$", text.read(), re.M))
    for part, size in lines.items():
        stated = int(said.get(part, "0").replace(",", ""))
        if abs(stated - size) * 10 > size:
            sys.exit("the README says %d of %s" % (stated, part))


main()
