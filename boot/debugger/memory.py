"""Physical memory of a stopped machine. All commands read the machine through this class, so they
work on any memory: of Bochs, of a core file, or one that a test has built."""
import struct

PAGE_SIZE = 4096


class Unreadable(Exception):
    """No memory is there, or no page is mapped at a linear address."""


class Memory:
    """Pages that are fetched once and kept until forget(): the machine is stopped meanwhile."""

    def __init__(self, fetch, save=None):
        """`fetch(address, size)` returns the bytes at a physical address, or None; `save(size)`, where it is
        faster, yields all bytes from 0 on in pieces."""
        self._fetch, self.save = fetch, save
        self._pages = {}

    def forget(self):
        """The machine has run, so that pages may have other contents."""
        self._pages.clear()

    def _page(self, address):
        if address not in self._pages:
            self._pages[address] = self._fetch(address, PAGE_SIZE)
        if self._pages[address] is None:
            raise Unreadable(f'there is no memory at physical address {address:#x}')
        return self._pages[address]

    def load(self, address, size):
        """Fetches the pages of a large range at once."""
        first, end = address & -PAGE_SIZE, -(-(address + size) // PAGE_SIZE) * PAGE_SIZE
        content = self._fetch(first, end - first)
        if content is not None:
            for page in range(first, end, PAGE_SIZE):
                self._pages[page] = content[page - first:page - first + PAGE_SIZE]

    def uncached(self, address, size):
        """The bytes of whole pages, or None; nothing is kept."""
        return self._fetch(address, size)

    def physical(self, address, size):
        """The bytes at a physical address; raises Unreadable."""
        parts = []
        while size > 0:
            offset = address % PAGE_SIZE
            part = self._page(address - offset)[offset:offset + size]
            parts.append(part)
            address += len(part)
            size -= len(part)
        return b''.join(parts)

    def table(self, physical):
        """The 512 entries of the page table at a physical address."""
        return struct.unpack('<512Q', self.physical(physical, PAGE_SIZE))
