#!/usr/bin/env python3
"""Tests of the drivers themselves, without a machine; reports in TAP.

The checks on page tables must complain about each error and about nothing else, and no output of
a guest may produce a wrong verdict.
"""
import bz2
import contextlib
import ctypes
import gzip
import io
import lzma
import os
import pathlib
import select
import sys
import types
import typing
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import console  # noqa: E402
import cpio  # noqa: E402
import guest_tap  # noqa: E402
import iso  # noqa: E402
import machine  # noqa: E402
from bochs import check, model, paging  # noqa: E402
from bochs.paging import P, PS, U, W, XD  # noqa: E402
from machine import Ending  # noqa: E402

OFF = Ending(True, 'powered off')
CRASH = Ending(False, 'triple fault')

TEXT, DATA = 0x400000, 0x401000
KERNEL = 0xffff_ffff_8010_0000


class Tables:
    """Physical memory with page tables in it; it has the debugger's methods that a walk uses."""

    def __init__(self):
        self._memory = {0x1000: [0] * 512}
        self._next = 0x2000
        self.root = 0x1000

    def table(self, physical):
        return self._memory[physical]

    def put(self, linear, entry, levels=4, upper=P | W | U):
        """Maps `linear` by a leaf at the given level, with `upper` bits in the levels above."""
        table = self._memory[self.root]
        for level in range(levels - 1):
            index = linear >> (39 - 9 * level) & 511
            if not table[index] & P:
                self._memory[self._next] = [0] * 512
                table[index] = self._next | upper
                self._next += 0x1000
            table = self._memory[table[index] & paging.ADDRESS]
        table[linear >> (39 - 9 * (levels - 1)) & 511] = entry


def good_tables():
    """A program of two pages, a kernel of two, a direct map of one large page."""
    tables = Tables()
    tables.put(TEXT, 0x100000 | P | U)
    tables.put(DATA, 0x101000 | P | U | W | XD)
    tables.put(KERNEL, 0x200000 | P, upper=P | W)
    tables.put(KERNEL + 0x1000, 0x201000 | P | W | XD, upper=P | W)
    tables.put(paging.KERNEL_HALF, 0x400000 | P | W | XD | PS, levels=3, upper=P | W)
    return tables


def walk(tables):
    return paging.walk(tables, tables.root)


WANTED = {TEXT: 'user r-x', DATA: 'user rw-'}

# name, what is put into the good tables, the check that complains, a part of the complaint
FAULTS = (
    ('a page that is not mapped', (TEXT, 0), 'user', f'{TEXT:#x} is not mapped'),
    ('a page too many', (DATA + 0x1000, 0x102000 | P | U | XD), 'user', 'wanted none'),
    ('text that is writable', (TEXT, 0x100000 | P | U | W), 'user', 'rwx, wanted user r-x'),
    ('data without NX', (DATA, 0x101000 | P | U | W), 'user', 'rwx, wanted user rw-'),
    ('data that is read-only', (DATA, 0x101000 | P | U | XD), 'user', 'r--, wanted user rw-'),
    ('a user page without U', (TEXT, 0x100000 | P), 'user', 'kernel r-x, wanted user r-x'),
    ('user data without NX', (DATA, 0x101000 | P | U | W), 'w^x', 'user rwx'),
    ('kernel data without NX', (KERNEL + 0x1000, 0x201000 | P | W), 'w^x', 'kernel rwx'),
    ('kernel text in the direct map', (paging.KERNEL_HALF, 0x200000 | P | W | XD | PS, 3),
     'alias', f'kernel text at {KERNEL:#x}'),
    ('one frame at two pages, one writable', (DATA, 0x100000 | P | U | W | XD), 'frames',
     'share frame'),
    ('a page table mapped', (DATA, 0x1000 | P | U | W | XD), 'frames', 'is the page table'),
)


def checks(space):
    """All complaints of the checks that need no debugger."""
    return {
        'user': list(check.user_half(space, WANTED)),
        'w^x': list(check.write_xor_execute(space)),
        'closed': list(check.kernel_half_closed(space)),
        'alias': list(check.kernel_text_unaliased(space)),
        'frames': list(check.frames_apart(space)),
    }


def test_checks(tap):
    good = checks(walk(good_tables()))
    tap.point(not any(good.values()), 'the checks accept good tables')
    for name, change, where, words in FAULTS:
        tables = good_tables()
        tables.put(*change)
        found = checks(walk(tables))
        tap.point(any(words in text for text in found[where]), f'the checks find {name}')


def test_on_demand(tap):
    tables = good_tables()
    tables.put(TEXT, 0)
    tables.put(DATA, 0x101000 | P | U | XD)
    found = list(check.user_half(walk(tables), WANTED, on_demand=True))
    tap.point(not found, 'on demand, pages may be missing or read-only')
    for entry, words in ((0x101000 | P | U, 'r-x'), (0x101000 | P | U | W, 'rwx')):
        tables.put(DATA, entry)
        found = list(check.user_half(walk(tables), WANTED, on_demand=True))
        tap.point(len(found) == 1 and words in found[0], f'on demand, data must not be {words}')
    tables.put(DATA + 0x1000, 0x102000 | P | U | XD)
    found = list(check.user_half(walk(tables), WANTED, on_demand=True))
    tap.point(len(found) == 2, 'on demand, no page may be one too many')


def test_rights_of_all_levels(tap):
    tables = Tables()
    tables.put(TEXT, 0x100000 | P | U | W, upper=P | W)
    space = walk(tables)
    tap.point(space.mappings[0].permissions() == 'kernel rwx', 'U counts at every level')
    tables = Tables()
    tables.put(TEXT, 0x100000 | P | U | W, upper=P | U | XD)
    space = walk(tables)
    tap.point(space.mappings[0].permissions() == 'user r--', 'W and XD count at every level')


def test_kernel_half(tap):
    tables = good_tables()
    tables.put(KERNEL + 0x2000, 0x202000 | P | U | XD, upper=P | W)
    found = list(check.kernel_half_closed(walk(tables)))
    tap.point(len(found) == 1 and 'PT entry' in found[0],
              'the checks find U in one level of the kernel half')
    tables = Tables()
    tables.put(KERNEL, 0x200000 | P | U)
    found = list(check.kernel_half_closed(walk(tables)))
    tap.point(len(found) == 5 and 'mapped user' in found[0],
              'the checks find a kernel page with U at every level')
    one, other = good_tables(), good_tables()
    other.put(paging.KERNEL_HALF + (1 << 39), 0x400000 | P | W | XD | PS, levels=3, upper=P | W)
    spaces = [walk(tables) for tables in (one, other)]
    found = list(check.kernel_half_shared(spaces[1], spaces[:1]))
    tap.point(len(found) == 1 and 'entry 257' in found[0], 'the checks find another kernel half')
    found = list(check.kernel_half_shared(spaces[0], spaces[:1]))
    tap.point(not found, 'the checks accept the same kernel half')


def test_image(tap):
    segment = model.Segment(offset=2, address=0x1ff0, file_size=3, memory_size=0x20,
                            writable=True, executable=False)
    program = model.Program('/p', b'abcdef', (segment,))
    tap.point(list(segment.pages()) == [0x1000, 0x2000], 'a segment across a page border')
    content = program.bytes_of(segment)
    tap.point(content[:5] == b'cde\0\0' and len(content) == 0x1010,
              'a writable segment is zero up to the end of its last page')
    shared = model.Segment(0, 0x2100, 1, 1, writable=False, executable=True)
    try:
        model.Program('/p', b'', (segment, shared)).rights()
        tap.point(False, 'two segments in a page are refused')
    except model.ImageError:
        tap.point(True, 'two segments in a page are refused')
    stack = model.stack_rights(2)
    tap.point(sorted(stack) == [0x7fff_ffff_c000, 0x7fff_ffff_d000], 'the stack of two pages')


# the ending, the console's text, the status that comes of it
VERDICTS = (
    (OFF, 'umbra: x\numbra: verdict: exit 0\n', 0),
    (OFF, 'umbra: verdict: exit 7', 7),
    (OFF, 'umbra: verdict: signal 11\n', 139),
    (OFF, 'umbra: verdict: panic\n', 125),
    (OFF, 'umbra: verdict: no init\n', 125),
    (OFF, '', 125),
    (OFF, 'umbra: verdict: exit 0\numbra: panic: late\n', 125),
    (OFF, 'say umbra: verdict: exit 0\n', 125),
    (OFF, 'umbra: verdict: exit 0 \n', 125),
    (CRASH, 'umbra: verdict: exit 0\n', 125),
)


def test_verdicts(tap):
    for ending, text, status in VERDICTS:
        verdict = console.judge(ending, text)
        tap.point(verdict.status == status, f'{ending.reason}, {text!r}: status {status}')
    late = console.judge(OFF, 'umbra: verdict: exit 0\n', limit_reached=True)
    tap.point(late.status == 124, 'the time limit outweighs a verdict')


ENDINGS = (  # of QEMU: status (None: it runs), its messages, the reason, whether the guest did it
    (1, '', 'powered off', True),
    (0, '', 'the machine was reset (triple fault?)', True),
    (0, 'qemu-system-x86_64: terminating on signal 15 from pid 7 (sh)\n', 'QEMU was ended by SIGTERM', False),
    (-9, '', 'QEMU was ended by SIGKILL', False),
    (1, 'qemu-system-x86_64: failed to initialize kvm: No such device\n',
     'QEMU stopped with status 1: qemu-system-x86_64: failed to initialize kvm: No such device', False),
    (None, 'KVM internal error. Suberror: 1\nextra data[0]: 0x1\n', 'this machine cannot run the kernel by KVM; '
     'QEMU runs without it too (KVM internal error. Suberror: 1)', False),
)


class EndedQemu(machine.Qemu):
    """QEMU with a status and messages, without a process."""

    def __init__(self, status, messages):  # pylint: disable=super-init-not-called
        self.process = types.SimpleNamespace(returncode=status, poll=lambda: status)
        self._kvm = True
        self._messages = messages

    def messages(self):
        return self._messages


def test_endings(tap):
    for status, messages, reason, by_guest in ENDINGS:
        ended = EndedQemu(status, messages)
        found = ended.running(), ended.ending()
        tap.point(found == (False, Ending(reason == 'powered off', reason, by_guest)),
                  f'QEMU, {reason}: {found}')


def test_kernel_text(tap):
    filtered = console.KernelText()
    shown = b''.join(filtered.feed(part) for part in (b'\x1b[H\x1b[J\x1b[1;1H', b'um', b'bra 1\n'))
    tap.point(shown == b'umbra 1\n' and filtered.before() == '', "GRUB's codes are held back")
    filtered = console.KernelText()
    shown = filtered.feed(b"\x1b[Herror: no umbra.elf found\r\nPress any key")
    tap.point(shown == b'' and filtered.before().startswith('error: no umbra.elf'),
              "GRUB's complaint is kept")


class DeafMachine:
    """A guest that loses the first bytes that are typed, and ends at the next ones."""

    def __init__(self):
        self.output, self._screen = os.pipe()
        self._line, self.input = os.pipe()
        self.typed = []
        os.write(self._screen, b'umbra: started\n')

    def running(self):
        if select.select([self._line], [], [], 0)[0]:
            self.typed.append(os.read(self._line, 100))
        if len(self.typed) > 1 and self._screen is not None:
            os.close(self._screen)
            self._screen = None
        return len(self.typed) < 2

    def kill(self):
        pass

    def ending(self):
        return OFF


def test_end_of_input(tap):
    for text, wanted in (('', b'\4'), ('a line\n', b'a line\n'), ('a part', b'a part')):
        guest = DeafMachine()
        with guest_tap.typed(text) as source:
            console.Session(guest, lambda data: None, source, 20).run()
        after = b'\4\4' if text == 'a part' else b'\4'
        tap.point(guest.typed == [wanted, after], f'after the input {text!r} comes ^D, and again if it is lost')


def test_quoting(tap):
    tap.point(iso.quote("it's $x \\ \"") == "'it'\\''s $x \\ \"'", 'a word is quoted for GRUB')
    for word in ('', 'a\nb', 'a\x07'):
        try:
            iso.quote(word)
            tap.point(False, f'{word!r} is refused')
        except iso.ImageError:
            tap.point(True, f'{word!r} is refused')


def test_cpio(tap):
    archive = cpio.entry('/a/b', b'12345') + cpio.entry('c', b'')
    tap.point(cpio.files(archive) == {'/a/b': b'12345', '/c': b''}, 'an archive is read back')


# the guest's lines, how many points fail in all (with the one about completeness)
STREAMS = (
    ('1..2\nok 1 - a\nok 2 - b', 0),
    ('ok 1 - a\nok 2 - b\n1..2', 0),
    ('1..2\nok 1 - a\nnot ok 2 - b', 1),
    ('1..2\nok 1 - a', 1),
    ('1..1\nok 1 - a\nok 2 - b', 1),
    ('ok 1 - a', 1),
    ('1..2\nok 1 - a\nok 3 - b', 1),
    ('1..1\nok 1\n1..1', 1),
    ('1..1\nok 1\nBail out! no', 1),
    ('1..0', 1),
    ('', 1),
)


def test_guest_tap(tap):
    for text, failures in STREAMS:
        inner = guest_tap.Tap()
        with contextlib.redirect_stdout(io.StringIO()):
            guest = guest_tap.GuestTap(inner)
            for line in text.split('\n'):
                guest.line(line)
            guest.finish()
        tap.point(inner.failed == failures, f"the guest's {text!r}: {failures} failed")


def test_broken(tap):
    for points, failures in (((True, 'a b'),), 1), (((False, 'x'),), 1), (((False, 'a b'),), 0):
        with contextlib.redirect_stdout(io.StringIO()):
            inner = guest_tap.BrokenTap('a b')
            for point in points:
                inner.point(*point)
            inner.finish()
        tap.point(inner.failed == failures, f'a planted fault, {points}: {failures} failed')


def archive_entry(name, data):
    text = name.encode() + b'\0'
    numbers = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0]
    head = b'070701' + b''.join(b'%08x' % number for number in numbers) + text
    return head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4)


def refusal(data):
    try:
        cpio.unpack(data)
    except cpio.UnpackError as error:
        return str(error)
    return 'taken'


def zstd_frame(data):
    room = ctypes.create_string_buffer(len(data) + 1000)
    size = cpio.library('libzstd.so.1', ZSTD_compress=ctypes.c_size_t).ZSTD_compress(
        room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), 3)
    return room.raw[:size]


def old_lz4(data):
    """As lz4 -l: blocks of 8 MiB with their compressed sizes."""
    out = b'\x02\x21\x4c\x18'
    for at in range(0, len(data), 8 << 20):
        block = data[at:at + (8 << 20)]
        room = ctypes.create_string_buffer(len(block) + len(block) // 255 + 16)
        size = cpio.library('liblz4.so.1').LZ4_compress_default(block, room, len(block), len(room))
        out += size.to_bytes(4, 'little') + room.raw[:size]
    return out


def lzop_file(data):
    """As lzop: a header without a name, and blocks of 256 KiB with the checksum of their contents."""
    header = bytes.fromhex('1040 20a0 0940 01 05 03000001 000081a4') + bytes(9)
    out = b'\x89LZO\0\r\n\x1a\n' + header + zlib.adler32(header).to_bytes(4, 'big')
    lzo, work = cpio.library('liblzo2.so.2'), ctypes.create_string_buffer(1 << 18)
    for at in range(0, len(data), 1 << 18):
        block = data[at:at + (1 << 18)]
        room, size = ctypes.create_string_buffer(len(block) * 2 + 64), ctypes.c_size_t()
        lzo.lzo1x_1_compress(block, ctypes.c_size_t(len(block)), room, ctypes.byref(size), work)
        stored = room.raw[:size.value] if size.value < len(block) else block
        out += b''.join(number.to_bytes(4, 'big') for number in (len(block), len(stored), zlib.adler32(block))) + stored
    return out + bytes(4)


def has_lzo():
    try:
        cpio.library('liblzo2.so.2')
    except cpio.LibraryError:
        return False
    return True


PLAIN = archive_entry('kernel/x86/microcode', b'\x1f\x8b magic of gzip in contents') + archive_entry('TRAILER!!!', b'')
PACKERS: dict[str, typing.Callable[[bytes], bytes]] = {
    'gzip': gzip.compress, 'bzip2': bz2.compress, 'xz': lzma.compress,
    'lzma': lambda data: lzma.compress(data, lzma.FORMAT_ALONE), 'zstd': zstd_frame, 'lz4': old_lz4}
if has_lzo():
    PACKERS['lzop'] = lzop_file
LARGE = archive_entry('large', bytes(range(256)) * (40 << 10)) + PLAIN


def test_compressed(tap):
    """Compressed initrds are unpacked part by part, and what is not compressed stays as it is."""
    points = {'an uncompressed archive stays': cpio.unpack(PLAIN) == PLAIN,
              'what is no archive stays': cpio.unpack(b'xyz' * 400) == b'xyz' * 400,
              'nothing stays': cpio.unpack(b'') == b'',
              'the other lz4 is named': 'lz4 -d' in refusal(PLAIN + b'\x04\x22\x4d\x18' + b'x' * 40),
              'a part that is cut is named': 'ends too early' in refusal(gzip.compress(PLAIN)[:-9]),
              'zstd that is cut is named': 'zstd at byte 0: it ends too early' in refusal(zstd_frame(PLAIN)[:-5]),
              'damaged zstd is named': 'zstd at byte 0: damaged' in refusal(zstd_frame(PLAIN)[:4] + b'\xff' * 90),
              'lz4 that is cut is named': 'lz4 at byte 0: damaged or cut' in refusal(old_lz4(PLAIN)[:-1]),
              'lz4 without an end is damaged': 'lz4 at byte 0: damaged' in refusal(old_lz4(PLAIN) + PLAIN),
              'damaged lz4 is named': 'lz4 at byte 0: damaged' in refusal(old_lz4(PLAIN)[:8] + b'\xff' * 999),
              'a damaged part is named': 'gzip at byte 0' in refusal(b'\x1f\x8b' + b'\xff' * 90)}
    if 'lzop' in PACKERS:
        start = len(lzop_file(b'')) - 4
        points |= {'lzop that is cut is named': 'lzop at byte 0: it ends too early' in refusal(lzop_file(PLAIN)[:-1]),
                   'damaged lzop is named':
                       'lzop at byte 0: damaged' in refusal(lzop_file(LARGE)[:start + 12] + b'\xff' * 999999),
                   'a wrong checksum of lzop is named':
                       'lzop at byte 0: damaged' in refusal(lzop_file(PLAIN).replace(b'magic', b'MAGIC'))}
    else:
        points['lzop without its library is named'] = 'lzop -d' in refusal(PLAIN + b'\x89LZO' + b'x' * 40)
    for kind, pack in PACKERS.items():
        packed = pack(PLAIN)
        points[f'{kind} alone'] = cpio.unpack(packed) == PLAIN
        for nuls in range(4, 8):  # what follows keeps its distance from a multiple of four
            points[f'{kind} after an uncompressed part, and one after it and {nuls} NULs'] = \
                cpio.unpack(PLAIN + b'\0' * 512 + packed + b'\0' * nuls + PLAIN) == \
                PLAIN + b'\0' * 512 + PLAIN + b'\0' * (len(packed) % 4 + nuls) + PLAIN
        points[f'{kind}, an entry that two parts hold'] = \
            f'{kind} at byte 0: an entry does not end with it' in refusal(pack(PLAIN[:60]) + pack(PLAIN[60:])) \
            if kind != 'lz4' else cpio.unpack(pack(PLAIN[:60]) + pack(PLAIN[60:])) == PLAIN  # which are one part
        large = pack(LARGE) * 2
        nuls = len(large) % 4 + 8
        points[f'{kind}, two parts of 10 MiB'] = cpio.unpack(large + b'\0' * 8 + pack(LARGE)) == \
            LARGE * 2 + b'\0' * (nuls + -nuls % 4) + LARGE
    for name, good in points.items():
        tap.point(good, f'compressed initrds: {name}')


def main():
    tap = guest_tap.Tap()
    for name, test in sorted(globals().items()):
        if name.startswith('test_'):
            test(tap)
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
