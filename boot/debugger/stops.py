"""Points at which the machine can stop, and how each is reached: by a stop of the kernel
(kernel/proc/debug_stop.h) or by a breakpoint of Bochs."""
import dataclasses
import difflib
import re

from debugger.session import KERNEL_IMAGE, SessionError

# enum debug_stop of kernel/proc/debug_stop.h, in its order.
KERNEL_STOPS = ('exec', 'fork', 'mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk', 'cow',
                'grow', 'fault', 'exit', 'exited')
FAULTS = ('fault', 'cow', 'grow')

HELP = """\
A POINT is one of these:
  kernel              the kernel's first instruction, before paging
  paging              the first instruction in 64-bit mode, with the early page tables
  exec[:PATH]         a new program is complete, its address space is in use
  before-exec[:PATH]  the same, before the switch of CR3
  user[:PATH]         the first instruction of a new program in ring 3
  fault[:N]           a page fault was resolved; only the N-th from now on
  cow, grow           a copy-on-write; a stack that grew
  fork, mmap, munmap, mprotect, mremap, madvise, brk, exit, exited
                      after the call; a process ends; its parent has waited for it
  syscall:NAME        a system call begins; return:NAME: it returns
  switch              the kernel switches to another thread
  NAME, NAME+0x10     a function of the current program, its libraries or the kernel; later
                      programs count too; kernel:NAME and user:NAME choose
  FILE.c:LINE         a source line
  0x401000            an address
"""


PLACES_NAMED = 4  # in the description of a point


@dataclasses.dataclass
class Place:
    """An address with a breakpoint, and the name of the file that it is in."""
    address: int
    module: str
    slot: int | None = None           # Bochs' number


@dataclasses.dataclass
class Point:
    """A place to stop. `stop` is the kernel's stop, or '' for a breakpoint; `path` restricts it
    to a program; `skip` hits are passed first; a `once` point is deleted by its hit."""
    text: str
    stop: str = ''
    path: str = ''
    skip: int = 0
    once: bool = False
    number: int = 0            # for the user
    places: list = dataclasses.field(default_factory=list)  # those of a breakpoint; empty: not known yet
    wanted: int = 0            # the number of places that it should have
    cr3: int | None = None            # of the one address space that counts
    is_entry: bool = False     # no stop: a program begins, its libraries are in memory
    is_start: bool = False     # no stop: the C library gets the address of main()
    said: str = ''             # the sentence of its hit; {rax} is the value of that register

    def is_hidden(self):
        """Whether the point is the driver's own, and not listed."""
        return self.is_entry or self.is_start

    def describe(self):
        """As a part of a sentence."""
        state = ''
        if self.is_pending():
            state = ', not reached yet: no file in memory has it'
        elif not self.stop:
            more = len(self.places) - PLACES_NAMED
            state = (', at ' + ', '.join(f'{place.address:#x}' for place in self.places[:PLACES_NAMED])
                     + (f' and {more} more' if more > 0 else ''))
        return self.text + state + (', once' if self.once else '')

    def is_pending(self):
        """Whether it is a breakpoint without a place."""
        return not self.stop and not self.places


def parse(text, once=False):
    """The Point that a text names; raises SessionError."""
    word, _, argument = text.partition(':')
    if word == 'fault':
        if text != word and not (argument.isdecimal() and int(argument) > 0):
            raise SessionError(f'{text}: a number from 1 on is wanted after "fault:".')
        return Point(text, stop='fault', skip=int(argument or 1) - 1, once=once or text != word)
    if text.endswith(':') and not text.endswith('::'):
        raise SessionError(f'{text} is not complete; "help points" lists the points.')
    if word in (*KERNEL_STOPS, 'before-exec') and argument and not argument.startswith('/'):
        raise SessionError(f'{text}: the path of a program is wanted after "{word}:", from / on.')
    if word in KERNEL_STOPS:
        return Point(text, stop=word, path=argument, once=once)
    if word in ('user', 'before-exec') and (not argument or argument.startswith('/')):
        return Point(text, stop='exec' if word == 'user' else '', path=argument, once=once)
    if not text or text.startswith(('-', ':')):
        raise SessionError(f'{text!r} is not a point; "help points" lists them.')
    return Point(text, once=once)


def matches(point, stop):
    """Whether a stop of the kernel is one that the point means."""
    names = FAULTS if point.stop == 'fault' else (point.stop,)
    return stop.name in names and point.path in ('', stop.path)


def stop_words(points):
    """The names for the kernel's `stop=`: exec always, for the symbols of new programs."""
    names = {'exec'}
    for point in points:
        names.update(FAULTS if point.stop == 'fault' else [point.stop] if point.stop else [])
    return [name for name in KERNEL_STOPS if name in names]


def stop_bits(points):
    """The same as the kernel's variable debug_stops."""
    return sum(1 << KERNEL_STOPS.index(name) for name in stop_words(points))


def places_of(session, point):
    """The places of a point that is a breakpoint; raises SessionError if nothing in memory has it yet."""
    kernel = session.kernel_module.elf
    word, _, argument = point.text.partition(':')
    if point.text in ('kernel', 'paging'):
        name = {'kernel': 'boot_entry', 'paging': 'long_mode'}[point.text]
        return [Place(kernel.symbol(name) - KERNEL_IMAGE, kernel.name)]
    if word == 'before-exec':
        return [Place(kernel.symbol('exec_commit'), kernel.name)]
    if point.text == 'switch':
        return [Place(kernel.symbol('context_switch'), kernel.name)]
    if word in ('syscall', 'return'):
        for prefix in ('call_', 'sys_'):
            if prefix + argument in kernel.names:
                return [Place(kernel.symbol(prefix + argument), kernel.name)]
        calls = [name[len(prefix):] for prefix in ('call_', 'sys_') for name in kernel.names if name.startswith(prefix)]
        near = difflib.get_close_matches(argument, calls, 1)
        raise SessionError(f'the kernel has no system call {argument}.' + (f' Did you mean {near[0]}?' if near else ''))
    return [place_at(session, address) for address in session.resolve_all(point.text)]


def place_at(session, address):
    """The place at an address of a file in memory."""
    module = session.module_at(address)
    return Place(address, module.elf.name if module else '')


def append_points(words):
    """Splits the words of --append into those that are not stops, and the stops of `stop=`; the
    debugger reads the address spaces itself, so "spaces" is left out."""
    rest, points = [], []
    for word in words:
        match = re.fullmatch(r'stop=(.*)', word)
        if match:
            points += [name for name in match[1].split(',') if name and name != 'spaces']
        else:
            rest.append(word)
    return rest, points
