"""cpio archives in the "newc" format: their files, and the bytes of new ones; and initrds that are compressed, which
are unpacked on the host, since the kernel reads uncompressed archives only.

An initrd may have several parts, such as an uncompressed cpio archive with microcode and a compressed
one after it. Each part is unpacked by the library of its compression, which says where it ends.
"""
import bz2
import ctypes
import lzma
import os
import zlib


class UnpackError(Exception):
    """An initrd that cannot be unpacked."""


class LibraryError(UnpackError):
    """A library that this machine lacks."""


def library(name, **results):
    """A C library with the types of its functions' results, all of whose arguments are addresses and sizes."""
    try:
        loaded = ctypes.CDLL(name)
    except OSError as error:
        raise LibraryError(str(error)) from error
    for function, result in results.items():
        getattr(loaded, function).restype = result
    return loaded


class Zstd:
    """A frame of zstd, with the interface of Python's own decompressors."""
    CHUNK = 1 << 20

    class Buffer(ctypes.Structure):
        """ZSTD_inBuffer and ZSTD_outBuffer."""
        _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t), ('done', ctypes.c_size_t)]

    def __init__(self):
        self.zstd = library('libzstd.so.1', ZSTD_createDCtx=ctypes.c_void_p, ZSTD_decompressStream=ctypes.c_size_t)
        self.eof, self.unused_data = False, b''

    def decompress(self, data):
        context = ctypes.c_void_p(self.zstd.ZSTD_createDCtx())
        room = ctypes.create_string_buffer(self.CHUNK)
        source = self.Buffer(ctypes.cast(data, ctypes.c_void_p), len(data), 0)
        out = bytearray()
        try:
            while not self.eof:
                made = self.Buffer(ctypes.cast(room, ctypes.c_void_p), self.CHUNK, 0)
                left = self.zstd.ZSTD_decompressStream(context, ctypes.byref(made), ctypes.byref(source))
                if self.zstd.ZSTD_isError(ctypes.c_size_t(left)):
                    raise EOFError('damaged')
                out += room.raw[:made.done]
                self.eof = left == 0
                if not self.eof and source.done == source.size and made.done < made.size:
                    break
        finally:
            self.zstd.ZSTD_freeDCtx(context)
        self.unused_data = data[source.done:]
        return bytes(out)


class OldLz4:
    """Blocks of lz4 of 8 MiB (lz4 -l), the form that Linux unpacks. They end with the file or a size of 0. After the
    magic of more such blocks they go on."""
    MAGIC = b'\x02\x21\x4c\x18'
    BLOCK, WORST = 8 << 20, (8 << 20) + (8 << 20) // 255 + 16

    def __init__(self):
        self.lz4 = library('liblz4.so.1', LZ4_decompress_safe=ctypes.c_int)
        self.eof, self.unused_data = False, b''

    def decompress(self, data):
        room = ctypes.create_string_buffer(self.BLOCK)
        out, at = bytearray(), 4
        while size := int.from_bytes(data[at:at + 4], 'little'):
            if data.startswith(self.MAGIC, at):
                at += len(self.MAGIC)
                continue
            block = data[at + 4:at + 4 + size]
            made = self.lz4.LZ4_decompress_safe(block, room, len(block), self.BLOCK)
            if not len(block) == size <= self.WORST or made < 0:
                raise EOFError('damaged or cut')
            out += room.raw[:made]
            at += 4 + size
        self.eof, self.unused_data = True, data[at:]
        return bytes(out)


class Lzop:
    """A file of lzop: blocks after their sizes and checksums. A size of 0 is the end."""
    BLOCK = 1 << 18
    ADLER_CONTENTS, ADLER_BLOCK, EXTRA, CRC_CONTENTS, CRC_BLOCK, FILTER = 0x1, 0x2, 0x40, 0x100, 0x200, 0x800
    LONG_HEADER = 0x940  # the version from which on it is longer

    def __init__(self):
        self.lzo = library('liblzo2.so.2', lzo1x_decompress_safe=ctypes.c_int)
        self.eof, self.unused_data = False, b''
        self.data, self.at = b'', 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise EOFError('it ends too early')
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size=4):
        return int.from_bytes(self.take(size), 'big')

    def header(self):
        """Passes over the header, whose checksum is not looked at. Returns its flags."""
        self.take(len(b'\x89LZO\0\r\n\x1a\n'))
        is_long = self.number(2) >= self.LONG_HEADER
        self.take(6 if is_long else 3)  # further versions, method, level
        flags = self.number()
        self.take((4 if flags & self.FILTER else 0) + (12 if is_long else 8))  # mode, times
        self.take(self.number(1) + 4)  # name, checksum
        if flags & self.EXTRA:
            self.take(self.number() + 4)
        return flags

    def block(self, flags, made):
        """The contents of a block, `made` bytes."""
        size = self.number()
        sums = {bit: self.number() for bit in (self.ADLER_CONTENTS, self.CRC_CONTENTS) if flags & bit}
        self.take(4 * sum(bool(flags & bit) for bit in (self.ADLER_BLOCK, self.CRC_BLOCK) if size < made))
        contents = self.take(size)
        if made > self.BLOCK or not 0 < size <= made:
            raise EOFError('damaged')
        if size < made:
            room, length = ctypes.create_string_buffer(made), ctypes.c_size_t(made)
            status = self.lzo.lzo1x_decompress_safe(contents, ctypes.c_size_t(size), room, ctypes.byref(length), None)
            if status != 0 or length.value != made:
                raise EOFError('damaged')
            contents = room.raw
        for bit, wanted in sums.items():
            if (zlib.adler32 if bit == self.ADLER_CONTENTS else zlib.crc32)(contents) != wanted:
                raise EOFError('damaged')
        return contents

    def decompress(self, data):
        self.data = data
        out, flags = bytearray(), self.header()
        while made := self.number():
            out += self.block(flags, made)
        self.eof, self.unused_data = True, data[self.at:]
        return bytes(out)


# The first bytes of a part, and how it is unpacked. None: Linux does not unpack that form of lz4 either.
KINDS = [(b'\x1f\x8b', 'gzip', lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
         (b'BZh', 'bzip2', bz2.BZ2Decompressor),
         (b'\xfd7zXZ', 'xz', lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
         (b'\x5d\0\0', 'lzma', lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
         (b'\x28\xb5\x2f\xfd', 'zstd', Zstd),
         (OldLz4.MAGIC, 'lz4', OldLz4),
         (b'\x04\x22\x4d\x18', 'lz4', None),
         (b'\x89LZO', 'lzop', Lzop)]
CPIO = (b'070701', b'070702')


def _cpio_end(data, at):
    """Where a cpio entry ends, with its padding."""
    if at + HEADER_SIZE > len(data):
        return at + HEADER_SIZE
    try:
        size, name_size = int(data[at + 54:at + 62], 16), int(data[at + 94:at + 102], 16)
    except ValueError:
        return len(data)
    contents = (at + HEADER_SIZE + name_size + 3) // 4 * 4
    return (contents + size + 3) // 4 * 4


def _plain_end(data, at):
    """Where entries of cpio from `at` on end, with the NULs between and after them; beyond the data if it is cut."""
    while at < len(data) and (data[at] == 0 or data.startswith(CPIO, at)):
        at = at + 1 if data[at] == 0 else _cpio_end(data, at)
    return at


def _part(data, at):
    """One compressed part: what it holds, and where it ends."""
    for magic, name, maker in KINDS:
        if not data.startswith(magic, at):
            continue
        try:
            unpacker = maker() if maker else None
        except LibraryError:
            unpacker = None
        if unpacker is None:
            raise UnpackError(f'the initrd is compressed by {name}: unpack it with {name} -d first')
        try:
            contents = unpacker.decompress(data[at:])
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            raise UnpackError(f'the initrd, {name} at byte {at}: {error}') from error
        if not unpacker.eof:
            raise UnpackError(f'the initrd, {name} at byte {at}: it ends too early')
        if _plain_end(contents, 0) > len(contents):
            raise UnpackError(f'the initrd, {name} at byte {at}: an entry does not end with it')
        return contents, len(data) - len(unpacker.unused_data)
    return None, at


def unpack(data):
    """The bytes of all parts; `data` itself if no part is compressed. What a compressed part holds begins at a multiple
    of four, and what follows is as far from one as it is in `data`: Linux takes a header at a multiple of four only."""
    out, at, found = bytearray(), 0, False
    while at < len(data):
        contents, end = _part(data, at)
        if contents is None:
            end = min(_plain_end(data, at), len(data))
            if end == at:  # what the kernel will object to
                end = len(data)
            out += b'\0' * ((at - len(out)) % 4) + data[at:end]
        else:
            found = True
            out += b'\0' * (-len(out) % 4) + contents
        at = end
    return bytes(out) if found else data


MAGIC = b'070701'
HEADER_SIZE = 110
TRAILER = 'TRAILER!!!'
REGULAR_FILE = 0o100000


def _align(offset):
    return (offset + 3) & ~3


def files(archive):
    """Maps the path of each regular file of the archive (bytes), or of several one after the other, to
    its content."""
    found = {}
    offset = 0
    while archive[offset:offset + 6] == MAGIC:
        fields = [int(archive[offset + at:offset + at + 8], 16) for at in range(6, HEADER_SIZE, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name_at = offset + HEADER_SIZE
        name = os.fsdecode(archive[name_at:name_at + name_size - 1])
        data_at = _align(name_at + name_size)
        if mode & 0o170000 == REGULAR_FILE and name != TRAILER:
            found['/' + name.removeprefix('./').lstrip('/')] = archive[data_at:data_at + size]
        offset = _align(data_at + size)
        while name == TRAILER and archive[offset:offset + 1] == b'\0':
            offset += 1
    return found


def entry(path, content, mode=0o644):
    """The bytes of one file, to be put before an archive; `mode` without a type is a regular file."""
    if not mode & 0o170000:
        mode |= REGULAR_FILE
    name = os.fsencode(path.lstrip('/')) + b'\0'
    fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
    head = MAGIC + b''.join(b'%08x' % field for field in fields) + name
    head += bytes(_align(len(head)) - len(head))
    return head + content + bytes(_align(len(content)) - len(content))


def end():
    """The bytes that end an archive."""
    return entry(TRAILER, b'', 0)
