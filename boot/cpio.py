"""cpio archives in the "newc" format: their files, and the bytes of new ones; and initrds that are compressed, which
are unpacked on the host, since the kernel reads uncompressed archives only.

An initrd may have several parts, such as an uncompressed cpio archive with microcode and a compressed
one after it. Each part is unpacked by the library of its compression, which says where it ends.
"""
import bz2
import lzma
import os
import zlib

# The first bytes of a part, and how it is unpacked: gzip, bzip2, xz, lzma. For the others Python has
# no library: None.
KINDS = [(b'\x1f\x8b', 'gzip', lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
         (b'BZh', 'bzip2', bz2.BZ2Decompressor),
         (b'\xfd7zXZ', 'xz', lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
         (b'\x5d\0\0', 'lzma', lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
         (b'\x28\xb5\x2f\xfd', 'zstd', None),
         (b'\x02\x21\x4c\x18', 'lz4', None),
         (b'\x04\x22\x4d\x18', 'lz4', None),
         (b'\x89LZO', 'lzop', None)]
CPIO = (b'070701', b'070702')


class UnpackError(Exception):
    """An initrd that cannot be unpacked."""


def _cpio_end(data, at):
    """Where a cpio entry ends, with its padding."""
    try:
        size, name_size = int(data[at + 54:at + 62], 16), int(data[at + 94:at + 102], 16)
    except ValueError:
        return len(data)
    contents = (at + 110 + name_size + 3) // 4 * 4
    return (contents + size + 3) // 4 * 4


def _part(data, at):
    """One compressed part: what it holds, and where it ends."""
    for magic, name, library in KINDS:
        if not data.startswith(magic, at):
            continue
        if library is None:
            raise UnpackError(f'the initrd is compressed by {name}: unpack it with {name} -d first')
        unpacker = library()
        try:
            contents = unpacker.decompress(data[at:])
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            raise UnpackError(f'the initrd, {name} at byte {at}: {error}') from error
        if not unpacker.eof:
            raise UnpackError(f'the initrd, {name} at byte {at}: it ends too early')
        return contents, len(data) - len(unpacker.unused_data)
    return None, at


def unpack(data):
    """The bytes of all parts, each aligned to four; `data` itself if no part is compressed."""
    out, at, found = bytearray(), 0, False
    while at < len(data):
        end = at
        while end < len(data) and (data[end] == 0 or data.startswith(CPIO, end)):
            end = end + 1 if data[end] == 0 else _cpio_end(data, end)
        out += data[at:end]
        at = min(end, len(data))
        contents, end = _part(data, at)
        if contents is None:  # the end, or what the kernel will object to
            out += data[at:]
            break
        found = True
        out += b'\0' * (-len(out) % 4) + contents
        out += b'\0' * (-len(out) % 4)
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
