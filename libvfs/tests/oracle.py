#!/usr/bin/env python3
"""Archives made and unpacked by GNU cpio, GNU tar and bsdtar must mean the same to libvfs.

Usage: oracle.py ARCHIVE_TOOL. A random tree is packed by each tool and listed by libvfs; what libvfs
exports is unpacked by each tool; every listing must equal that of the tree itself. Owners are left
out when the test does not run as root, device nodes too."""
import functools
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import tempfile

FUZZ = pathlib.Path(__file__).resolve().parents[2] / "fuzz"
sys.path.append(str(FUZZ))
import divergences  # noqa: E402

TIMES_DIFFER = any(row.what == "times" for row in divergences.read(FUZZ / "divergences.tsv", "archivers"))
TOOL = sys.argv[1] if len(sys.argv) > 1 else ""
ROOT = os.geteuid() == 0


def build(rng, top):
    """A random tree of files, links, FIFOs, device nodes and long names."""
    dirs = [top]
    files = []
    for i in range(60):
        name = rng.choice(["f", "na me", "ü", "x" * 120, "-dash", "TRAILER"]) + str(i)
        path = os.path.join(rng.choice(dirs), name)
        if len(path) - len(top) > 900:
            continue
        kind = rng.randrange(8)
        if kind <= 1:
            os.mkdir(path)
            dirs.append(path)
        elif kind <= 4:
            with open(path, "wb") as out:
                out.write(rng.randbytes(rng.choice([0, 1, 2048, 2049, 4096, 20000])))
            files.append(path)
            os.chmod(path, rng.choice([0o644, 0o755, 0o600, 0o4755]))
        elif kind == 5:
            os.symlink(rng.choice(["f", "../x", "/abs/olute", "t" * 150]), path)
        elif kind == 6 and files:
            os.link(rng.choice(files), path)
        elif ROOT and rng.random() < 0.5:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(rng.randrange(200), rng.randrange(300)))
        else:
            os.mkfifo(path)
    for path in files:
        os.utime(path, (1, rng.randrange(2**31)))


def list_tree(top):
    """The lines that archive_tool prints, for a directory of the host."""
    lines = []
    for here, dirs, files in os.walk(top):
        for name in [""] if here == top else []:
            lines.append(describe(top, top))
        for name in dirs + files:
            lines.append(describe(os.path.join(here, name), top))
    return sorted(lines)


@functools.lru_cache(maxsize=None)
def sum_of(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total


def describe(path, top):
    st = os.lstat(path)
    is_dir = stat.S_ISDIR(st.st_mode)
    is_file = stat.S_ISREG(st.st_mode)
    total = 0
    if is_file:
        with open(path, "rb") as data:
            total = sum_of(data.read())
    device = stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode)
    major, minor = (os.major(st.st_rdev), os.minor(st.st_rdev)) if device else (0, 0)
    target = " -> " + os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
    name = path[len(top):] or "/"
    return compare_line("%o %d %d %d %d,%d,%d %d %d %s%s" % (
        st.st_mode, st.st_uid, st.st_gid, 0 if is_dir else st.st_nlink,
        st.st_size if is_file else 0, major, minor, int(st.st_mtime), total, name, target))


def compare_line(line):
    """Without the time of what is no regular file, where the table of differences allows it."""
    fields = line.split(" ", 7)
    if TIMES_DIFFER and not fields[0].startswith("10") or len(fields[0]) != 6:
        fields[5] = "-"
    if not ROOT:
        fields[1] = fields[2] = "-"
    return " ".join(fields)


def listed(archive, piece):
    out = subprocess.run([TOOL, "list", str(piece), archive], check=True, capture_output=True)
    return sorted(compare_line(line) for line in out.stdout.decode().splitlines())


def same(what, got, want):
    if got == want:
        return
    for line in sorted(set(got) ^ set(want)):
        print("  ", "+" if line in got else "-", line[:300])
    sys.exit(what + ": differs")


def shell(command, **names):
    subprocess.run(["sh", "-ec", command], check=True, stderr=subprocess.DEVNULL, env={
        **os.environ, "LC_ALL": "C.UTF-8", **names})


PACK = {
    "cpio newc": 'cd "$T"; find . | cpio -o -H newc > "$A"',
    "cpio crc": 'cd "$T"; find . | cpio -o -H crc > "$A"',
    "tar gnu": 'tar -C "$T" --format=gnu -cf "$A" .',
    "tar pax": 'tar -C "$T" --format=pax -cf "$A" .',
    "bsdtar pax": 'bsdtar -C "$T" --format=pax -cf "$A" .',
    "bsdtar newc": 'bsdtar -C "$T" --format=newc -cf "$A" .',
}
UNPACK = {
    "cpio": 'cd "$T"; cpio -idm --no-absolute-filenames < "$A"',
    "crc": 'cd "$T"; cpio -idm --no-absolute-filenames < "$A"',
    "tar": 'tar -C "$T" -xpf "$A"',
    "bsdtar of cpio": 'bsdtar -C "$T" -xpf "$A"',
    "bsdtar of tar": 'bsdtar -C "$T" -xpf "$A"',
}


def main():
    os.umask(0o022)
    for tool, package in (("cpio", "cpio"), ("bsdtar", "libarchive-tools"), ("tar", "tar")):
        if not shutil.which(tool):
            sys.exit("%s is not installed (Debian package %s)" % (tool, package))
    count = 0
    for seed in range(4):
        with tempfile.TemporaryDirectory() as work:
            tree, archive = os.path.join(work, "t"), os.path.join(work, "a")
            os.mkdir(tree)
            build(random.Random(seed), tree)
            want = list_tree(tree)
            for what, command in PACK.items():
                shell(command, T=tree, A=archive)
                for piece in (1 << 20, 97):
                    same("%s, seed %d" % (what, seed), listed(archive, piece), want)
                    count += 1
            for what, command in UNPACK.items():
                kind = "tar" if what.endswith("tar") else what.split()[-1]
                packed, copy = os.path.join(work, "b"), os.path.join(work, "u")
                with open(packed, "wb") as out:
                    subprocess.run([TOOL, kind, "4096", archive], check=True, stdout=out)
                os.mkdir(copy)
                shell(command, T=copy, A=packed)
                same("%s, seed %d" % (what, seed), list_tree(copy), want)
                shutil.rmtree(copy)
                count += 1
    print("%d comparisons, 0 differences" % count)


if __name__ == "__main__":
    main()
