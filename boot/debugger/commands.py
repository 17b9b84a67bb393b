"""The commands of the prompt. Each is a function of the session and the words after its name and
yields lines; commands that run the machine are in driver.py."""
import contextlib
import difflib
import pathlib
import re
import signal

from bochs.paging import ADDRESS, KERNEL_HALF
from debugger import explain, tables
from debugger.elf import short_source
from debugger.kernel import FRAME_KINDS, PAGE_SIZE
from debugger.tables import Unreadable
from debugger.session import SessionError
from debugger.unwind import FRAMES_MAX

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTEXT = 5  # source lines before and after the current one
COUNT_MAX = 100_000
NAMED = re.compile('ADDRESS|NAME|MARK|FILE')
SIG_IGN, SA_ONSTACK = 1, 0x0800_0000  # kernel/task/signal.h
PHYSICAL_MAX = (1 << 52) - 1


def _one_address(session, words, default=None):
    if not words and default is not None:
        return session.registers()[default]
    if len(words) != 1:
        raise SessionError('one address or symbol is wanted.')
    return session.resolve(words[0])


def number(word, least=1, most=COUNT_MAX):
    """The number that a word is; raises SessionError."""
    try:
        value = int(word, 0)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SessionError(f'a number from {least} to {most} is wanted, not {word}.')
    return value


def _process(session, words):
    """The process that the words name by its pid, or the current one."""
    if words:
        if not words[0].isdigit():
            raise SessionError(f'{words[0]} is not a pid; tasks lists them.')
        process = session.kernel.process(int(words[0]))
        if process is None:
            raise SessionError(f'there is no process {words[0]}; tasks lists them.')
        return process
    process = session.process()
    if process is None:
        raise SessionError('the current address space belongs to no process: it is early in the '
                           'boot, or only the kernel runs.')
    return process


def where(session, words):
    """where - the next instruction: ring, function, source line, process."""
    registers = session.registers()
    rip = registers['rip']
    yield f'Ring {registers["cpl"]}, next instruction {session.name(rip)}.'
    if place := session.source(rip):
        yield f'Source: {short_source(place[0])}:{place[1]}.'
    elif (module := session.module_at(rip)) and not module.elf.has_lines:
        yield f'{module.elf.name} has no source lines.'
    elif module is None and registers['cr0'] & explain.CR0_PG:
        yield 'No file that is known is mapped there: no symbols.'
    owner = session.process()
    if owner is None:
        yield f'CR3 is {registers["cr3"]:#x}, which belongs to no process.'
    else:
        yield (f'Address space of pid {owner.pid} ({session.kernel.comm(owner)}, '
               f'{owner.image.path}), CR3 {registers["cr3"]:#x}.')


def bt(session, words):
    """bt [COUNT] - backtrace, from the current function through entries into the kernel to the program: at
    most COUNT frames (64)."""
    count = number(words[0]) if words else FRAMES_MAX
    trace = session.backtrace(count + 1)
    stray = trace.pop().pc if not trace[-1].exact and not session.is_code(trace[-1].lookup()) else None
    more, trace = len(trace) > count, trace[:count]
    below = 'user' if session.process() else 'kernel'
    lines = [line for frame, following in zip(trace, [*trace[1:], None])
             for line in _frame_lines(session, frame, below, following)]
    for level, line in enumerate(lines[:count]):
        yield f'#{level:<2} {line}'
    if more or len(lines) > count:
        yield f'There are more: bt {10 * count} shows {10 * count} frames.'
        return
    if stray is not None:
        yield (f'It would return to {stray:#x}, which is not code: it is the outermost function, or the stack is '
               'damaged.')
        return
    module = session.module_at(trace[-1].lookup())
    if module is not None and not session.has_rules(trace[-1].lookup()):
        yield f'{module.elf.name} has no call frame information there: its callers are not known.'


def _frame_lines(session, frame, below, following=None):
    """A line for each function that is inlined where a frame is, the innermost first, then that of its function."""
    ring = f'{"kernel" if frame.pc >= KERNEL_HALF else below:<6}'
    calls = session.calls(frame.lookup())
    places = [f' at {short_source(file)}:{line}' for _, file, line in calls] or ['']
    call = _call(session, frame)
    of = ' of ' + call.split(' of ', 1)[1] if ' of ' in call else ''
    for (function, _, _), place in zip(calls[:-1], places):
        yield f'{ring} {frame.pc:#x} {function}{of}, inlined,{place}'
    if following and following.exact and frame.pc < KERNEL_HALF:  # it was interrupted, and did not call
        call = re.sub(r'\(no symbol( of .*)\)$', r'(a signal handler returns here)\1', call)
    yield f'{ring} {call}{places[-1]}'


def _call(session, frame):
    """A frame's address with its symbol: that of the call, not of the instruction after it."""
    if frame.exact:
        return session.name(frame.pc)
    words = session.name(frame.lookup()).split(' ', 1)
    if len(words) == 1:
        return f'{frame.pc:#x}'
    name, _, rest = words[1].partition(' of ')
    base, plus, offset = name.partition('+')
    if plus:
        name = f'{base}+{int(offset, 16) + 1:#x}'
    return f'{frame.pc:#x} {name}' + (f' of {rest}' if rest else '')


def walk(session, words):
    """walk ADDRESS - the page-table walk, level by level, and where the page comes from."""
    yield from explain.walk(session, _one_address(session, words))


def why(session, words):
    """why ADDRESS [r|w|x] [user|kernel] - whether an access faults, and what the kernel does."""
    if not words:
        raise SessionError('one address or symbol is wanted.')
    access, user = 'r', True
    for word in words[1:]:
        if word in ('user', 'kernel'):
            user = word == 'user'
        elif word in explain.ACCESSES:
            access = word
        else:
            raise SessionError(f'{word} is not one of r, w, x, user, kernel.')
    yield from explain.why(session, session.resolve(words[0]), access, user)


def maps(session, words):
    """maps [PID] - the areas of a process, each with what its page tables hold."""
    yield from explain.maps(session, _process(session, words))


def frames(session, words):
    """frames [ADDRESS|phys ADDRESS] - the frames by kind, or who shares the frame of an address."""
    session.kernel.load_frames()
    if not words:
        yield from _all_frames(session)
        return
    if words[0] == 'phys' and len(words) == 2:
        physical = number(words[1], 0, PHYSICAL_MAX)
    else:
        linear = _one_address(session, words)
        physical = tables.translate(session.memory, session.cr3(), linear)
        if physical is None:
            raise SessionError(f'no page is mapped at {session.name(linear)}; walk shows why.')
        yield f'{session.name(linear)}:'
    yield from explain.frame(session, physical)
    found = 0
    for process, linear, entry in explain.sharers(session, physical):
        found += 1
        yield (f'  pid {process.pid} ({session.kernel.comm(process)}) maps it at {linear:#x}, '
               f'{tables.leaf_words(entry).split(" ", 2)[2]}.')
    if not found:
        yield '  No process maps it.'


def _all_frames(session):
    counts = dict.fromkeys(FRAME_KINDS, 0)
    for _, count, kind, _ in session.kernel.frame_runs():
        counts[kind] = counts.get(kind, 0) + count
    yield f'{sum(counts.values())} frames of {PAGE_SIZE} bytes:'
    for kind, count in counts.items():
        yield f'  {count:>7} {kind:<8} {explain.KIND_WORDS.get(kind, "")}'


def tasks(session, words):
    """tasks - all processes and their threads; the current one has a star."""
    current = session.kernel.current()
    processes = session.kernel.processes()
    if not processes:
        yield 'There are no processes yet.'
    for process in processes:
        star = '*' if process == current else ' '
        parent = process.parent.pid if process.parent else 0
        root = session.kernel.root_of(process)
        space = f'CR3 {root:#x}' if root is not None else 'no memory'
        yield (f'{star} pid {process.pid} ({session.kernel.comm(process)}), parent {parent}, '
               f'{process.word_of("state")}, {space}'
               + (f', {process.image.path}' if process.image else '') + _user(process))
        for thread in session.kernel.threads(process):
            yield f'      thread {thread.tid}, {thread.word_of("state")}'


def _user(process):
    """Whose process it is, unless it is the superuser's."""
    user = process.cred.user
    if not user.real and not user.effective:
        return ''
    return f', user {user.real}' + (f', effective {user.effective}' if user.effective != user.real else '')


def fd(session, words):
    """fd [PID] - the open files of a process."""
    process = _process(session, words)
    table = process.files
    if table is None:
        yield f'pid {process.pid} has no open files: it has ended.'
        return
    array = int.from_bytes(session.read(table.address_of('file'), 8), 'little')
    for descriptor in range(table.used):
        address = int.from_bytes(session.read(array + 8 * descriptor, 8), 'little')
        if address:
            yield f'  {descriptor:>3}  {_file_words(session, address)}'


def _file_words(session, address):
    file = session.kernel.view('file', address)
    place = file.vfs.path
    path = session.kernel.path_of(place) if place.dentry else '(no path)'
    kind = ''
    if file.ops:
        kind = f', {session.kernel_module.elf.name_at(file.ops.address)}'
    return f'{path}, offset {file.vfs.offset}{kind}, {file.refs.count} reference(s)'


def sigs(session, words):
    """sigs [PID] - pending signals of a process and its threads, their masks, and what is set for signals."""
    process = _process(session, words)
    yield f'pid {process.pid}: pending for the process {_signals(process.pending.set)}.'
    for thread in session.kernel.threads(process):
        yield (f'  thread {thread.tid}: pending {_signals(thread.signals.pending.set)}, blocked '
               f'{_signals(thread.signals.blocked)}.')
    for number, action in session.kernel.signal_actions(process):
        what = 'ignored' if action.handler == SIG_IGN else f'handler {session.name(action.handler)}'
        yield f'  {_signal(number)}: {what}' + (', on the alternate stack' if action.flags & SA_ONSTACK else '') + '.'


def _signal(number):
    """A signal's number and name."""
    with contextlib.suppress(ValueError):
        return f'{number} ({signal.Signals(number).name})'
    return str(number)


def _signals(mask):
    return ', '.join(_signal(bit + 1) for bit in range(64) if mask >> bit & 1) or 'none'


def src(session, words):
    """src [ADDRESS] - the source around the current instruction, or around an address."""
    address = _one_address(session, words, 'rip')
    place = session.source(address)
    if place is None:
        raise SessionError(f'{session.name(address)} has no source line.')
    path = _source_file(place[0])
    yield f'{path}:{place[1]}'
    if not path.is_file():
        yield 'The file is not on this machine.'
        return
    lines = path.read_text(errors='replace').split('\n')
    for line in range(max(1, place[1] - CONTEXT), min(len(lines), place[1] + CONTEXT) + 1):
        yield f'{"->" if line == place[1] else "  "} {line:>5}  {lines[line - 1]}'


def _source_file(text):
    """A source file; if it is not where it was compiled, that of the same name in this repository."""
    path, here = pathlib.Path(text), ROOT / short_source(text)
    return here if not path.is_file() and here.is_file() else path


def mark(session, words):
    """mark NAME - keeps the page tables of the current process for `ptdiff NAME`."""
    if len(words) != 1:
        raise SessionError('one name is wanted.')
    process = _process(session, [])
    take_mark(session, words[0])
    yield f'The page tables of pid {process.pid} are kept as "{words[0]}".'


def take_mark(session, name):
    """Keeps the tables of the current process under a name, if there is one."""
    process = session.process()
    if process is not None:
        session.marks[name] = (process.pid, session.cr3() & ADDRESS,
                               tables.user_half(session.memory, session.cr3()))


def ptdiff(session, words):
    """ptdiff [MARK] - what changed in the page tables since the last stop, or since a mark."""
    name = words[0] if words else ''
    if name not in session.marks:
        raise SessionError(f'there is no mark "{name}".' if name else
                           'there was no earlier stop in a process.')
    pid, cr3, before = session.marks[name]
    process = session.kernel.process(pid)
    root = session.kernel.root_of(process) if process else None
    if root is None:
        yield f'pid {pid} has no memory any more.'
        return
    if root != cr3:
        yield f'pid {pid} has run another program since: CR3 was {cr3:#x}, and is {root:#x} now.'
    after = tables.user_half(session.memory, root)
    changes = list(tables.differences(before, after))
    yield f'pid {pid}, ' + ('since the last stop:' if not name else f'since the mark "{name}":')
    yield from changes or ['nothing changed.']


def symbol(session, words):
    """symbol ADDRESS|NAME - the symbol at an address, or the address of a symbol."""
    address = _one_address(session, words)
    yield f'{session.name(address)}.'


def files(session, words):
    """files - the kernel, program, interpreter and libraries in memory, and what is known of
    them."""
    for module in [session.kernel_module, *session.modules()]:
        symbols = len(module.elf.names)
        lines = 'source lines' if module.elf.has_lines else 'no source lines'
        at = f'loaded at +{module.bias:#x}' if module.bias else 'at its own addresses'
        yield f'{module.elf.name}: {at}, {symbols or "no"} symbols, {lines}.'


def qwords(session, words):
    """qwords ADDRESS [COUNT] - COUNT quadwords of memory (8)."""
    if not words:
        raise SessionError('one address or symbol is wanted.')
    address = session.resolve(words[0])
    count = number(words[1]) if len(words) > 1 else 8
    for at in range(address, address + 8 * count, 8):
        word = int.from_bytes(session.read(at, 8), 'little')
        yield f'{at:#x}: {word:#018x}'


COMMANDS = {'where': where, 'bt': bt, 'walk': walk, 'why': why, 'maps': maps, 'frames': frames,
            'tasks': tasks, 'fd': fd, 'sigs': sigs, 'src': src, 'mark': mark, 'ptdiff': ptdiff,
            'symbol': symbol, 'files': files, 'qwords': qwords}


def run(session, name, words):
    """The lines of a command's answer; an error is a line too."""
    try:
        refuse_surplus(COMMANDS[name].__doc__, words)
        yield from COMMANDS[name](session, words)
    except (SessionError, Unreadable) as error:
        yield f'{name}: {error}'


def refuse_surplus(text, words):
    """Raises SessionError if there are more words than the help text of the command has after its name."""
    usage = text.split(' - ')[0]
    if len(words) >= len(usage.split()):
        quotes = ' A name with blanks is put in quotes.' if NAMED.search(usage) else ''
        raise SessionError(f'{words[len(usage.split()) - 1]} is a word too many: {usage}.{quotes}')


def nearest(word, names):
    """The known name that a mistyped word probably means, or None."""
    found = difflib.get_close_matches(word, names, 1, 0.6)
    return found[0] if found else None
