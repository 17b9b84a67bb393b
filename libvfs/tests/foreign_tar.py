#!/usr/bin/env python3
"""Archives that other programs write, in all forms of tar: libvfs makes the tree that bsdtar extracts.

Usage: foreign_tar.py ARCHIVE_TOOL. GNU tar, bsdtar, Python's tarfile and, if they are there, star,
pax, 7z, busybox, perl, git and dpkg-deb pack a tree in each of their formats. A case says what libvfs
must tell of what it does not keep, and whether the strict policy refuses the archive."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import oracle

KIB = 1024
MARK_MISSING = "the end mark is missing"
AFTER_MARK = "bytes other than NUL between archives"
NO_PLACE = "what it says has no place in a tree"


def sparse_file(path, pieces, size):
    with open(path, "wb") as out:
        for number, at in enumerate(pieces):
            out.seek(at)
            out.write(bytes([1 + number % 255]) * 700)
        out.truncate(size)
    os.utime(path, (1, 1000000000))


def build(top):
    os.makedirs(os.path.join(top, "dir", "e" * 90))
    for name, data in (("empty", b""), ("text", b"text\n" * 700), ("dir/" + "e" * 90 + "/f", b"x" * 512)):
        with open(os.path.join(top, name), "wb") as out:
            out.write(data)
        os.utime(os.path.join(top, name), (1, 1234567890))
    os.link(os.path.join(top, "text"), os.path.join(top, "text2"))
    os.symlink("dir/x", os.path.join(top, "link"))
    os.utime(os.path.join(top, "empty"), (1, 1))


def build_sparse(top):
    build(top)
    for name, pieces, size in (("hole", [], 100000), ("begin", [0], 90000), ("end", [69632], 70332),
                               ("four", range(0, 65536, 16384), 65536),
                               ("five", range(8192, 90112, 16384), 200000),
                               ("26", range(0, 26 * 8192, 8192), 26 * 8192 + 5),
                               ("400", range(4096, 400 * 8192, 8192), 400 * 8192)):
        sparse_file(os.path.join(top, name), pieces, size)
    # The name and the numbers that need an extended header too
    sparse_file(os.path.join(top, "s" * 120), [65536], 131072)


def build_old(top):
    build(top)
    os.utime(os.path.join(top, "text"), (-5, -86400 * 400))
    if oracle.ROOT:
        os.chown(os.path.join(top, "text"), 3000000000, 2097152)


def build_attributes(top):
    """An attribute that is kept, an ACL that is not, and a capability where that is allowed."""
    build(top)
    os.setxattr(os.path.join(top, "text"), "user.a", b"value")
    with contextlib.suppress(OSError):
        # version 2; owner rw-, user 1 r--, group r--, mask r--, other r--
        os.setxattr(os.path.join(top, "text"), "system.posix_acl_access", bytes.fromhex(
            "02000000 01000600ffffffff 0200040001000000 04000400ffffffff 10000400ffffffff 20000400ffffffff"))


def build_sparse_attributes(top):
    build_sparse(top)
    os.setxattr(os.path.join(top, "26"), "user.b", b"value")


def build_names(top):
    """Names and targets at the limits of the fields, and bytes that are not text."""
    build(top)
    root = os.fsencode(top)
    deep = b"p" * 100 + b"/" + b"q" * 54 + b"/"
    os.makedirs(os.path.join(root, deep))
    for name in (b"n" * 98, b"n" * 99, b"n" * 100, b"n" * 101, b"m" * 254, b"o" * 255, deep + b"r" * 100,
                 deep + b"r" * 101, b"a b", b" x ", b"-n", b"\xff\xfe", "ü中".encode(), b"tab\t", b"=1", b"quote\"'"):
        with open(os.path.join(root, name), "wb") as out:
            out.write(name)
    for length in (99, 100, 101, 255, 1000):
        os.symlink("t" * length, os.path.join(top, "l%d" % length))
    os.symlink(b"\xff", os.path.join(root, b"l\xff"))
    os.link(os.path.join(top, "n" * 101), os.path.join(top, "hard"))
    os.link(os.path.join(top, "o" * 255), os.path.join(top, "hard2"))


# Their ACL, where the file system of the test has them
LOST = None
GNU = 'tar -C "$T" --format=%s -cf "$A" .'
BSD = 'bsdtar -C "$T" --format=%s -cf "$A" .'
SPARSE = 'tar -C "$T" --format=%s -S --hole-detection=raw -cf "$A" .'
PAX = 'tar -C "$T" --format=pax --sparse-version=%s -S --hole-detection=raw -cf "$A" .'
SEVEN = 'cd "$T" && 7z a -ttar -mm=%s -snl -snh "$A.tar" . >"$A.log" && mv "$A.tar" "$A"'
PERL = """cd "$T" && find . | perl -MArchive::Tar -e 'chomp(@f = <STDIN>); $t = Archive::Tar->new; $t->add_files(@f);
    $t->write($ARGV[0])' "$A" """
GIT = 'cd "$T" && git init -q . && git add -A . && git -c user.name=a -c user.email=a commit -qm a && ' \
      'git archive -o "$A" --format=tar --prefix=%s HEAD'
DEB = """mkdir "$T/DEBIAN" && cd "$T" && printf '%s\\n' 'Package: a' 'Version: 1' 'Architecture: all' \\
    'Maintainer: a <a@a>' 'Description: a' >DEBIAN/control && dpkg-deb -Znone -b . "$A.deb" >"$A.log" &&
    dpkg-deb --fsys-tarfile "$A.deb" >"$A" """
# What other programs write of names, if they are there
OTHERS = {"busybox": 'busybox tar -C "$T" -cf "$A" .', "pax": 'cd "$T" && pax -w -x ustar -f "$A" .', "perl": PERL,
          "git": GIT % ("a/" * 60), "dpkg-deb": DEB}
PLAIN = 'tar -C "$T" --format=gnu -b 1 -cf "$A.1" .; %s'

# what: tree, command, what is told, whether the strict policy refuses it, how libvfs reads it
CASES = {
    **{"GNU tar " + f: (build, GNU % f, [], False, "lenient") for f in ("v7", "oldgnu", "gnu", "ustar", "pax")},
    **{"bsdtar " + f: (build, BSD % f, [], False, "lenient")
       for f in ("v7", "ustar", "gnutar", "pax", "rpax")},
    **{"numbers of GNU tar " + f: (build_old, GNU % f, [], False, "lenient") for f in ("gnu", "oldgnu", "pax")},
    "numbers of bsdtar": (build_old, BSD % "pax", [], False, "lenient"),
    "numbers of bsdtar gnutar": (build_old, BSD % "gnutar", [], False, "lenient"),
    **{"sparse " + f: (build_sparse, SPARSE % f, [], False, "lenient") for f in ("gnu", "oldgnu", "pax")},
    **{"sparse pax " + v: (build_sparse, PAX % v, [], False, "lenient") for v in ("0.0", "0.1", "1.0")},
    "sparse bsdtar": (build_sparse, BSD % "pax", [], False, "lenient"),
    "label": (build, 'tar -C "$T" --format=gnu -V "a label" -cf "$A" .', [NO_PLACE], False, "lenient"),
    "label of pax": (build, 'tar -C "$T" --format=pax -V "a label" -cf "$A" .', [], False, "lenient"),
    "incremental": (build, 'tar -C "$T" --format=gnu -g "$A.list" -cf "$A" .', [NO_PLACE], False, "lenient"),
    "incremental pax": (build, 'tar -C "$T" --format=pax -g "$A.list" -cf "$A" .', [], False, "lenient"),
    "no end mark": (build, PLAIN % 'head -c -1024 "$A.1" > "$A"', [MARK_MISSING], True, "lenient"),
    "half an end mark": (build, PLAIN % 'head -c -512 "$A.1" > "$A"', [], True, "lenient"),
    "bytes after half an end mark": (
        build, PLAIN % '(head -c -512 "$A.1"; head -c 700 "$A.1") > "$A"', [AFTER_MARK], True, "lenient"),
    "bytes after the end mark": (
        build, PLAIN % '(cat "$A.1"; yes | head -c 7000) > "$A"', [AFTER_MARK], True, "lenient"),
    "another archive, ignored": (
        build, PLAIN % 'echo > "$T/later"; tar -C "$T" -cf "$A.2" later; cat "$A.1" "$A.2" > "$A"',
        [AFTER_MARK], True, "lenient"),
    "another archive": (
        build, PLAIN % 'echo > "$T/later"; tar -C "$T" -cf "$A.2" later; cat "$A.1" "$A.2" > "$A"',
        [], True, "all"),
    "attributes of GNU tar": (build_attributes, 'tar -C "$T" --format=pax --xattrs --xattrs-include="*" '
                              '--acls -cf "$A" .', LOST, False, "lenient"),
    "attributes of bsdtar": (build_attributes, BSD % "pax --xattrs --acls", LOST, False, "lenient"),
    **{"names of GNU tar " + f: (build_names, GNU % f, [], False, "lenient")
       for f in ("oldgnu", "gnu", "ustar", "pax")},
    **{"names of bsdtar " + f: (build_names, BSD % f, [], False, "lenient")
       for f in ("ustar", "gnutar", "pax", "rpax")},
    **{"names of " + f: (build_names, command, [], False, "lenient")
       for f, command in OTHERS.items() if shutil.which(f)},
    **{"names of 7z " + f: (build_names, SEVEN % f, [], False, "lenient")
       for f in ("gnu", "pax", "posix") if shutil.which("7z")},
    "names in the wrong order": (build_names, 'cd "$T" && find . -depth -print0 | '
                                 'tar --null --no-recursion -T - -cf "$A"', [], False, "lenient"),
    "appended": (build, 'cd "$T" && tar -cf "$A" . && echo new > text && ln -sf other link && rm -r dir && '
                 'echo > dir2 && tar --format=pax -rf "$A" text link dir2 && tar --delete -f "$A" ./empty',
                 [], False, "lenient"),
    "attributes of a sparse file": (build_sparse_attributes, PAX % "1.0 --xattrs", [], False, "lenient"),
    **{"star " + f: (build_sparse, 'star -C "$T" -sparse artype=%s f="$A" -c .' % f, [], False, "lenient")
       for f in ("v7tar", "ustar", "xstar", "xustar", "exustar", "pax", "gnutar") if shutil.which("star")},
}


def python_tar(form):
    """A tree by tarfile, from memory: all types, and numbers at both ends."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8",
                      pax_headers={"comment": "global"} if form == tarfile.PAX_FORMAT else None) as tar:
        wide = form != tarfile.USTAR_FORMAT
        for name, kind, mtime in (("d", tarfile.DIRTYPE, 1), ("d/f", tarfile.REGTYPE, 2**32 if wide else 5),
                                  ("old", tarfile.AREGTYPE, -2**31 + 1 if wide else 6), ("p", tarfile.FIFOTYPE, 3),
                                  ("l", tarfile.SYMTYPE, 4), ("h", tarfile.LNKTYPE, 4),
                                  ("c", tarfile.CONTTYPE, 9), ("ü" * 40 + "/" + "y" * 90, tarfile.REGTYPE, 7)):
            info = tarfile.TarInfo(name)
            info.type, info.mtime, info.mode = kind, mtime, 0o755 if kind == tarfile.DIRTYPE else 0o640
            info.linkname = {"l": "t" * 90, "h": "d/f"}.get(name, "")
            info.size = 1000 if info.isreg() else 0
            tar.addfile(info, io.BytesIO(b"z" * info.size))
    return out.getvalue()


def extracted(archive, work, concatenated, check=True):
    top = os.path.join(work, "x")
    os.mkdir(top)
    options = ["--options", "read_concatenated_archives"] if concatenated else []
    subprocess.run(["bsdtar", "-C", top, *options, "-xpf", archive], check=check, stderr=subprocess.DEVNULL)
    tree = oracle.list_tree(top)
    shutil.rmtree(top)
    return tree


def listed(archive, policy, piece=4093):
    out = subprocess.run([sys.argv[1], policy, str(piece), archive], capture_output=True)
    lines = sorted(oracle.compare_line(line) for line in os.fsdecode(out.stdout).splitlines())
    return out.returncode, lines, out.stderr.decode()


def without_top(tree):
    """Without the top directory, whose mode the host's one keeps unless the archive has it."""
    return [line for line in tree if not line.endswith(" /")]


def judge(what, archive, work, told, refused, policy):
    status, tree, words = listed(archive, policy)
    if status:
        sys.exit("%s: %s" % (what, words))
    oracle.same(what, without_top(tree), without_top(
        extracted(archive, work, policy == "all", "names" not in what)))  # it fails for what is not UTF-8
    if os.path.getsize(archive) < 100 * KIB:
        oracle.same(what + ", in bytes", listed(archive, policy, 1)[1], tree)
    if told is not None and (bool(words) != bool(told) or any(text not in words for text in told)):
        sys.exit("%s: told is %r" % (what, words))
    if (listed(archive, "list")[0] != 0) != refused:
        sys.exit("%s: the strict policy %s it" % (what, "takes" if refused else "refuses"))
    return words


def play(what, case, work):
    tree, command, told, refused, policy = case
    top, archive = os.path.join(work, "t"), os.path.join(work, "a")
    os.mkdir(top)
    tree(top)
    # Some forms have no place for all names
    oracle.shell(command + (" || :" if "v7" in what or "names" in what else ""), T=top, A=archive)
    return judge(what, archive, work, told, refused, policy)


def main():
    os.umask(0o022)
    for tool, package in (("bsdtar", "libarchive-tools"), ("tar", "tar")):
        if not shutil.which(tool):
            sys.exit("%s is not installed (Debian package %s)" % (tool, package))
    for what, case in CASES.items():
        with tempfile.TemporaryDirectory() as work:
            play(what, case, work)
    forms = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
    for what, form in forms.items():
        with tempfile.TemporaryDirectory() as work:
            archive = os.path.join(work, "a")
            with open(archive, "wb") as out:
                out.write(python_tar(form))
            judge("tarfile " + what, archive, work, [], False, "lenient")
    print("%d archives, 0 differences" % (len(CASES) + len(forms)))


main()
