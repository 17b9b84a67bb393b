#!/usr/bin/env python3
"""What Linux makes of unusual initramfs archives, and whether libvfs makes the same.

    initramfs.py boot VMLINUZ TABLE           boots Linux for each archive that the table lacks, adds it
    initramfs.py compare ARCHIVE_TOOL TABLE   imports each archive by policy Linux, compares

The archives are made here, the same ones each time. A row of the table is a line of a tree, or how
the kernel's message says why it stopped. `boot` needs qemu-system-x86_64 and musl-gcc; Debian's kernel
is boot/vmlinuz-* in the package linux-image-6.1.0-*-cloud-amd64-unsigned.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REG, DIR, LNK, FIFO, CHR, BLK, SOCK = 0o100000, 0o40000, 0o120000, 0o10000, 0o20000, 0o60000, 0o140000

# What Linux says, and the words of libvfs for it. Where data ends inside an entry, Linux says nothing.
REASONS = {
    'no cpio magic': ['no header where one must be', 'compressed: it must be unpacked first'],
    'incorrect cpio method used: use -H newc option': ['cpio of an old kind (odc or binary): newc is needed'],
    'malformed archive': ['a name that is empty, unterminated, too long, or has a NUL inside'],
    'bad data checksum': ['the checksum is wrong'],
    'broken padding': ['bytes other than NUL between archives'],
    'invalid magic at start of compressed archive':
        ['no header where one must be', 'bytes other than NUL between archives'],
    '': ['', 'the archive ends too early'],
}


def entry(name, mode=REG | 0o644, data=b'', *, uid=0, gid=0, nlink=1, mtime=1000, ino=0, dev=(8, 1),
          rdev=(0, 0), magic=b'070701', check=None, size=None, name_size=None, raw_name=None, numbers=None,
          pad=True):
    """A cpio entry. `numbers` replaces fields of the header by their text."""
    text = raw_name if raw_name is not None else name.encode() + b'\0'
    fields = [ino, mode, uid, gid, nlink, mtime, len(data) if size is None else size, *dev, *rdev,
              len(text) if name_size is None else name_size,
              (sum(data) & 0xffffffff if magic == b'070702' else 0) if check is None else check]
    words = [b'%08x' % field for field in fields]
    for index, word in (numbers or {}).items():
        words[index] = word
    head = magic + b''.join(words) + text
    head += b'\0' * (-len(head) % 4)
    return head + data + (b'\0' * (-len(data) % 4) if pad else b'')


def trailer(**more):
    return entry('TRAILER!!!', 0, **more)


def link(name, target, **more):
    return entry(name, LNK | 0o777, target.encode(), **more)


def directory(name, mode=0o755, **more):
    return entry(name, DIR | mode, **more)


def cases():
    """Name and bytes of each archive."""
    f, d, n = entry, directory, b'\0'
    full = d('d') + f('d/x', data=b'x')
    yield 'plain', d('a', 0o750, uid=5, gid=6) + f('a/f', REG | 0o4755, b'hello', uid=7) + link('l', 'a/f') + trailer()
    yield 'through a link', d('usr') + d('usr/lib') + link('lib', 'usr/lib') + f('lib/m.ko', data=b'm') + trailer()
    yield 'through an absolute link', d('usr') + link('lib', '/usr') + f('lib/m', data=b'm') + trailer()
    yield 'through a link out of the root', link('up', '../../..') + f('up/m', data=b'm') + trailer()
    yield 'through a dangling link', link('lib', 'none') + f('lib/m', data=b'm') + trailer()
    yield 'through a loop', link('a', 'b') + link('b', 'a') + f('a/m', data=b'm') + trailer()
    yield 'through a file', f('a') + f('a/m', data=b'm') + trailer()
    yield 'parent names', d('a') + f('a/../m', data=b'1') + f('../../n', data=b'2') + f('..', data=b'3') + trailer()
    yield 'absolute names', f('/m', data=b'1') + f('//n', data=b'2') + d('/a/') + f('/a//m', data=b'3') + trailer()
    yield 'dot names', d('.', 0o711, uid=3) + d('a/.') + f('./m', data=b'1') + d('./b') + f('b/./m') + f('.') + \
        trailer()
    yield 'no parent', f('a/m', data=b'1') + d('b/c') + link('c/l', 'x') + entry('d/p', FIFO | 0o600) + f('z') + \
        trailer()
    yield 'file replaces link', f('t', data=b'target') + link('l', 't') + f('l', data=b'new') + trailer()
    yield 'directory replaces link', d('usr') + link('lib', 'usr') + d('lib', 0o700) + f('lib/m') + trailer()
    yield 'file replaces empty directory', d('a') + f('a', data=b'1') + trailer()
    yield 'file does not replace full directory', full + f('d', REG | 0o600, b'1', uid=9, mtime=77) + trailer()
    yield 'link does not replace full directory', full + link('d', 'x', uid=9, mtime=77) + trailer()
    yield 'node does not replace full directory', full + entry('d', FIFO | 0o600, uid=9, mtime=77) + trailer()
    yield 'directory replaces file', f('a', data=b'1') + d('a') + f('a/m') + trailer()
    yield 'node replaces file', f('a', data=b'1') + entry('a', CHR | 0o600, rdev=(1, 3)) + trailer()
    yield 'link replaces link', link('l', 'one') + link('l', 'two', uid=4) + trailer()
    yield 'file again', f('a', data=b'long contents', uid=1) + f('a', REG | 0o600, b'short', mtime=5) + trailer()
    yield 'file again with nothing', f('a', data=b'long contents') + f('a') + trailer()
    yield 'file again with two names', f('a', data=b'12345', nlink=2, ino=1) + f('b', nlink=2, ino=1) + \
        f('a', data=b'x') + trailer()
    yield 'directory again', d('a', 0o700, uid=1, mtime=5) + f('a/m') + d('a', 0o711, uid=2, mtime=6) + trailer()
    yield 'directory again as a file', d('a', mtime=5) + f('a', mtime=6) + trailer()
    yield 'node again', entry('n', CHR | 0o600, rdev=(1, 3)) + \
        entry('n', CHR | 0o666, rdev=(1, 5), uid=3, mtime=9) + trailer()
    yield 'fifo again', entry('n', FIFO | 0o600) + entry('n', FIFO | 0o4666, uid=3, mtime=9) + trailer()
    yield 'nodes', b''.join(entry(f'n{i}', kind | 0o640, rdev=(i * 37, i * 300), gid=i)
                            for i, kind in enumerate([FIFO, CHR, BLK, SOCK])) + trailer()
    yield 'device numbers', entry('a', CHR, rdev=(4095, 0xfffff)) + entry('b', BLK, rdev=(4096, 1)) + \
        entry('c', BLK, rdev=(1, 0x100001)) + trailer()
    yield 'hard links, data first', f('a', data=b'12345', nlink=3, ino=1) + \
        f('b', REG | 0o600, nlink=3, ino=1, mtime=5) + f('c', nlink=3, ino=1, uid=2) + trailer()
    yield 'hard links, data last', f('a', nlink=2, ino=1) + f('b', data=b'12345', nlink=2, ino=1) + trailer()
    yield 'hard links, data twice', f('a', data=b'1234567', nlink=2, ino=1) + f('b', data=b'abc', nlink=2, ino=1) + \
        trailer()
    yield 'hard links of other devices', f('a', data=b'1', nlink=2, ino=1) + f('b', nlink=2, ino=1, dev=(8, 2)) + \
        trailer()
    yield 'hard links over archives', f('a', data=b'1', nlink=2, ino=1) + trailer() + n * 64 + \
        f('b', nlink=2, ino=1) + trailer()
    yield 'hard links of another type', f('a', data=b'1', nlink=2, ino=1) + entry('b', FIFO | 0o600, nlink=2, ino=1) + \
        entry('c', FIFO | 0o600, nlink=2, ino=1) + trailer()
    yield 'hard link to itself', f('a', data=b'1', nlink=2, ino=1) + f('a', data=b'2', nlink=2, ino=1) + trailer()
    yield 'hard link whose first name is replaced', f('a', data=b'1', nlink=2, ino=1) + link('a', 'c') + \
        f('b', data=b'2', nlink=2, ino=1) + trailer()
    yield 'hard link over a file', f('b', data=b'old') + f('a', data=b'1', nlink=2, ino=1) + \
        f('b', nlink=2, ino=1) + trailer()
    yield 'hard link over a full directory', full + f('a', data=b'1', nlink=2, ino=1) + f('d', nlink=2, ino=1) + \
        trailer()
    yield 'hard link without a parent', f('a', data=b'1', nlink=2, ino=1) + f('q/b', data=b'2', nlink=2, ino=1) + \
        trailer()
    yield 'hard link whose first has no parent', f('q/a', data=b'1', nlink=2, ino=1) + \
        f('b', data=b'2', nlink=2, ino=1) + f('c') + trailer()
    yield 'one link count', f('a', data=b'1', ino=1) + f('b', data=b'2', ino=1) + trailer()
    yield 'long names', b''.join(f('n' * k, data=b'%d' % k) for k in (254, 255, 256)) + trailer()
    deep = 'a/' * 2046
    lengths = (2046, 'abc'), (2047, 'c'), (2047, 'cd'), (2047, 'cde')
    yield 'long paths', d('a') + b''.join(f('./' * k + x, data=b'1') for k, x in lengths) + f('z' + deep) + trailer()
    yield 'huge name size', f('x', name_size=4098, raw_name=b'x' * 4098, data=b'1') + f('y') + trailer()
    yield 'no name size', entry('', raw_name=b'', data=b'1234') + f('y') + trailer()
    yield 'empty name of a directory', entry('', DIR | 0o711, uid=8) + f('y') + trailer()
    yield 'empty name of a file', f('', data=b'1') + f('y') + trailer()
    yield 'NUL in a name', f('', raw_name=b'ab\0cd\0', data=b'1') + trailer()
    yield 'name without a NUL', f('', raw_name=b'abc', name_size=3, data=b'1') + f('y') + trailer()
    yield 'long links', b''.join(link(f'l{k}', 't' * k) for k in (4094, 4095, 4096, 4097)) + f('y') + trailer()
    yield 'link too long replaces', f('l', data=b'1') + link('l', 't' * 4096) + trailer()
    yield 'link too long at a full directory', full + link('d', 't' * 4096, uid=9, mtime=77) + trailer()
    yield 'link to nothing', d('d') + link('d/l', '') + f('d/l/a', data=b'1') + d('d/l/b', 0o700) + \
        link('k', 'd/l', uid=3) + f('k/c', data=b'2') + f('d/l', data=b'3') + link('n', '\0x') + d('n') + trailer()
    yield 'NUL in a link', link('l', 'ab\0cd') + trailer()
    yield 'slash after a name', f('a/', data=b'1') + d('b/') + link('c/', 'x') + entry('e/', FIFO) + d('b/f/') + \
        trailer()
    yield 'data on a directory', entry('a', DIR | 0o755, b'data') + f('a/x') + f('y', data=b'y') + trailer()
    yield 'data on a node', entry('a', FIFO | 0o644, b'data!') + f('y', data=b'y') + trailer()
    yield 'data on a trailer', f('a', data=b'1', nlink=2, ino=1) + entry('TRAILER!!!', 0, b'data') + \
        f('b', nlink=2, ino=1) + \
        entry('TRAILER!!!', REG, b'data') + f('c', nlink=2, ino=1, data=b'3') + trailer()
    yield 'link called trailer', link('TRAILER!!!', 'x') + f('y') + trailer()
    yield 'no type', f('a', data=b'1') + entry('a', 0o644) + entry('b', 0o644) + entry('c', 0o30644) + full + \
        entry('d', 0o644) + trailer()
    yield 'no type with data', f('a', data=b'1') + entry('a', 0o644, b'1234') + trailer()
    yield 'more than 16 bits of mode', entry('a', 0x12340000 | REG | 0o644, b'1') + trailer()
    yield 'no trailer', d('a') + f('a/m', data=b'1')
    yield 'no trailer and no padding', d('a') + f('a/m', data=b'12345', pad=False)
    yield 'entries after a trailer', trailer() + f('a', data=b'1') + trailer() + trailer() + f('b') + trailer()
    yield 'NULs between entries', n * 8 + f('a', data=b'1') + n * 4 + f('b') + n * 512 + trailer() + n * 1024
    yield 'NULs that are not a multiple of four', f('a', data=b'1') + n * 3 + f('b') + trailer()
    yield 'junk after a trailer', f('a', data=b'1') + trailer() + b'junk' + f('b') + trailer()
    yield 'junk between entries', f('a', data=b'1') + b'070703' + b'0' * 200
    yield 'junk after NULs', f('a', data=b'1') + trailer() + n * 4 + b'!' * 200
    yield 'old cpio follows', f('a', data=b'1') + b'070707' + b'0' * 200
    yield 'good checksums', f('a', data=b'12345', magic=b'070702') + f('b', magic=b'070702') + trailer(magic=b'070702')
    yield 'wrong checksum', f('a', data=b'12345', magic=b'070702', check=5) + f('b') + trailer()
    yield 'wrong checksum of nothing', f('a', magic=b'070702', check=5) + f('b') + trailer()
    yield 'wrong checksum of a directory', entry('a', DIR | 0o755, magic=b'070702', check=5) + f('a/b') + trailer()
    yield 'wrong checksum of what is skipped', f('q/a', data=b'1', magic=b'070702', check=5) + f('b') + trailer()
    yield 'ends in a header', f('a', data=b'1') + f('b')[:60]
    yield 'ends in a name', f('a', data=b'1') + f('bcdefg')[:114]
    yield 'ends in the padding of a name', f('a', data=b'1') + f('bc')[:113]
    yield 'ends in contents', f('a', data=b'1') + f('b', data=b'x' * 100)[:-50]
    yield 'ends in a link', f('a', data=b'1') + link('b', 'x' * 100)[:-50]
    yield 'size beyond the end', f('a', data=b'1') + f('b', size=100000) + f('c')
    yield 'numbers with prefixes', f('a', numbers={2: b'0x000007', 3: b'0X12    '}, data=b'1') + trailer()
    yield 'numbers with junk', f('a', numbers={2: b'12zz0000', 3: b'g0000000', 5: b' 0000001'}, data=b'1') + trailer()
    yield 'upper case numbers', f('a', numbers={0: b'0000000A', 2: b'000000AB'}, nlink=2, data=b'1') + \
        f('b', numbers={0: b'0000000a'}, nlink=2) + trailer()
    yield 'owner of all ones', f('a', uid=0xffffffff, gid=0xffffffff) + f('b', uid=0xfffffffe) + trailer()
    yield 'latest time', f('a', mtime=0xffffffff) + d('b', mtime=0xffffffff) + link('c', 'x', mtime=0xffffffff) + \
        trailer()
    yield 'times of directories', d('a', mtime=5) + d('a/b', mtime=6) + f('a/b/c', mtime=7) + d('a/', mtime=8) + \
        f('a/d') + trailer()
    yield 'set-id bits', f('a', REG | 0o6755, b'12345', uid=4) + f('a', REG | 0o6755, b'123', uid=5) + \
        d('b', 0o3777) + f('b/x') + d('b/y') + trailer()
    yield 'sticky directory', d('t', 0o1777) + f('t/f', data=b'1', uid=9) + f('t/f', data=b'2', uid=8) + trailer()
    yield 'link in a sticky directory', d('t', 0o7777, uid=2) + link('t/l', '.', uid=1) + f('t/l/x', data=b'1') + \
        entry('t/l/', BLK | 0o6555, uid=3) + link('t/m', '.', uid=2) + f('t/m/y', data=b'2') + trailer()
    yield 'dev is replaced', d('dev') + entry('dev/null', CHR | 0o666, rdev=(1, 3)) + \
        entry('dev/console', CHR | 0o620, rdev=(5, 1)) + trailer()
    for seed in range(3):
        rng = random.Random(seed)
        yield f'random {seed}', b''.join(any_entries(rng, f'r{i}') for i in range(60))


NAMES = ['a', 'b', 'c', 'a/b', 'a/b/c', 'b/a', 'l', 'l/a', 'l/../a', 'a/..', '../b', './c', '/b/c', 'c/', 'm', 'l/l/b']
TARGETS = ['a', 'b', 'a/b', '..', '/', '/b', '../../a', 'l', 'm', 'none', '.']


def any_entry(rng, folder):
    """No FIFO: Linux waits for a reader if a file's number leads to one."""
    name = rng.choice(NAMES)
    name = f'/{folder}{name}' if name[0] == '/' else f'{folder}/{name}'
    more = {'mtime': rng.randrange(1, 1000), 'uid': rng.randrange(3), 'ino': rng.randrange(3),
            'nlink': rng.choice([1, 1, 2]), 'magic': rng.choice([b'070701', b'070701', b'070702'])}
    kind = rng.choice([REG, REG, REG, DIR, DIR, DIR, LNK, LNK, CHR, SOCK, SOCK, 0])
    if kind == LNK:
        target = rng.choice(TARGETS)
        return link(name, f'/{folder}{target}' if target[0] == '/' else target, **more)
    data = rng.randbytes(rng.choice([0, 1, 4, 10, 5000])) if kind == REG or rng.random() < 0.05 else b''
    return entry(name, kind | rng.choice([0o755, 0o644, 0o1777, 0o4711]), data, **more)


def any_entries(rng, folder):
    """Entries in a directory of their own, but for links that lead out of it."""
    out = directory(folder)
    for _ in range(rng.randrange(5, 40)):
        out += any_entry(rng, folder)
        chance = rng.random()
        out += b'\0' * 4 * rng.randrange(5) if chance < 0.1 else trailer() if chance < 0.15 else b''
    return out


def base(init):
    """What is there before: Linux's own three entries, their times, and the program."""
    return directory('.') + directory('dev') + entry('dev/console', CHR | 0o600, rdev=(5, 1)) + \
        directory('root', 0o700) + entry('init', REG | 0o755, init) + trailer()


def boot(kernel, archive):
    """The lines of the tree, and why the kernel stopped."""
    with tempfile.NamedTemporaryFile() as image:
        image.write(archive)
        image.flush()
        log = subprocess.run(
            ['qemu-system-x86_64', '-accel', 'tcg', '-m', '512', '-nodefaults', '-display', 'none', '-serial', 'stdio',
             '-no-reboot', '-kernel', kernel, '-initrd', image.name,
             '-append', 'console=ttyS0 no_timer_check quiet loglevel=1 panic=-1'],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True).stdout.decode('latin-1')
    lines = log.replace('\r', '').split('\n')
    if '@end' not in lines:
        raise SystemExit(f'no tree:\n{log}')
    stopped = [line.split('unpacking failed: ')[1] for line in lines if 'unpacking failed: ' in line]
    return stopped[0] if stopped else '', sorted(line[1:] for line in lines if line[:1] == '@' and line != '@end')


def without_init(lines):
    """Neither the program nor the console that it writes to."""
    return [line for line in lines if not line.endswith((' /init', ' /dev/console'))]


def boot_all(kernel, table):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, 'dump')
        subprocess.run(['musl-gcc', '-static', '-O1', HERE / 'dump.c', '-o', program], check=True)
        start = base(program.read_bytes())
    known = rows(table) if pathlib.Path(table).exists() else {}
    with open(table, 'a', encoding='ascii') as out:
        for name, archive in cases():
            if name in known:
                continue
            stopped, lines = boot(kernel, start + archive)
            print(f'case {name}', f'stopped {stopped}', *without_init(lines), sep='\n', file=out, flush=True)
            print(f'{name}: {len(lines)} objects {stopped}')


def rows(table):
    found = {}
    for line in pathlib.Path(table).read_text(encoding='ascii').splitlines():
        word, _, rest = line.partition(' ')
        if word == 'case':
            rows_of_case = found.setdefault(rest, [])
        else:
            rows_of_case.append(rest if word == 'stopped' else line)
    return found


def import_one(tool, archive):
    with tempfile.NamedTemporaryFile() as file:
        file.write(archive)
        file.flush()
        lines = subprocess.run([tool, 'linux', '4096', file.name], capture_output=True,
                               check=True).stdout.decode().splitlines()
    stopped = [line[8:] for line in lines if line.startswith('stopped ')]
    return stopped[0] if stopped else '', sorted(line for line in lines if not line.startswith('stopped '))


def compare(tool, table):
    start, wanted, bad = base(b'program'), rows(table), 0
    for name, archive in cases():
        stopped, lines = import_one(tool, start + archive)
        lines = without_init(lines)
        linux_stopped, *linux_lines = wanted.pop(name)
        if lines != linux_lines or stopped not in REASONS[linux_stopped]:
            bad += 1
            print(f'{name}: Linux "{linux_stopped}", libvfs "{stopped}"')
            print(*(f'  Linux   {line}' for line in linux_lines if line not in lines), sep='\n')
            print(*(f'  libvfs  {line}' for line in lines if line not in linux_lines), sep='\n')
    print(f'{sum(1 for _ in cases())} archives, {bad} with another tree')
    return 1 if bad or wanted else 0


if __name__ == '__main__':
    if len(sys.argv) != 4 or sys.argv[1] not in ('boot', 'compare'):
        raise SystemExit(__doc__)
    sys.exit((boot_all if sys.argv[1] == 'boot' else compare)(*sys.argv[2:]))
