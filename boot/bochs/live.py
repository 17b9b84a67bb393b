"""Scenarios that follow processes from stop to stop.  At each stop it compares all live address
spaces with the model of the program, and the kernel's frame records with both."""
import pathlib
import re
import tempfile

import cpio
import machine
from bochs import check, frames, model, paging
from bochs.debugger import Debugger, DebuggerError
from bochs.model import Model
from bochs.paging import PAGE_SIZE

MEGABYTES = 32  # few records of frames to read; and no serial port, whose waits end turns
BOOT_LIMIT = 300  # seconds
PLACE = re.compile(r'([a-z_]+)(?:([+-]\d+))?')


class LiveScenario:
    """A scenario whose steps list the operations of the program (`does`)."""

    def __init__(self, plan, archive, cpu, report, kernel):
        self._plan = plan
        self._cpu = cpu
        self._report = report
        self._symbols = frames.symbols(kernel)
        files = cpio.files(archive)
        self._model = Model(files)
        self._places = dict(plan['places'])
        with tempfile.TemporaryDirectory(prefix='umbra-elf.') as scratch:
            path = plan['program']
            if path not in files:
                raise model.ImageError(f'{path} is not a file of the archive')
            self._program = model.read_program(path, files[path], pathlib.Path(scratch))
        self._named = {}
        self._first = True
        self.limit = None  # from one stop to the next; set by the caller

    def start(self, boot_image):
        """The machine of this scenario."""
        return Debugger(boot_image, self._cpu, MEGABYTES, serial=False, limit=BOOT_LIMIT)

    def steps(self, debugger):
        """Runs the machine from stop to stop, and checks."""
        for number, step in enumerate(self._plan['step'], 1):
            where = f'step {number}, {step["stop"]} of pid {step["pid"]}'
            stop = debugger.next_stop()
            debugger.allow(self.limit)
            self._expect_stop(stop, step, where)
            for operation in step.get('does', ()):
                self._apply(operation)
            if 'at' in step:
                self._model.admit(step['pid'], self._place(step['at']))
            self._check(debugger, stop, step, where)
            if 'at' in step:
                self._model.store(step['pid'], self._place(step['at']))
            if self._report.found():
                break

    def _expect_stop(self, stop, step, where):
        wanted = f'{step["stop"]} pid {step["pid"]}'
        found = f'{stop.name} pid {stop.pid}'
        if 'at' in step:
            wanted += f' page {self._place(step["at"]):#x}'
            found += f' page {(stop.address or 0) & -PAGE_SIZE:#x}'
        complaints = [] if found == wanted else [f'stopped at {found}, wanted {wanted}']
        self._report.check(f'{where}: the stop is the one that comes next', complaints)
        if complaints and not self._report.found():
            raise DebuggerError(f'{where}: the program did not come to this stop')

    def _place(self, text):
        """The address of "NAME+PAGES"."""
        match = PLACE.fullmatch(text)
        base = self._places[match[1]] if match[1] != 'heap' else self._heap()
        return base + int(match[2] or 0) * PAGE_SIZE

    def _heap(self):
        return next(iter(self._model.processes.values())).heap

    def _apply(self, operation):
        """One operation: "PID VERB ...", see README.md."""
        pid, verb, *words = operation.split()
        values = [self._value(word) for word in words]
        if verb == 'exec':
            values = [self._program]
        if verb == 'file':
            self._model.file(*values)
        else:
            getattr(self._model, verb)(int(pid), *values)

    def _value(self, word):
        if word.isdigit():
            return int(word)
        match = PLACE.fullmatch(word)
        known = match and (match[1] in self._places or match[1] == 'heap')
        return self._place(word) if known else word

    def _check(self, debugger, stop, step, where):
        control = debugger.control()
        spaces = {pid: paging.walk(debugger, cr3) for pid, cr3 in stop.spaces.items()}
        records = frames.read(debugger, self._symbols)

        def point(text, complaints):
            self._report.check(f'{where}: {text}', complaints)

        point('the processes are those of the scenario, CR3 is the stopped one',
              check.processes(stop, control, self._model))
        live = {pid: space for pid, space in spaces.items() if pid in self._model.processes}
        point('user pages are exactly those expected, with these rights',
              check.live_pages(live, self._model))
        point('frames are the same where they must be, and nowhere else',
              check.live_frames(live, self._model))
        point('contents', check.live_contents(debugger, live, self._model))
        point('no page table can be reached', check.tables_closed(live))
        point('the kernel recorded these page tables and no other',
              frames.tables(records, spaces.values()))
        point('each frame has as many references as pages',
              frames.references(records, spaces.values()))
        if 'as' in step:
            point(f'as many frames of each kind as at "{step["as"]}"',
                  frames.unchanged(records, self._named[step['as']]))
        self._named[step.get('name')] = records
        self._general(debugger, point, control, list(spaces.values()))

    def _general(self, debugger, point, control, spaces):
        """Checks for any set of address spaces. The kernel half is the same at every step, so
        that `page` is asked about it once."""
        first, self._first = self._first, False
        for name, test in (('no page is writable and executable', check.write_xor_execute),
                           ('no page of the kernel half is accessible to user code',
                            check.kernel_half_closed),
                           ('the frames of the kernel text have no writable alias',
                            check.kernel_text_unaliased)):
            point(name, (complaint for space in spaces for complaint in test(space)))
        point('the kernel half is shared', check.kernel_half_shared(spaces[0], spaces[1:]))
        point("the processor's protections are on", check.protections_on(control, self._cpu))
        current = [space for space in spaces if space.root == control.cr3]
        point('the walk agrees with `page`',
              (complaint for space in current for complaint
               in check.page_command_agrees(debugger, space, kernel=first)))
        point('the walk agrees with `info tab`',
              (complaint for space in current for complaint
               in check.linear_ranges_agree(debugger, space)))


ERRORS = (frames.FramesError, model.ImageError, machine.MachineError, DebuggerError)
