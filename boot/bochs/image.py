"""The mappings that a program file asks for, independent of umbra: from the output of readelf."""
import dataclasses
import re

import tools
from bochs.paging import PAGE_SIZE

# The stack of a new process: STACK_TOP and STACK_PAGES of the kernel.
STACK_TOP = 0x7fff_ffff_e000
STACK_PAGES = 32
# The base of a program without a fixed address, with noaslr: PIE_BASE of the kernel.
PIE_BASE = 0x5555_5555_4000

LOAD_LINE = re.compile(r' +LOAD +(0x[0-9a-f]+) (0x[0-9a-f]+) 0x[0-9a-f]+ '
                       r'(0x[0-9a-f]+) (0x[0-9a-f]+) (R| )(W| )(E| )')


class ImageError(Exception):
    """The expected mappings cannot be derived from this file."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """A PT_LOAD program header, sizes and addresses in bytes."""
    offset: int
    address: int
    file_size: int
    memory_size: int
    writable: bool
    executable: bool

    def pages(self):
        """The addresses of the pages that it touches."""
        first = self.address & -PAGE_SIZE
        return range(first, self.address + self.memory_size, PAGE_SIZE)


@dataclasses.dataclass(frozen=True)
class Program:
    """A static program at a fixed address: its content and its segments."""
    path: str
    content: bytes
    segments: tuple

    def rights(self):
        """Maps each page of the image to its permissions, in the words of Mapping."""
        wanted = {}
        for segment in self.segments:
            word = f'user r{"w" if segment.writable else "-"}{"x" if segment.executable else "-"}'
            for page in segment.pages():
                if wanted.setdefault(page, word) != word:
                    raise ImageError(f'{self.path}: two segments share the page {page:#x}')
        return wanted

    def bytes_of(self, segment):
        """The memory of a segment at the program's start: file bytes, then zeros; for a writable
        one up to the end of its last page."""
        size = segment.memory_size
        if segment.writable:
            size = -(-(segment.address + size) // PAGE_SIZE) * PAGE_SIZE - segment.address
        content = self.content[segment.offset:segment.offset + segment.file_size]
        return content + bytes(size - len(content))


def read(path, content, scratch, base=None):
    """The program with this content; `scratch` is a folder for a file that readelf can open. One
    without a fixed address is refused, unless its `base` is given."""
    copy = scratch / 'program'
    copy.write_bytes(content)
    text = tools.run(['readelf', '-lW', str(copy)],
                     env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin'})
    fixed = 'Elf file type is EXEC' in text
    if not fixed and base is None:
        raise ImageError(f'{path} is not at a fixed address')
    segments = []
    for match in LOAD_LINE.finditer(text):
        numbers = [int(match[group], 16) for group in range(1, 5)]
        numbers[1] += 0 if fixed else base
        segments.append(Segment(*numbers, match[6] == 'W', match[7] == 'E'))
    if not segments:
        raise ImageError(f'readelf lists no segment of {path}')
    return Program(path, content, tuple(segments))


def stack_rights(pages=STACK_PAGES):
    """Maps each page of a new stack to its permissions."""
    return {STACK_TOP - PAGE_SIZE * (index + 1): 'user rw-' for index in range(pages)}
