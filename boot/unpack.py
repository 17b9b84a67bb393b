"""Unpacks a compressed initrd on the host, since the kernel reads uncompressed archives only.

An initrd may have several parts, such as an uncompressed cpio archive with microcode and a compressed
one after it. Each part is unpacked by the library of its compression, which says where it ends.
"""
import bz2
import lzma
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
