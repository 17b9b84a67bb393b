"""cpio archives in the "newc" format: their files, and the bytes of new ones."""
import os

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
