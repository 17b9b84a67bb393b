"""Runs the machine between the stops that the user wants, and answers the commands."""
import contextlib
import math
import re
import shlex

import aftermath
import tools
from bochs.debugger import DebuggerError
from debugger import commands, core, stops, tables
from debugger.elf import SymbolError
from debugger.tables import Unreadable
from debugger.session import LINE, SessionError

BATCH_LIMIT = 600              # seconds to the next stop, without a terminal
STEPS_MAX = 10_000             # of trace
STEPS_AT_ONCE = 1_000_000_000  # of s
WITH_ANY_WORDS = ('until', 'break', 'back', 'type', 'bochs')
BOCHS_LINE_MAX = 400  # characters
CALLS = ('syscall', 'return')  # the words before the name of a system call
RESULT = '{rax}'  # in the sentence of a point: the value of that register
LAST_WORDS = 10  # lines of programs that are printed if it ended before the first point
OF_OTHERS = re.compile(r'umbra: |\(0\)|Next at t=|<bochs:')  # the kernel's lines and those of Bochs' debugger
SPARE = 4  # breakpoints that a point with several places leaves for others
MAIN, LIBC_START = ('main', 'user:main'), '__libc_start_main'
ENTRY_CODE = ('entry_syscall', 'entry_0')  # the symbols at the beginning and the end of the exits
EXIT = re.compile(rb'\x48\x0f\x07|\x0f\x07|\x48\xcf')  # sysretq, sysretl, iretq
KEY = re.compile(r'\\(x[0-9a-fA-F]{2}|[tnre])')  # in the words of the command type
KEYS = {'t': '\t', 'n': '\n', 'r': '\r', 'e': '\x1b'}
UNKNOWN = re.compile('syntax error|Undefined command|Ambiguous command')  # of Bochs and of gdb
CHANGES = ('set', 'setpmem', 'loadmem')  # commands of Bochs that change the machine

HELP = """\
Commands (help COMMAND says more):
  c               continue to the next point       break POINT     stop there, from now on
  until POINT     to this point, or another one    points          list the points
  s [N]           N instructions                   delete N        delete point N
  step user       the next instruction in ring 3   trace N         N instructions, printed
  back N          to N instructions before         back POINT      to its last time before now
  where, bt, src  the current place                maps, walk, why, ptdiff, mark, frames
  tasks, fd, sigs processes                        files, symbol   what is in memory
  type WORDS      keys for the program
  qwords ADDRESS  memory                           dump FILE       an ELF core for gdb
  bochs WORDS     a command of Bochs itself        q               leave

While the machine runs, this terminal is the guest's; ^] comes back to the prompt.
"""

RUNNING = {
    'c': 'c - continue to the next point; ^] comes back.',
    's': 's [N] - execute N instructions (1).',
    'step': 'step user|N - continue to the next instruction in ring 3; step N is s N.',
    'until': 'until POINT - continue to this point, once, or to one that was set before. "help points" lists '
             'what a point can be.',
    'break': 'break POINT - stop at this point from now on. "help points" lists the points.',
    'points': 'points - the points at which the machine stops.',
    'delete': 'delete N - delete a point by its number.',
    'trace': 'trace N - execute N instructions and print each, with its symbol.',
    'type': 'type WORDS - type these words and the return key for the program, which reads them when it runs. '
            'In quotes, \\t, \\n, \\r, \\e and \\x03 are keys; \\c at the end leaves the return key out.',
    'dump': 'dump FILE - write the stopped machine as an ELF core file, for gdb and --core.',
    'back': 'back N - to N instructions before this one; back POINT - to the last time before now that '
            'it was reached. The machine runs again from its start.',
    'bochs': 'bochs WORDS - a command of Bochs itself, for instance bochs info idt.',
    'q': 'q - end the machine.',
    'help': 'help [COMMAND|points] - this text, or that of a command.',
}
ALIASES = {'continue': 'c', 'si': 's', 'stepi': 's', 'quit': 'q', 'exit': 'q', 'lb': 'break', 'b': 'break',
           'backtrace': 'bt', 'list': 'src', 'h': 'help', '?': 'help', 'run': 'c'}


class Driver:
    """The state between two commands: the points, and the last stop."""

    def __init__(self, session, points):
        self.session = session
        self.target = session.target
        self.points = []
        self.last_stop = None
        self.ended = self._has_run = False
        self._wants_libraries = False  # a program has begun with the libraries that it names
        self._stop_tick = 0  # when the machine ran on for the last time
        self._bits = self._first_bits = stops.stop_bits(points)
        for point in points:
            self._add(point)

    # Points

    def _add(self, point):
        if not point.is_hidden():
            point.number = max((other.number for other in self.points), default=0) + 1
        self.points.append(point)
        if not point.stop:
            try:
                self._resolve(point)
            except (SessionError, SymbolError):
                if point.text.split(':')[0] in CALLS:
                    self.points.remove(point)
                    raise
                if point.text not in MAIN and not self.session.may_come(point.text):
                    self.points.remove(point)
                    raise SessionError(self._no_symbol(point.text)) from None
                self._await_libraries()
            except DebuggerError:  # there is no breakpoint left
                self.points.remove(point)
                raise
        self._want_stops()
        return point

    def _no_symbol(self, text):
        if LINE.match(text):
            return f'no file of the archive, nor the kernel, has code for {text} and source lines.'
        where, name = ('', text) if not text.startswith(('kernel:', 'user:')) else text.split(':', 1)
        kernel = self.session.kernel_module.elf
        names = {'kernel': lambda: kernel.names, 'user': self.session.user_names, '': self.session.names}[where]()
        near = f'kernel:{name}' if where == 'user' and name in kernel.names else commands.nearest(name, names)
        return ({'kernel': f'the kernel has no symbol {name}.', 'user': f'no file of the archive has a symbol {name}.',
                 '': f'no file of the archive has a symbol {name}, nor has the kernel.'}[where]
                + (f' Did you mean {near}?' if near else ''))

    def _resolve(self, point):
        """Gives a point its breakpoints."""
        self._place(point, stops.places_of(self.session, point))

    def _place(self, point, places):
        """Sets the breakpoints of a point, as many as are free; points at the same address share one."""
        used = {place.address: place.slot for other in self.points if other is not point for place in other.places}
        room = max(1, self.target.free_breakpoints() - SPARE)
        fresh = [place for place in places if place.address not in used]
        kept = [place for place in places if place.address in used or place in fresh[:room]]
        for place in kept:
            place.slot = used[place.address] if place.address in used else self.target.set_breakpoint(place.address)
        point.places, point.wanted = kept, len(places)

    def _remove(self, point):
        self.points.remove(point)
        used = {place.slot for other in self.points for place in other.places}
        for place in point.places:
            if place.slot not in used:
                self.target.delete_breakpoint(place.slot)
        point.places = []

    def _want_stops(self):
        """Sets the kernel's own stops, once it has read its command line."""
        bits = stops.stop_bits([*self.points, *self._for_libraries()])
        if bits != self._bits and self.session.kernel.processes():
            address = self.session.kernel_module.elf.symbol('debug_stops')
            physical = tables.translate(self.session.memory, self.session.cr3(), address)
            self.target.write_word(physical, bits)
            self._bits = bits

    def _resolve_pending(self):
        for point in self.points:
            if point.is_pending():
                with contextlib.suppress(SessionError, SymbolError, DebuggerError):
                    self._resolve(point)

    def _await_libraries(self):
        """Looks up names again when the program begins: its interpreter has mapped the libraries then."""
        if not any(point.is_pending() for point in self.points):
            return
        process = self.session.process()
        loaded = process.image.loaded if process and process.image else None
        if loaded is None or loaded.entry_point == loaded.start_point:
            return
        if any(point.is_entry and point.cr3 == self.session.cr3() for point in self.points):
            return
        entry = stops.Point(f'{loaded.entry_point:#x}', once=True, cr3=self.session.cr3(), is_entry=True)
        with contextlib.suppress(DebuggerError):  # there is no breakpoint left
            self._add(entry)

    def _await_main(self):
        """A stripped program has no symbol main, but gives its address to the C library."""
        if self._pending_main():
            with contextlib.suppress(SessionError, SymbolError, DebuggerError):
                self._add(stops.Point(LIBC_START, once=True, cr3=self.session.cr3(), is_start=True))

    def _pending_main(self):
        return [point for point in self.points if point.text in MAIN and not point.places]

    def _place_main(self):
        address = self.session.registers()['rdi']
        for point in self._pending_main():
            self._place(point, [stops.place_at(self.session, address)])

    def _for_libraries(self):
        """A point at mmap(2), while a program runs that may still load a library with a wanted name (dlopen)."""
        process = self.session.process()
        if self._wants_libraries and process and any(point.is_pending() for point in self.points):
            return [stops.Point('mmap', stop='mmap')]
        return []

    # Running

    def resume(self, source=None, quit_key=None, limit=None):
        """Runs to a point that the user wants; yields the lines that say which."""
        if self._has_run:
            self._keep_tables()
        self._has_run = True
        if self.target.repeats:
            self._stop_tick = self.target.ticks()
        while True:
            halt = self.target.resume(source, quit_key, limit)
            self.session.forget()
            if halt.reason == 'ended':
                yield from self._end()
                return
            words = self._judge(halt)
            if words:
                yield words
                break
        yield from commands.run(self.session, 'where', [])
        if limit is not None and halt.reason == 'interrupt':
            yield f'No stop within {limit} s. The backtraces of all tasks:'
            yield from aftermath.backtraces(self.session)

    def _end(self):
        self.ended = True
        yield 'The machine has ended: ' + self._last_line()
        for point in self.points:
            if point.is_pending():
                yield f'{point.text}: no file that was in memory has this symbol or source line.'
            elif point.path and point.path not in self.session.files:
                yield f'{point.text}: the archive has no file {point.path}.'

    def _last_line(self):
        lines = [line for line in self.target.console.split('\n')
                 if line.startswith('umbra: ')]
        if lines and lines[-1].strip().endswith(': no init'):  # the line before says why, or that and one of exec
            why = [line.strip() for line in lines[-3:]]
            lines[-1] = '; '.join(why[-2:] if not why[0].startswith('umbra: exec: ') else why)
        return (lines[-1].strip() if lines else 'the guest printed nothing') + '.'

    def last_words(self):
        """The last lines that programs printed before the verdict."""
        text = self.target.console.partition('umbra: ')[2].rpartition('umbra: verdict: ')[0]
        lines = [line.strip() for line in text.split('\n')[1:]]
        return [line for line in lines if line and not OF_OTHERS.match(line)][-LAST_WORDS:]

    def _keep_tables(self):
        """For ptdiff without a mark."""
        try:
            commands.take_mark(self.session, '')
        except Unreadable:
            self.session.marks.pop('', None)

    def _judge(self, halt):
        """The sentence about a halt, or None if nobody wants it."""
        if halt.reason == 'stop':
            return self._judge_stop(halt.stop)
        if halt.reason == 'breakpoint':
            return self._judge_breakpoint(halt.number)
        if halt.reason == 'time':  # the end of a repetition, at which the kernel has stopped too
            return None
        return {'interrupt': 'Stopped by the user.',
                'watchpoint': f'A watched place was used: {halt.address:#x}.'
                }.get(halt.reason, 'The machine has stopped.')

    def _judge_stop(self, stop):
        self.last_stop = stop
        if stop.name == 'exec':
            self._wants_libraries = False
            self._resolve_pending()
            self._await_libraries()
            self._want_stops()
        elif stop.name == 'mmap' and self._wants_libraries:
            self._resolve_pending()
            self._want_stops()
        hit = self._due(point for point in self.points if point.stop and stops.matches(point, stop))
        asked = [point for point in hit if not point.text.startswith('user')]
        for point in hit:
            if point in asked:
                self._hit(point)
            else:
                self._stop_at_start(point)
        at = f' at {stop.address:#x}' if stop.address is not None else ''
        return f'Stop {stop.name}: pid {stop.pid}, {stop.path}{at}.' if asked else None

    def _due(self, points):
        """Those of the points that are hit that pass no more hits: all at one place are asked."""
        return [point for point in points if not self._skips(point)]

    @staticmethod
    def _skips(point):
        """Whether this hit is one that the point passes."""
        point.skip -= 1
        return point.skip >= 0

    def _stop_at_start(self, point):
        """Sets a breakpoint for the first instruction of the program that has been loaded."""
        start = self.session.process().image.loaded.start_point
        self._hit(point)
        first = stops.Point(f'{start:#x}', once=True)
        first.said = f'The first instruction of {self.last_stop.path} in ring 3.'
        self._add(first)

    def _judge_breakpoint(self, slot):
        said = []
        at_slot = (point for point in self.points for place in point.places
                   if place.slot == slot and self._wanted(point, place))
        for point in self._due(at_slot):
            if point.text.startswith('return:'):
                self._stop_at_return(point)
                continue
            self._hit(point)
            if point.is_start:
                self._place_main()
                continue
            if point.is_entry:
                self._resolve_pending()
                self._await_main()
                self._wants_libraries = True
                self._want_stops()
                continue
            said.append(self._hit_words(point))
        return said[0] if said else None

    def _hit_words(self, point):
        rax = self.session.registers()['rax']
        rax -= (rax >> 63) << 64
        return point.said.replace(RESULT, str(rax)) or f'Breakpoint {point.number}: {point.text}.'

    def _wanted(self, point, place):
        """Whether a breakpoint at a place was hit where the point means it."""
        if point.text.startswith('before-exec') and point.path:
            new = self.session.kernel.view('new_image', self.session.registers()['rdi'])
            return new.image.path == point.path
        if point.cr3 is not None and point.cr3 != self.session.cr3():
            return False
        if self.session.registers()['cpl'] == 3 and place.module:
            module = self.session.module_at(place.address)
            return module is not None and module.elf.name == place.module
        return True

    def _stop_at_return(self, point):
        """The call has begun: sets a breakpoint where it returns to."""
        self._hit(point)
        rsp = self.session.registers()['rsp']
        address = int.from_bytes(self.session.read(rsp, 8), 'little')
        after = stops.Point(f'{address:#x}', once=True)
        after.said = f'{point.text.removeprefix("return:")} returns {RESULT}.'
        after.cr3 = self.session.cr3()
        self._add(after)

    def _hit(self, point):
        if point.once:
            self._remove(point)

    # Commands

    def execute(self, line, **terminal):
        """Carries out one line; yields the lines of the answer. `terminal` is for resume()."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            yield f'{error}'
            return
        if not words:
            return
        name, words = ALIASES.get(words[0], words[0]), words[1:]
        if self.ended and name not in ('q', 'help', 'back'):
            yield f'The machine has ended; {"back POINT goes back, " if self.target.repeats else ""}q leaves.'
            return
        try:
            if name == 'bochs' and words:
                yield from self._bochs(line.split(None, 1)[1], words[0])
            elif name in commands.COMMANDS:
                yield from commands.run(self.session, name, words)
            elif name in RUNNING:
                if name not in WITH_ANY_WORDS:
                    commands.refuse_surplus(RUNNING[name], words)
                yield from getattr(self, '_do_' + name)(words, terminal)
            else:
                yield from self._bochs(line, name)
        except (SessionError, SymbolError, Unreadable, DebuggerError, OSError) as error:
            yield f'{name}: {tools.sentence(error)}'

    def _bochs(self, line, name):
        if not (line.isprintable() and line.isascii()) or len(line) > BOCHS_LINE_MAX:
            raise SessionError('this is not a command, and Bochs cannot read it.')
        self._keep_tables()
        if name in CHANGES:
            self.target.changed()
        try:
            answer = self.target.command(line)
        except DebuggerError as error:
            said = re.sub(r'^:\d+: ', '', str(error).strip().split('\n', maxsplit=1)[0])
            near = commands.nearest(name, self.words())
            yield said
            if not UNKNOWN.match(said):
                return
            yield (f'{name}: {self.target.name} does not know this either. '
                   + (f'Did you mean {near}?' if near else 'help lists the commands.'))
            return
        self.session.forget()
        yield from answer

    def words(self):
        """All commands, for completion."""
        return sorted({*commands.COMMANDS, *RUNNING, *ALIASES})

    def _do_c(self, words, terminal):
        yield from self.resume(**terminal)

    def _do_until(self, words, terminal):
        point = self._add(stops.parse(self._joined(words, 'a point'), once=True))
        if (point.text.startswith('return:')
                and point.places[0].address == self.session.registers()['rip']):
            self._stop_at_return(point)
        yield from self._left_out(point)
        yield from self._without_main(point)
        yield from self.resume(**terminal)
        if self.ended and point in self.points and not point.is_pending():
            yield f'{point.text} was not reached.'
        if not self.ended and point in self.points:
            self._remove(point)

    def _do_break(self, words, terminal):
        point = self._add(stops.parse(self._joined(words, 'a point')))
        yield f'Point {point.number}: {point.describe()}.'
        yield from self._left_out(point)
        yield from self._without_main(point)

    def _left_out(self, point):
        """Says that a point has more places than there are breakpoints."""
        if 0 < len(point.places) < point.wanted:
            yield (f'{point.text} has {point.wanted} places, and there are breakpoints for the first '
                   f'{len(point.places)} only: "points" lists what has the others.')

    def _without_main(self, point):
        """Says that main() of a stripped static program cannot be found: no C library gets its address."""
        process = self.session.process() if point.text in MAIN and point.is_pending() else None
        loaded = process.image.loaded if process and process.image else None
        if loaded and loaded.entry_point == loaded.start_point:
            yield f'{process.image.path} has no symbol main and is static: main of a later program counts.'

    def _do_points(self, words, terminal):
        shown = [point for point in self.points if not point.is_hidden()]
        for point in shown:
            yield f'  {point.number}: {point.describe()}'
        if not shown:
            yield 'There are no points: c runs until ^].'

    def _do_delete(self, words, terminal):
        number = self._one(words, 'the number of a point')
        point = next((point for point in self.points if str(point.number) == number), None)
        if point is None:
            raise SessionError(f'there is no point {number}.')
        self._remove(point)
        self._want_stops()
        yield f'Point {number} is deleted.'

    def _do_s(self, words, terminal):
        count = commands.number(words[0], most=STEPS_AT_ONCE) if words else 1
        self._keep_tables()
        self.target.step(count)
        self.session.forget()
        yield from commands.run(self.session, 'where', [])

    def _do_step(self, words, terminal):
        if words != ['user']:
            yield from self._do_s(words, terminal)
            return
        self._keep_tables()
        before = self.target.ticks() if self.target.repeats else None
        self.target.step()
        self.session.forget()
        if self.target.privilege() != 3:
            yield from self._to_user(terminal)
        if self.ended:
            return
        if before is not None:
            count = self.target.ticks() - before
            yield f'{count} instruction{"" if count == 1 else "s"}.'
        yield from commands.run(self.session, 'where', [])

    def _to_user(self, terminal):
        """Runs from ring 0 to the next instruction in ring 3, or to a point on the way."""
        exits = []
        try:
            for address in self._exits():
                exits.append(self.target.set_breakpoint(address))
            while self.target.privilege() != 3:
                halt = self.target.resume(**terminal)
                self.session.forget()
                if halt.reason == 'ended':
                    yield from self._end()
                elif halt.number in exits:
                    self.target.step()
                elif words := self._judge(halt):
                    yield words
                else:
                    continue
                if self.ended or halt.number not in exits:
                    return
        finally:
            for number in [] if self.ended else exits:
                self.target.delete_breakpoint(number)

    def _exits(self):
        """The addresses of the kernel's instructions that lead to ring 3: all are in arch/entry.S."""
        first, end = (self.session.kernel_module.elf.symbol(name) for name in ENTRY_CODE)
        code = self.session.kernel.read(first, end - first)
        return [first + match.start() for match in EXIT.finditer(code)]

    def _do_trace(self, words, terminal):
        count = commands.number(self._one(words, 'a number of instructions'), most=STEPS_MAX)
        self._keep_tables()
        for _ in range(count):
            rip = self.session.registers()['rip']
            yield f'{self.session.name(rip)}  {self.target.instruction()}'
            self.target.step()
            self.session.forget()

    def _do_back(self, words, terminal):
        word = self._joined(words, 'a number of instructions or a point')
        if not self.target.repeats:
            raise SessionError('this machine cannot be repeated; without --gdb it can.')
        if not word.isdigit():
            tick, ago = self._last_visit(stops.parse(word)), ''
        elif self.ended:
            raise SessionError('the machine has ended: a point is wanted.')
        else:
            tick, ago = self.target.ticks() - int(word), f', {word} instructions before'
        self._rewind(tick)
        self.target.forget_later()
        yield f'The machine is at tick {self.target.ticks()}{ago}.'
        yield from commands.run(self.session, 'where', [])

    def _rewind(self, tick):
        """Brings the machine to a tick, with the breakpoints of the points."""
        if tick < 0:
            raise SessionError('the machine has not run for so long.')
        if tick > self.target.fixed:
            raise SessionError(f'a command of Bochs has changed the machine at tick '
                               f'{self.target.fixed}: later ticks cannot be repeated.')
        self.target.show(b'The machine runs again from its start ...\r\n')
        self.target.replay(tick)
        self._came_back()

    def _came_back(self):
        """After a repetition: nothing that was read is valid, and no breakpoint is set."""
        self.session.forget()
        self.ended = False
        now = self.target.ticks()
        self._bits = ([bits for tick, _, bits in self.target.writes if tick <= now] or [self._first_bits])[-1]
        slots = {}
        for place in [place for point in self.points for place in point.places]:
            if place.address not in slots:
                slots[place.address] = self.target.set_breakpoint(place.address)
            place.slot = slots[place.address]
        self._want_stops()

    def _last_visit(self, point):
        """The last tick before now at which a point was reached, found by a repetition."""
        if point.text.startswith('return:') or point.stop and point.text.startswith('user'):
            raise SessionError(f'back does not know {point.text}; a function, an address, a source line, '
                               'syscall:NAME and exec are possible.')
        known = self._first_bits
        for _, _, bits in self.target.writes:
            known |= bits
        if point.stop and stops.stop_bits([point]) & ~known:
            raise SessionError(f'nobody asked for this stop before; begin with debug --at {point.text}.')
        if self.ended:  # symbols are those of the last stop
            now = math.inf
            self._rewind(self._stop_tick)
        else:
            now = self.target.ticks()
        if not point.stop:
            point.places = stops.places_of(self.session, point)
            if len(point.places) > self.target.free_breakpoints(none_set=True):
                raise SessionError(f'{point.text} has {len(point.places)} places: more than there are breakpoints.')
        visits = self._visits(point, now)
        if not visits:
            raise SessionError(f'{point.text} was not reached before.')
        return visits[-1]

    def _visits(self, point, now):
        """The ticks before now at which a point was reached."""
        found = []

        def seen(halt, tick):
            self.session.forget()
            here = [place for place in point.places if place.address == self.session.registers()['rip']]
            matches = stops.matches(point, halt.stop) if halt.stop else here and self._wanted(point, here[0])
            if tick < now and matches and bool(halt.stop) == bool(point.stop):
                found.append(tick)

        self.target.show(b'The machine runs again from its start, to find the place ...\r\n')
        limit = min(now, self.target.fixed)
        self.target.replay(limit, [place.address for place in point.places], seen)
        if limit < now:
            self.target.forget_later()
        if limit == math.inf:
            self.ended = True
        else:
            self._came_back()
        return found

    def _do_type(self, words, terminal):
        text = ' '.join(words)
        text = text[:-2] if text.endswith('\\c') else text + '\r'
        keys = KEY.sub(lambda match: KEYS.get(match[1])
                       or bytes.fromhex(match[1][1:]).decode(errors='surrogateescape'), text)
        self.target.type(keys.encode(errors='surrogateescape'))
        yield f'{len(keys)} keys wait for the program.' if len(keys) != 1 else '1 key waits for the program.'

    def _do_dump(self, words, terminal):
        path = self._one(words, 'the name of a file')
        ram = self.target.ram
        count = core.write(path, self.session, ram)
        yield f'{path}: {ram >> 20} MiB of memory, mapped in {count} ranges. To look at it:'
        yield f'  umbra debug --core {path} --do bt'
        yield from (f'  {line}' for line in core.for_gdb(path, self.session))

    def _do_bochs(self, words, terminal):
        raise SessionError('a command of Bochs is wanted.')

    def _do_help(self, words, terminal):
        if not words:
            yield from HELP.rstrip('\n').split('\n')
        elif words[0] == 'points':
            yield from stops.HELP.rstrip('\n').split('\n')
        elif words[0] in commands.COMMANDS:
            yield ' '.join(commands.COMMANDS[words[0]].__doc__.split())
        elif ALIASES.get(words[0], words[0]) in RUNNING:
            yield RUNNING[ALIASES.get(words[0], words[0])]
        else:
            near = commands.nearest(words[0], self.words())
            yield f'There is no command {words[0]}.' + (f' Did you mean {near}?' if near else '')

    def _do_q(self, words, terminal):
        raise EOFError

    @staticmethod
    def _joined(words, what):
        """The words as one: names of C++ have blanks."""
        if not words:
            raise SessionError(f'{what} is wanted.')
        return ' '.join(words)

    @staticmethod
    def _one(words, what):
        if len(words) != 1:
            raise SessionError(f'{what} is wanted.')
        return words[0]
