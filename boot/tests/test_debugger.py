#!/usr/bin/env python3
"""Tests of the debugger's parts over memory that is built here, without a machine; reports in TAP.

    test_debugger.py [KERNEL.debug.elf]

With a kernel, its call frame information is compared with what readelf prints.
"""
import contextlib
import gzip
import io
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import types
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import cpio  # noqa: E402
import debug  # noqa: E402
import map as map_command  # noqa: E402
from bochs.debugger import STOP_LINE, DebuggerError, Stop  # noqa: E402
from bochs.paging import P, PS, U, W, XD  # noqa: E402
from debugger import bochs, commands, core, elf, explain, space, stops, tables, unwind  # noqa: E402
from debugger.bochs import BochsTarget, Halt, _Pump  # noqa: E402
from debugger.driver import Driver  # noqa: E402
from debugger.kernel import Area, Frame  # noqa: E402
from debugger.tables import Memory, Unreadable  # noqa: E402
from debug import Prompt  # noqa: E402
from debugger.session import LINE, Session, SessionError  # noqa: E402
from guest_tap import Tap  # noqa: E402

TAP = Tap()
ROOT, TEXT, DATA, STACK = 0x1000, 0x401000, 0x402000, 0x7fffffffd000
CR0, CR4 = 1 << 31 | 1 << 16, 1 << 20 | 1 << 21


def check(name, good):
    TAP.point(bool(good), name)


class Ram:
    """Physical memory with page tables."""

    def __init__(self):
        self.pages = {ROOT: bytearray(4096)}
        self.next = 0x2000

    def fetch(self, address, size):
        pages = [self.pages.get(page) for page in range(address, address + size, 4096)]
        return None if None in pages else b''.join(map(bytes, pages))

    def put(self, linear, entry, leaf='PT', upper=P | W | U):
        """Maps an address by an entry at a level."""
        table = ROOT
        for shift, level in ((39, 'PML4'), (30, 'PDPT'), (21, 'PD'), (12, 'PT')):
            at = (linear >> shift & 511) * 8
            if level == leaf:
                struct.pack_into('<Q', self.pages[table], at, entry)
                return
            below = struct.unpack_from('<Q', self.pages[table], at)[0]
            if not below:
                below = self.next | upper
                self.pages[self.next] = bytearray(4096)
                self.next += 4096
                struct.pack_into('<Q', self.pages[table], at, below)
            table = below & ~0xfff


def program():
    """A text page, a data page that is copy-on-write, a stack page, a page of the kernel."""
    ram = Ram()
    ram.pages[0x100000] = bytearray(b'\x90' * 4096)
    ram.put(TEXT, 0x100000 | P | U)
    ram.put(DATA, 0x101000 | P | U | XD)
    ram.put(STACK, 0x102000 | P | U | W | XD)
    ram.put(0xffff_ffff_8020_0000, 0x200000 | P | PS, leaf='PD', upper=P | W)
    return ram


class FakeKernel:
    """The answers of kernel.Kernel for one process."""

    def areas(self, process):
        return [Area(TEXT, TEXT + 0x1000, 5, 0, '/bin/p', 0x1000, 1),
                Area(DATA, DATA + 0x2000, 3, 0, '', 0, 0),
                Area(STACK, STACK + 0x1000, 3, 2, '', 0, 0)]

    def frame(self, physical):
        return Frame(physical & -4096, 'file' if physical < 0x101000 else 'anon', 2)

    def zero_frame(self):
        return 0x300000


def session(ram, **registers):
    """As debugger.session.Session, over this memory."""
    values = dict(cr0=CR0, cr3=ROOT, cr4=CR4, rflags=0, cpl=3, rip=TEXT) | registers
    return types.SimpleNamespace(
        memory=Memory(ram.fetch), kernel=FakeKernel(), registers=lambda: values,
        cr3=lambda: values['cr3'], process=lambda: types.SimpleNamespace(pid=3),
        name=lambda address: f'{address:#x}', module_at=lambda address: None,
        modules=lambda process=None: [],
        kernel_module=types.SimpleNamespace(elf=types.SimpleNamespace(name_at=lambda at: None)))


def partly_zeros():
    """The session of program(), whose file has bytes for half of the page TEXT."""
    elf = types.SimpleNamespace(name='/bin/p', segments=[(0x1000, TEXT, 0x800, 0x1000)])
    module = types.SimpleNamespace(elf=elf, bias=0, holds=lambda address: address == TEXT)
    here = session(program())
    here.module_at, here.modules = lambda address: module, lambda process=None: [module]
    return here


def test_tables():
    memory = Memory(program().fetch)
    steps = tables.walk(memory, ROOT, TEXT + 5)
    check('a walk has four levels', [step.level for step in steps] == ['PML4', 'PDPT', 'PD', 'PT'])
    check('rights need every level', tables.rights(steps) == (0, True, True))
    check('an address is translated', tables.translate(memory, ROOT, TEXT + 5) == 0x100005)
    check('a large page is a leaf',
          tables.translate(memory, ROOT, 0xffff_ffff_8021_2345) == 0x212345)
    check('an address that is not mapped is None', tables.translate(memory, ROOT, 0) is None)
    check('an address that is not canonical is None',
          tables.translate(memory, ROOT, 1 << 47) is None)
    check('memory is read across levels', tables.read(memory, ROOT, TEXT, 3) == b'\x90' * 3)
    try:
        tables.read(memory, ROOT, TEXT + 4094, 4)
        check('a read into a page without memory is refused', False)
    except Unreadable:
        check('a read into a page without memory is refused', True)


def test_differences():
    ram = program()
    ram.put(TEXT + 0x5000, 0x500000 | P | U)
    before = tables.user_half(Memory(ram.fetch), ROOT)
    check('a user half has its pages and tables', (len(before.leaves), len(before.tables)) == (4, 6))
    ram.put(DATA, 0x103000 | P | U | W | XD)
    ram.put(DATA + 0x1000, 0x104000 | P | U | W | XD)
    ram.put(DATA + 0x2000, 0x105000 | P | U | W | XD)
    ram.put(TEXT, 0x100000 | P | U | 1 << 5)
    ram.put(TEXT + 0x5000, 0)
    said = list(tables.differences(before, tables.user_half(Memory(ram.fetch), ROOT)))
    check('differences are told', said == [
        'page 0x402000 is another frame, rw-; it was r-- (frame 0x103000 instead of 0x101000).',
        '2 pages 0x403000-0x405000 are new, rw-.',
        'page 0x406000 is gone; it was r-x (frame 0x500000).',
        '1 page was used (accessed or dirty bit).'])


def test_why():
    ram = program()
    cases = [
        ('text is executed', TEXT, 'x', True, 'does not fault', 'user r-x'),
        ('text is written', TEXT, 'w', True, '0x7.*no W bit', 'would need w.*SIGSEGV to pid 3'),
        ('data is executed', DATA, 'x', True, '0x15.*XD', 'would need x.*SIGSEGV'),
        ('a copy-on-write', DATA, 'w', True, '0x7.*PT entry has no W', 'copy-on-write'),
        ('a page to come', DATA + 0x1000, 'r', True, '0x4.*not present', 'frame of zeros'),
        ('a page to come is written', DATA + 0x1000, 'w', True, '0x6', 'new frame of zeros'),
        ('below the stack', STACK - 8, 'w', True, '0x6', 'extends it down'),
        ('nothing there', 0x1000, 'r', True, 'not present', 'next area above.*0x401000.*SIGSEGV'),
        ('the kernel half', 0xffff_ffff_8020_0000, 'r', True, 'PML4 entry has no U', 'SIGSEGV'),
        ('SMAP', STACK, 'w', False, '0x3.*CR4.SMAP', 'panics'),
        ('SMEP', TEXT, 'x', False, '0x11.*CR4.SMEP', 'panics'),
        ('not canonical', 1 << 50, 'r', True, '#GP', ''),
    ]
    for name, address, access, user, rule, rest in cases:
        text = '\n'.join(explain.why(session(ram), address, access, user))
        check(f'why: {name}', re.search(rule + '.*' + rest, text, re.S))
    text = '\n'.join(explain.why(session(ram, rflags=1 << 18), STACK, 'w', False))
    check('why: with AC set, SMAP allows', 'does not fault' in text)
    text = '\n'.join(explain.why(session(ram, cr0=0), 1 << 50, 'w', False))
    check('why: without paging no access faults', 'Paging is off' in text)
    text = '\n'.join(explain.why(session(ram, cr0=1 << 31, cr4=0), TEXT, 'w', False))
    check('why: without WP, the kernel writes read-only pages', 'does not fault' in text)


def test_walk():
    text = '\n'.join(explain.walk(session(program()), TEXT + 0x10))
    check('walk: levels, frame, area, place in the file', re.search(
        r'PML4 at 0x1000, entry +0: .*present, writable, user\n.*PT .*entry +1: .*present, '
        r'read-only, user\n.*physical address 0x100010.*user r-x\.\n.*2 references\.\n'
        r'Area 0x401000-0x402000 r-xp of pid 3.*\n.*byte 0x1010 of /bin/p, in page 1', text, re.S))
    for address, file, segment in ((TEXT + 0x7ff, 'It is byte 0x17ff of /bin/p, in page 1', r'0x401000\)\.'),
                                   (TEXT + 0x800, r'Its page comes from page 1 of /bin/p\.', r'\(\.bss\)\.')):
        text = '\n'.join(explain.walk(partly_zeros(), address))
        check(f'walk: what a file has no bytes for, {address:#x}', re.search(file + '.*' + segment, text, re.S))
    text = '\n'.join(explain.walk(session(program()), 0x1000))
    check('walk: where it ends', 'ends at the PD entry, which is not present' in text)
    text = '\n'.join(explain.walk(session(program(), cr0=1), 0x1000))
    check('walk: without paging', 'Paging is off' in text)


def test_space():
    """Neighbours that are alike are one region; pages that are not there are regions too."""
    ram = program()
    ram.put(DATA + 0x1000, 0x300000 | P | U | XD)
    ram.put(STACK - 0x5000, 0x106000 | P | U | W | XD)
    half = tables.user_half(Memory(ram.fetch), ROOT)
    found = list(space._user_regions(session(ram), None, half))
    check('regions have their rights and states', [
        (part['first'], part['pages'], part['rights'], part['state'], part['frames'])
        for part in found] == [
            ('0x401000', 1, 'r-x', 'file', [['0x100000', 1]]),
            ('0x402000', 1, 'r--', 'cow', [['0x101000', 1]]),
            ('0x403000', 1, 'r--', 'zero', [['0x300000', 1]]),
            ('0x7fffffffd000', 1, 'rw-', 'own', [['0x102000', 1]]),
            ('0x7fffffff8000', 1, 'rw-', 'own', [['0x106000', 1]])])
    check('a region knows where the bytes of the file end', [
        part['bss'] for part in space._user_regions(partly_zeros(), None, half)][:2] == ['0x401800', None])
    check('every state is in the legend', {part['state'] for part in found} <= set(space.STATES))
    area = Area(0x10000, 0x18000, 3, 0, '', 0, 0)
    inside = {0x12000: 1, 0x13000: 1, 0x14000: 2}
    check('a region ends where something changes', list(
        space._pieces(area, inside, {0x13000}, lambda entry: entry)) == [
            (0x10000, 0x12000, []), (0x12000, 0x13000, [1]), (0x13000, 0x14000, [1]),
            (0x14000, 0x15000, [2]), (0x15000, 0x18000, [])])


def test_reach():
    """A wrong point of `umbra map` is another failure than one that does not come."""
    for answers, error in ((['until: no file of the archive has a symbol x'], SessionError),
                           (['Stopped by the user.'], map_command.MapError), ([], map_command.MapError)):
        driver = types.SimpleNamespace(ended=False, execute=lambda line, limit, said=answers: said)
        try:
            map_command.reach(driver, 'x', False)
            found = None
        except (SessionError, map_command.MapError) as raised:
            found = type(raised)
        check(f'a point of map that is not reached, {answers}', found is error)


def test_compressed():
    """An archive of --initrd may be compressed, as for `umbra run`, and have names of any bytes."""
    plain = cpio.entry('/bin/a\udcff', b'content') + cpio.end()
    made, make = [], debug.iso.make

    def noted(image, kernel, archive, words):
        made.append(pathlib.Path(archive).read_bytes())

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'initrd.gz')
        path.write_bytes(gzip.compress(plain))
        args = types.SimpleNamespace(program=[], is_ours=False, with_paths=[], elfparse='', initrd=str(path),
                                     kernel='', memory=0)
        debug.iso.make = noted
        try:
            with debug.packed(args, [stops.parse('user')], [], debug.program.for_qemu) as (_, _, guest, _, _):
                files = debug.program.files_of(args.initrd, guest)
        finally:
            debug.iso.make = make
    check('a compressed archive is unpacked for the debugger', made == [plain]
          and files == {'/bin/a\udcff': b'content'})


def test_stops():
    check('a point of the kernel', stops.parse('cow').stop == 'cow')
    check('the n-th fault', stops.parse('fault:3').skip == 2)
    check('later ones do not count', stops.parse('fault:3').once and not stops.parse('fault').once)
    check('exec of a program', (stops.parse('exec:/a').stop, stops.parse('exec:/a').path)
          == ('exec', '/a'))
    check('a function', stops.parse('main').stop == '')
    check('user: before a symbol is not the first instruction', stops.parse('user:main').stop == '')
    for wrong in ('fault:x', 'fault:0', 'fault:', 'exec:relative', 'user:', 'kernel:', 'syscall:', '', '-x'):
        try:
            stops.parse(wrong)
            check(f'{wrong!r} is refused', False)
        except SessionError:
            check(f'{wrong!r} is refused', True)
    check('the stops of the user add to exec',
          stops.append_points(['a=b', 'stop=cow,fork,spaces'])
          == (['a=b'], ['cow', 'fork']))
    check('faults are of three names', stops.stop_words([stops.parse('fault')])
          == ['exec', 'cow', 'grow', 'fault'])
    header = pathlib.Path(__file__).resolve().parents[2] / 'kernel/proc/debug_stop.h'
    names = re.findall(r'STOP_(\w+)', re.search(r'enum debug_stop \{(.*?)\};', header.read_text(),
                                                re.S)[1])
    check('the names are those of the kernel', [name.lower() for name in names
                                                if name not in ('SPACES', 'S')]
          == list(stops.KERNEL_STOPS))


def test_stop_line():
    for path, at in (('/bin/a', None), ('/a b/c', None), ('/a b/c', '0x10'), ('/a at b', '0x10')):
        line = f'umbra: stop: cow pid 2 cr3 0x1000 path {path}{f" at {at}" if at else ""}\r'
        said = STOP_LINE.search(line)
        check(f'a stop of {path} with address {at}', said and (said['path'], said['at']) == (path, at))
    check('a stop without a path', STOP_LINE.search('umbra: stop: spaces pid 2 cr3 0x1000')['path'] is None)


def test_words():
    check('a near word is found', commands.nearest('mapps', commands.COMMANDS) == 'maps')
    session = object.__new__(Session)
    session.registers = dict
    for number, most in ((f'{1 << 64:#x}', f'{(1 << 64) - 1:#x}'), (f'{1 << 64}', f'{(1 << 64) - 1}')):
        check(f'the largest address: {most}', session.resolve(most) == (1 << 64) - 1)
        try:
            said = session.resolve(number)
        except SessionError as error:
            said = str(error)
        check(f'a larger number: {said}', said == f'{number} has more than 64 bits.')
    check('a far one is not', commands.nearest('zzzz', commands.COMMANDS) is None)
    check('every command has a help text', all(
        re.match(name + r'\b.* - ', function.__doc__)
        for name, function in commands.COMMANDS.items()))
    kernel = types.SimpleNamespace(elf=types.SimpleNamespace(names=['call_write', 'sys_writev', 'sys_write', 'main']))
    driver = Driver(types.SimpleNamespace(target=None, names=lambda: {'main', 'printf', 'sys_write'},
                                          user_names=lambda: {'main', 'printf'},
                                          files={'/bin/a': b''}, kernel_module=kernel), [])
    prompt = Prompt(driver)
    check('commands are completed', prompt.candidates([], 'ma') == ['maps', 'mark'])
    check('symbols are completed', prompt.candidates(['walk'], 'ma') == ['main'])
    check('paths are completed', prompt.candidates(['until'], 'exec:/b') == ['exec:/bin/a'])
    check('points are completed', 'syscall:' in prompt.candidates(['until'], 'sys'))
    check('system calls are completed', prompt.candidates(['back'], 'return:w') == ['return:write', 'return:writev'])
    check('symbols of one side are completed', prompt.candidates(['until'], 'kernel:sys_') == [
        'kernel:sys_write', 'kernel:sys_writev']
        and prompt.candidates(['until'], 'user:') == ['user:main', 'user:printf'])
    driver.execute = lambda line, limit: [vars(driver).update(ended=True) or 'It has ended.']
    driver.target = types.SimpleNamespace(console='umbra: init: /a\nno threads\numbra: verdict: exit 2')
    with (contextlib.redirect_stdout(io.StringIO()) as shown, unittest.mock.patch.object(sys, 'stdin', io.StringIO())):
        prompt.run('c')
        prompt.run('c')
    check('without a terminal the last words of a machine that ends are said',
          shown.getvalue() == 'It has ended.\n  no threads\nIt has ended.\n')


class FakeTarget:
    """The breakpoints of Bochs, two of them or more."""

    name = 'a debugger'

    def __init__(self, most=2):
        self.slots, self.most = {}, most

    def free_breakpoints(self, none_set=False):
        return self.most - len(self.slots)

    def set_breakpoint(self, address):
        if len(self.slots) == self.most:
            raise DebuggerError('all breakpoints are in use')
        slot = max(self.slots, default=0) + 1
        self.slots[slot] = address
        return slot

    def delete_breakpoint(self, slot):
        del self.slots[slot]


def test_breakpoints():
    """Points at one address share a breakpoint; one that gets none is not kept."""
    target, known = FakeTarget(), {'a': 1, 'also_a': 1, 'b': 2, 'c': 3}

    def resolve(text):
        if text not in known:
            raise SessionError(text)
        return [known[text]]

    elf_file = types.SimpleNamespace(names={'of_kernel': 9}, name='kernel')
    driver = Driver(types.SimpleNamespace(
        target=target, resolve_all=resolve, resolve=lambda text: resolve(text)[0], marks={},
        module_at=lambda address: None, process=lambda: None,
        may_come=lambda text: text == 'later', names=lambda: {'nowhere', 'of_kernel'}, user_names=lambda: {'nowhere'},
        kernel=types.SimpleNamespace(processes=lambda: []),
        kernel_module=types.SimpleNamespace(elf=elf_file)), [])
    said = [list(driver.execute(f'break {name}')) for name in ('a', 'also_a', 'b', 'c', 'later')]
    check('two points share one breakpoint', target.slots == {1: 1, 2: 2})
    check('a breakpoint too many is refused', said[3] == ['break: all breakpoints are in use'])
    check('a name that is not known yet is kept', 'not reached yet' in said[4][0])
    check('a name that no file has is refused, and the nearest is named',
          'Did you mean nowhere' in list(driver.execute('break nowhre'))[0])
    for word, wanted in (('kernel:nowhere', 'the kernel has no symbol nowhere.'),
                         ('user:of_kernel',
                          'no file of the archive has a symbol of_kernel. Did you mean kernel:of_kernel?'),
                         ('user:of_kerne', 'no file of the archive has a symbol of_kerne.'),
                         ('user:nowhre', 'no file of the archive has a symbol nowhre. Did you mean nowhere?')):
        check(f'{word}: {wanted}', list(driver.execute(f'break {word}')) == [f'break: {wanted}'])
    driver._do_dump = lambda words, terminal: [open('/nowhere/file', encoding='utf-8')]
    check('an error of the system is a sentence', list(driver.execute('dump x'))
          == ['dump: /nowhere/file: No such file or directory'])
    check('the points are listed', [line.split()[1] for line in driver.execute('points')]
          == ['a,', 'also_a,', 'b,', 'later,'])
    target.delete_breakpoint(2)
    known['later'] = 4
    driver._wants_libraries = True
    driver.session.process = lambda: types.SimpleNamespace(pid=1)
    check('mapping of files is watched for it', [point.stop for point in driver._for_libraries()] == ['mmap'])
    driver._judge(Halt('stop', Stop('mmap', 1, 0x1000, '/bin/a', None, {})))
    check('it gets its breakpoint when a library has it', target.slots == {1: 1, 2: 4})
    check('and files are not watched any more', not driver._for_libraries())
    driver.points.pop()
    target.slots = {1: 1, 2: 2}
    list(driver.execute('delete 1'))
    check('a shared breakpoint stays', target.slots == {1: 1, 2: 2})
    list(driver.execute('delete 2'))
    check('and goes with its last point', target.slots == {2: 2})
    check('a system call that does not exist is refused',
          'no system call' in list(driver.execute('break syscall:nosuch'))[0])
    for line in ('x\x03', 'h\xe4h'):
        check(f'what no back end can read does not go there: {line!r}',
              'Bochs cannot read it' in list(driver.execute(line))[0])
    target.type = unittest.mock.Mock()
    said = list(driver.execute("type '\\xff\\x03\xe9\udcff\\c'"))
    check(f'any bytes are keys: {said}', target.type.call_args[0][0] == b'\xff\x03\xc3\xa9\xff')
    for line, wanted in (('points 4', '4 is a word too many: points.'), ('s x', 'a number from 1 to'),
                         ('s 0', 'a number from 1 to'), ('trace 99999', 'from 1 to 10000'), ('c c', 'too many'),
                         ('where 5', '5 is a word too many: where.'), ('qwords b -4', 'a number from 1'),
                         ('bt x', 'a number from 1'),
                         ('why 1 r user x', 'x is a word too many: why ADDRESS')):
        check(f'{line} is refused', wanted in list(driver.execute(line))[0])


def test_several_places():
    """A point at a name that has several places is at all of them, or at as many as there are breakpoints for."""
    target = FakeTarget(most=16)
    names = {'two': [0x10, 0x20], 'many': list(range(0x100, 0x120))}
    driver = Driver(types.SimpleNamespace(
        target=target, resolve_all=names.get, marks={}, module_at=lambda address: None, process=lambda: None,
        registers=lambda: dict(rax=0, cpl=0), kernel=types.SimpleNamespace(processes=lambda: []),
        kernel_module=types.SimpleNamespace(elf=types.SimpleNamespace(names={}, name='kernel'))), [])
    check('both places are said', list(driver.execute('break two')) == ['Point 1: two, at 0x10, 0x20.'])
    check('both have a breakpoint', target.slots == {1: 0x10, 2: 0x20})
    check('each of them is the point', [driver._judge(Halt('breakpoint', number=slot)) for slot in (1, 2)]
          == ['Breakpoint 1: two.'] * 2)
    said = list(driver.execute('break many'))
    check('of too many places the first ones are taken, some breakpoints stay free, and it is said',
          len(target.slots) == 12 and 'has 32 places, and there are breakpoints for the first 10 only' in said[1])
    check('and they are counted', said[0].endswith('0x103 and 6 more.'))
    list(driver.execute('delete 2'))
    list(driver.execute('delete 1'))
    check('all go with the point', target.slots == {})
    target.repeats, target.console = False, 'umbra: verdict: exit 3'
    target.resume = lambda *words: Halt('ended')
    driver.session.forget = lambda: None
    target.console += '\r\numbra: init: /x: no such file (error 2)\r\numbra: verdict: no init'
    check('what is wrong with the program is said', driver._last_line()
          == 'umbra: init: /x: no such file (error 2); umbra: verdict: no init.')
    target.console = 'GRUB\r\numbra: init: /x\r\na\r\numbra: exec: /x: O6: text\r\numbra: init: /x: not a program\r\n' \
        'umbra: verdict: no init\r\nBochs is exiting\r\n'
    check('and the rule that the program breaks', driver._last_line()
          == 'umbra: exec: /x: O6: text; umbra: init: /x: not a program; umbra: verdict: no init.')
    check('what the program printed is found', driver.last_words() == ['a'])
    target.console = 'umbra: verdict: exit 3'
    check('a point that the machine did not come to is said', list(driver.execute('until two'))
          == ['The machine has ended: umbra: verdict: exit 3.', 'two was not reached.'])
    driver.ended = False
    for said, count in ((":1: syntax error at 'p'", 2), ('Undefined command: "p".  Try "help".', 2),
                        ('No symbol "sum" in current context.', 1)):
        with unittest.mock.patch.object(target, 'command', side_effect=DebuggerError(said), create=True), \
                unittest.mock.patch.object(driver, '_keep_tables'):
            answers = list(driver.execute('p sum'))
        check(f'a wrong word is said to be one: {said}', len(answers) == count and answers[0] in said)
    driver.ended = True
    for repeats, words in ((True, 'back POINT goes back, q leaves.'), (False, 'q leaves.')):
        target.repeats = repeats
        check(f'after the end: {words}', list(driver.execute('c')) == [f'The machine has ended; {words}'])


def test_cut_line():
    """A stop that comes while the machine prints the line about another one (back)."""
    texts = ['c\numbra: stop: fault pid 1 cr3 0x19000 path /a at 0x7f(0) Caught time breakpoint\nNext at t=7\n'
             '(0) [0x000000244005] 0010:ffffffff80244005 (unk. ctxt): jz .-7 ; 74f9\n<bochs:9> ',
             'c\nf000\n(0) Magic breakpoint\nNext at t=9\n(0) [0x000000218d30] 0010:ffffffff80218d30\n<bochs:46> ']
    target = object.__new__(BochsTarget)
    target.memory = types.SimpleNamespace(forget=lambda: None)
    target.debugger = types.SimpleNamespace(
        console='', child=lambda: types.SimpleNamespace(child_fd=0, sendline=lambda word: None))
    target.show = target.started = target._ask_to_stop = lambda *words: None
    target._guest, target._cut = 0, ''
    pump = types.SimpleNamespace(ended=False, interrupted=False, run=lambda limit: texts.pop(0))
    with unittest.mock.patch.object(bochs, '_Pump', lambda *words: pump):
        first, second = target.resume(), target.resume()
    check('a line that a repetition has cut is still known', first.reason == 'time' and second
          == Halt('stop', Stop('fault', 1, 0x19000, '/a', 0x7ff000, {})))


def test_together():
    """Points at one place are all asked, whichever of them stops the machine."""
    names = {'call_write': 0x10}
    kernel_elf = types.SimpleNamespace(names=names, name='kernel', symbol=names.get)
    image = types.SimpleNamespace(loaded=types.SimpleNamespace(start_point=0x20, entry_point=0x20))
    target = FakeTarget()
    driver = Driver(types.SimpleNamespace(
        target=target, resolve_all=lambda text: [int(text, 0)], module_at=lambda address: None, cr3=lambda: ROOT,
        process=lambda: types.SimpleNamespace(image=image), read=lambda address, size: b'\x30'.ljust(8, b'\0'),
        registers=lambda: dict(rsp=STACK, rax=(1 << 64) - 2, cpl=0), kernel=types.SimpleNamespace(processes=lambda: []),
        kernel_module=types.SimpleNamespace(elf=kernel_elf)), [stops.parse(text) for text in (
            'exec', 'user', 'fault', 'fault:2', 'syscall:write', 'return:write')])
    said = driver._judge(Halt('stop', Stop('exec', 1, ROOT, '/bin/{a}', None, {})))
    check('exec stops, and the first instruction will', said == 'Stop exec: pid 1, /bin/{a}.'
          and 0x20 in target.slots.values())
    first = next(number for number, address in target.slots.items() if address == 0x20)
    check('the first instruction is said, whatever the path has', driver._judge(Halt('breakpoint', number=first))
          == 'The first instruction of /bin/{a} in ring 3.')
    call = next(number for number, address in target.slots.items() if address == 0x10)
    check('a call begins', driver._judge(Halt('breakpoint', number=call)) == 'Breakpoint 5: syscall:write.')
    after = next((number for number, address in target.slots.items() if address == 0x30), 0)
    check('and its result is awaited', driver._judge(Halt('breakpoint', number=after)) == 'write returns -2.')
    driver._judge(Halt('stop', Stop('fault', 1, ROOT, '/bin/a', 0x1000, {})))
    check('each point counts its faults', [point.skip for point in driver.points if point.text == 'fault:2'] == [0])


def test_stripped_main():
    """A program without symbols gives the address of main() to the C library."""
    def resolve(text):
        if text == 'main':
            raise SessionError(text)
        return [0x40 if text == '__libc_start_main' else int(text, 0)]

    target = FakeTarget()
    session = types.SimpleNamespace(
        target=target, resolve_all=resolve, module_at=lambda address: None, cr3=lambda: ROOT,
        process=lambda: None, registers=lambda: dict(rdi=0x55, rax=0, cpl=3), may_come=lambda text: False,
        kernel=types.SimpleNamespace(processes=lambda: []),
        kernel_module=types.SimpleNamespace(elf=types.SimpleNamespace(names={}, name='kernel')))
    driver = Driver(session, [stops.parse('main')])
    driver._await_main()
    check('the C library is awaited', target.slots == {1: 0x40})
    check('and does not stop the machine', driver._judge(Halt('breakpoint', number=1)) is None)
    check('main has its breakpoint then, and only that one is left', list(target.slots.values()) == [0x55])
    check('it is hit', driver._judge(Halt('breakpoint', number=list(target.slots)[0])) == 'Breakpoint 1: main.')
    wanted = '/bin/a has no symbol main and is static: main of a later program counts.'
    for start, words in ((0x10, [wanted]), (0x20, [])):
        loaded = types.SimpleNamespace(entry_point=0x10, start_point=start)
        image = types.SimpleNamespace(path='/bin/a', loaded=loaded)
        session.process = lambda image=image: types.SimpleNamespace(image=image)
        driver = Driver(session, [])
        said = list(driver._do_break(['main'], {}))
        check(f'a static program without it is named {words}', said[1:] == words)
    session.files = {'/bin/a': b''}
    target.console = ''
    driver = Driver(session, [stops.parse(f'exec:/bin/{name}') for name in 'ab'])
    check('a path that no file has is named at the end',
          list(driver._end())[1:] == ['exec:/bin/b: the archive has no file /bin/b.'])


CPLUS = """namespace ns { struct Foo { int add(int x) const; }; int Foo::add(int x) const { return x + 1; } }
namespace ns { int f(int x) { return x; } int f(double x) { return static_cast<int>(x); } }
template <typename T> T twice(T x) { return x + x; }
int main() { return static_cast<int>(ns::Foo().add(ns::f(1)) + ns::f(2.0) + twice(1) + twice(2.0)); }
"""
# Names as Ada, Free Pascal and Rust make them, and a symbol of a section that is not loaded.
LABELS = """void ada(void) __asm__("adap__deep"), program(void) __asm__("_ada_adap");
void pascal(void) __asm__("P$PAS_$$_DEEP$CHAR"), rust(void)
    __asm__("_ZN37_$LT$r..Circle$u20$as$u20$r..Area$GT$4area17h0123456789abcdefE");
__asm__(".pushsection .debug_x\\n.byte 0\\ndebugging: .byte 0\\n.popsection");
void ada(void) {} void program(void) {} void pascal(void) {} void rust(void) {}
int main(void) { return 0; }
"""
DEAD = """static inline __attribute__((always_inline)) int inner(int x) { return x * x + 1; }
__attribute__((noinline)) int dead(int x) { return inner(x) + inner(x + 3); }
__attribute__((noinline)) int live(int x) { return inner(x); }
int main(int argc, char **argv) { return argv && live(argc); }
"""
INLINED = """static inline __attribute__((always_inline)) int inner(int x) { return x * x; }
__attribute__((noinline)) int outer(volatile int *x)
{
    int first = inner(*x);
    return first + inner(*x + 1);
}

int main(int argc, char **argv)
{
    (void)argv;
    return outer(&argc);
}
"""


LOCAL = """namespace ns { template <typename T> struct Ring { T v[4]; int n;
    template <typename F> int each(F f) { int s = 0; for (int i = 0; i < n; i++) s += f(v[i]); return s; }
    bool operator<(const Ring &o) const { return n < o.n; }
    template <typename U> int operator()(U x) { return v[x & 3]; }
    operator bool() const { return n != 0; } };
namespace { inline int hidden(int x) { return x * 3 + 1; } struct Deep { int get(int x) { return x ^ 5; } }; } }
int main(int argc, char **)
{
    ns::Ring<int> r{{argc, 2, 3, 4}, argc & 3}, q{{1, 2, 3, 4}, argc};
    return r.each([&](int x) { return x + argc; }) + ns::hidden(argc) + ns::Deep().get(argc) + (r < q) + r(argc)
        + bool(q);
}
"""
LOOP = """__attribute__((noinline)) long sum(const long *a, const int *b, int n, int flag)
{
    long s = 0;
    for (int i = 0; i < n; i++) {
        if (flag)
            s += a[i] * b[i];
        else
            s -= a[i];
    }
    return s;
}

int main(int argc, char **argv)
{
    long a[3] = {argc, 2, 3};
    int b[3] = {1, 2, 3};
    return argv && (int)sum(a, b, 3, argc);
}
"""


def compiled(folder, name, text, *words):
    """A program of this source, compiled by these words; its folder is the current one, as by hand."""
    pathlib.Path(folder, name).write_text(text)
    out = pathlib.Path(folder, 'out')
    subprocess.run([*words, '-o', out.name, name], cwd=folder, check=True)
    return elf.Elf(name, out.read_bytes())


def test_names():
    """Names of C++, Rust and D as in the source; names that files which are not in memory yet may have."""
    wanted = {'_ZN3Foo3addERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE': 'Foo::add',
              '_ZN1r4area17h0123456789abcdefE': 'r::area', '_ZN2ns1fEi.cold': 'ns::f.cold',
              '_D2dd1S3getMFZi': 'dd.S.get', '__geo_MOD_fact': 'geo::fact', 'camlO__fib_267': 'O.fib',
              'camlStdlib__List__find_12': 'Stdlib.List.find', 'main__pick.0': 'main.pick',
              '_Dmain': 'D main', '_D1d4mainFAAyaZ10__lambda17MFNaNbNiNfZd': 'd.main.__lambda17',
              '_D1d__T3VecTdZQh5totalMxFNaNbNiNfZd': 'd.Vec!(double).Vec.total',
              'OBJPAS_$$_CLOSEFILE$TEXT': 'objpas.closefile',
              'P$PAS$_$TCIRCLE_$__$$_AREA$$DOUBLE': 'pas.tcircle.area', 'U_$P$PAS_$$_CNT': 'pas.cnt',
              'SYSUTILS$_$INTSTRTOTIME$CHAR$$TDATETIME_$$_STRPAS$crc3113FDC3': 'sysutils.intstrtotime.strpas',
              '*Circle#area:Float64': 'Circle#area', '*UInt128::new!<Int32>:UInt128': 'UInt128::new!',
              '*File@IO::Buffered#fill_buffer:Slice(UInt8)': 'File#fill_buffer'}
    check('names of C++, Rust, D, Fortran, OCaml, Ada, Pascal and Crystal are those of the source', {
        name: words[0] for name, words in elf.demangled({*wanted, 'main', 'a__b', '__x', 'inner.0', 'a__b_1'}).items()
    } == wanted)
    for sign, wanted in (('__gnat_x', {'_ada_adap': 'adap', 'adap__maps__insert__2.5': 'adap.maps.insert',
                                       'adap__maps__Oeq__2': 'adap.maps."="',
                                       'adap__ops__findXn.125': 'adap.ops.find'}),
                         ('NimMain', {'deep__nim_21': 'nim.deep'})):
        found = elf.demangled({*wanted, 'main', 'a___elabb', '__x'}, {sign})
        check(f'names in a file with {sign}', {name: words[0] for name, words in found.items()} == wanted)
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(folder, 'a.cc', CPLUS, 'g++', '-g')
        for name, by_end, full in (
                ('ns::f(int)', False, ['ns::f(int)']), ('ns::f( double )', False, ['ns::f(double)']),
                ('ns::f', False, ['ns::f(int)', 'ns::f(double)']), ('Foo::add', True, ['ns::Foo::add(int) const']),
                ('ns::Foo::add(int)', False, ['ns::Foo::add(int) const']), ('Foo::add', False, []),
                ('twice<int>', False, ['twice<int>(int)']),
                ('twice', True, ['twice<int>(int)', 'twice<double>(double)']), ('main', False, ['main'])):
            check(f'{name}, {"by its end" if by_end else "whole"}',
                  [place[1] for place in program.places(name, by_end)] == full)
        labels = compiled(folder, 'a.c', LABELS, 'gcc')
        for name, by_end, full in (
                ('Adap.Deep', False, ['adap.deep']), ('adap__deep', False, ['adap__deep']),
                ('DEEP', True, ['adap.deep', 'pas.deep']), ('MAIN', False, ['main']), ('debugging', False, []),
                ('Circle::area', True, ['<r::Circle as r::Area>::area'])):
            check(f'{name}, {"by its end" if by_end else "whole"}, of other languages',
                  sorted(place[1] for place in labels.places(name, by_end)) == full)
        apart = types.SimpleNamespace(files={'/bin/a': program.content, '/etc/motd': b'\0mail\0'},
                                      elf=lambda path: program if path == '/bin/a' else None)
        for name, wanted in (('main', True), ('user:main', True), ('main+4', True), ('Foo::add', True),
                             ('kernel:main', False), ('ns::f(int)', True), ('twice', True), ('Foo::sub', False),
                             ('mai', False), ('mail', False), ('start_main', False), ('a.cc:4', True),
                             ('a.cc:99', False), ('b.cc:4', False)):
            check(f'{name} {"may come" if wanted else "cannot come"}', Session.may_come(apart, name) is wanted)


def test_lines():
    """Source lines in each form that compilers give them."""
    forms = [['gcc', '-gdwarf-5'], ['gcc', '-gdwarf-4'], ['gcc', '-g', '-gz'], ['gcc', '-g', '-gz=zlib-gnu'],
             ['gcc', '-g', '-gsplit-dwarf'], ['gcc', '-gdwarf-4', '-gsplit-dwarf'], ['gcc', '-g', '-flto']]
    forms += [[name, '-g'] for name in ('clang', 'clang-19') if shutil.which(name)][:1]
    forms += [['gcc', '-g', '-Wl,--compress-debug-sections=zstd']]
    for form in forms:
        with tempfile.TemporaryDirectory() as folder:
            program = compiled(folder, 'a.c', INLINED, *form, '-O2')
            found = [program.has_line('a.c', line) and program.name_at(program.line_addresses('a.c', line)[0])
                     for line in (5, 11, 99)]
            check(f'lines of functions: {" ".join(form)}', [name and name.split('+')[0] for name in found]
                  == ['outer', 'main', False])
            place = program.source(program.symbol('main'))
            check(f'the line of an address: {" ".join(form)}',
                  place and pathlib.Path(place[0]).name == 'a.c' and place[1] in (9, 11))
            check(f'no line where there is none: {" ".join(form)}', program.source(program.symbol('_start')) is None
                  and program.source(program.symbol('_fini')) is None)
    check('a line of any kind of source file', all(map(LINE.match, (
        'a.c:1', 'a file.c++:11', 'entry.S:121', 'src/a.rs:2', 'b.f90:3', 'a.b.h:4')))
        and not any(map(LINE.match, ('a.c', 'a.c:x', 'ns::f', 'a.1:2', 'kernel:main'))))


def test_starts():
    """All places of a function or a line: overloads, templates, inlined functions, loops that are there twice."""
    def named(program, addresses):
        return [[place[0] for place in program.places_in_source(address)] for address in addresses]

    compilers = [['gcc', '-gdwarf-5'], ['gcc', '-gdwarf-4']]
    compilers += [['clang-19', '-gdwarf-4']] if shutil.which('clang-19') else []
    with tempfile.TemporaryDirectory() as folder:
        for form in compilers:
            program = compiled(folder, 'a.c', INLINED, *form, '-O2')
            check(f'both places of an inlined function: {" ".join(form)}', named(program, program.starts('inner'))
                  == [['inner', 'outer']] * 2)
            check(f'its line is there, and nowhere else: {" ".join(form)}', {names[0] for names in named(
                program, program.line_starts('a.c', 1))} == {'inner'})
            program = elf.Elf('a', program.content)
            program.__dict__['_symbolizer'] = None  # as if it were not installed
            check('the same by addr2line', named(program, program.starts('inner')) == [['inner', 'outer']] * 2)
            check('a function that is not inlined has one', program.starts('outer') == [program.symbol('outer')])
        if any(map(shutil.which, elf.SYMBOLIZERS)):
            program = compiled(folder, 'a.c', INLINED, 'gcc', '-g', '-gsplit-dwarf', '-O2')
            check('inlined functions of split DWARF', ['inner', 'outer']
                  in named(program, program.line_addresses('a.c', 1)))
        program = compiled(folder, 'a.cc', CPLUS, 'g++', '-g', '-O0')
        for name, by_end, count in (('ns::f', False, 2), ('twice', True, 2), ('twice<int>', False, 1),
                                    ('Foo::add', True, 1), ('add', False, 0)):
            check(f'{name} has {count} places', len(program.starts(name, by_end)) == count)
        program = compiled(folder, 'b.cc', CPLUS.replace('(1)', '(argc)').replace('(2.0)', '(argc + 0.5)')
                           .replace('main()', 'main(int argc, char **)'), 'g++', '-g', '-O2')
        check('templates that are inlined', len(program.starts('twice', True)) == 2
              and ['twice<double>', 'main'] in named(program, program.starts('twice', True)))
        for form in ('-O0', '-O2'):
            program = compiled(folder, 'c.cc', LOCAL, 'g++', '-g', form)
            for name in ('Ring::each', 'hidden', 'ns::hidden', 'Deep::get', 'operator<', 'Ring::operator()',
                         'operator bool', 'ns::Ring::operator bool'):
                check(f'{name} has one place: {form}', len(program.starts(name, True)) == 1)
        for form in ('-gz', '-gz=zlib-gnu'):
            program = compiled(folder, 'a.c', INLINED.replace('inner', 'the_inner_function'), 'gcc', '-g', '-O2', form)
            check(f'names in compressed sections may come: {form}', program.has_text('the_inner_function')
                  and len(program.starts('the_inner_function')) == 2)
        program = compiled(folder, 'a.c', INLINED.replace('inner', 'the_inner_function'), 'gcc', '-g', '-O2')
        with unittest.mock.patch.object(subprocess, 'Popen') as started:
            program.starts('nothing_of_this_name')
            program.starts('the_inner_func')
        check('no entries are read for a name that the file does not have', not started.called)
        with (unittest.mock.patch.dict(os.environ, XDG_CACHE_HOME=folder),
              unittest.mock.patch.multiple(elf, INFORMATION_KEPT=0, KEPT_MAX=1)):
            pathlib.Path(folder, 'umbra').mkdir()
            pathlib.Path(folder, 'umbra', 'inlined-old').touch()
            first = program.starts('the_inner_function')
            program = elf.Elf('a.c', program.content)
            with unittest.mock.patch.object(subprocess, 'Popen') as started:
                check('the entries of a file are read once', program.starts('the_inner_function') == first
                      and len(first) == 2 and not started.called)
            check('those of old files are dropped', len([*pathlib.Path(folder, 'umbra').iterdir()]) == 1)
        with unittest.mock.patch.object(elf, 'INFORMATION_MUCH', 0):
            program = elf.Elf('a.c', program.content)
            check('in a large file they are read for a name without a symbol only',
                  program.starts('outer') and '_entries' not in vars(program)
                  and program.starts('the_inner_function') == first)
        program = compiled(folder, 'a.c', LOOP, 'gcc', '-g', '-O0')
        check('the parts of a loop\'s line are one place', len(program.line_addresses('a.c', 4)) > 2
              and len(program.line_starts('a.c', 4)) == 1)
        program = compiled(folder, 'a.c', LOOP, 'gcc', '-g', '-O3')
        check('a loop that the optimiser has split is two places', len(program.line_starts('a.c', 6)) == 2)


def test_dead():
    """The debugging information of a function that the linker has left out names addresses near 0, or a mark."""
    linkers = [['gcc', f'-fuse-ld={name}'] for name in ('bfd', 'gold', 'mold') if shutil.which(f'ld.{name}')]
    linkers += [['clang-19', '--ld-path=ld.lld-19']] if shutil.which('clang-19') and shutil.which('ld.lld-19') else []
    for words in linkers:
        with tempfile.TemporaryDirectory() as folder:
            program = compiled(folder, 'a.c', DEAD, *words, '-g', '-O2', '-ffunction-sections', '-Wl,--gc-sections')
        live = program.symbol('live')
        check(f'functions that are not there have no place: {words[1]}', program.starts('inner') == [live]
              and program.line_starts('a.c', 1) == [live] and program.line_starts('a.c', 2)[0] >= live
              and program.source(4) is None)


def test_debug_link():
    """A stripped program that names its file of debugging information, where gdb looks for it."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(folder, 'a.c', INLINED, 'gcc', '-g', '-Wl,--build-id=none')
        out, debug_file = pathlib.Path(folder, 'out'), pathlib.Path(folder, 'out.debug')
        for words in (('--only-keep-debug', 'out', 'out.debug'),
                      ('--strip-all', '--add-gnu-debuglink=out.debug', 'out')):
            subprocess.run(['objcopy', *words], cwd=folder, check=True)

        def knows(name=str(out)):
            program = elf.Elf(name, out.read_bytes())
            return 'main' in program.names and program.has_lines

        check('a stripped program has the symbols of the file that .gnu_debuglink names', knows())
        check('but not those of a file of another folder', not knows('/nowhere/out') and not knows('out'))
        debug_file.parent.joinpath('.debug').mkdir()
        moved = debug_file.rename(pathlib.Path(folder, '.debug', debug_file.name))
        check('or in the folder .debug', knows())
        moved.write_bytes(moved.read_bytes() + b'x')
        check('and not of one with another checksum', not knows())


def test_damage():
    """Section headers that say nonsense, which Linux does not look at: the file has no symbols then."""
    with tempfile.TemporaryDirectory() as folder:
        good = compiled(folder, 'a.c', INLINED, 'gcc', '-g').content
    table, = struct.unpack_from('<Q', good, 40)
    random.seed(1)
    for number in range(100):
        content = bytearray(good)
        for _ in range(3):
            content[random.randrange(table, len(content))] = random.randrange(256)
        if number == 0:
            content[40:48], content[58:64] = bytes(8), bytes(6)
        try:
            found = elf.Elf('damaged', bytes(content))
            done = found.names, found.name_at(0x1100), found.has_line('a.c', 5), found.source(0x1100)
            check_quietly(f'damage {number}', len(found.segments) > 1 and len(done) == 4)
        except Exception as error:  # whatever pyelftools raises
            check(f'damage {number}: {error!r}', False)
    check('files with damaged section headers are read', True)


def check_quietly(name, good):
    """A point only if it is bad."""
    if not good:
        check(name, False)


def test_display():
    """The guest's bytes are shown, whatever the pieces they come in; what Bochs says is not."""
    stream = (b'c\r\nhello\r\n(0 lines)\r\n# umbra: stop: cow\r\n(0) Magic breakpoint\r\n'
              b'Next at t=13\r\n(0) [0x1] 0010:1 (unk. ctxt): nop\r\n<bochs:2> ')
    for size in (1, 3, 1000):
        shown = []
        pump = _Pump(0, 0, None, None, shown.append)
        for at in range(0, len(stream), size):
            pump._text += stream[at:at + size]
            pump._display()
        pump._display(final=True)
        check(f'pieces of {size}', b''.join(shown).rstrip()
              == b'hello\r\n(0 lines)\r\n# umbra: stop: cow')


def test_core():
    """What is written is read again, with memory and registers."""
    ram = program()
    whole = {page: ram.pages.get(page, bytearray(4096)) for page in range(0, 0x200000, 4096)}
    ram.pages = whole
    registers = dict.fromkeys(unwind.REGISTERS, 7) | dict(rflags=2, cr2=9)
    live = session(ram, **registers)
    with tempfile.NamedTemporaryFile() as file:
        core.write(file.name, live, 0x200000)
        with core.CoreTarget(file.name) as target:
            check('a core has all memory', all(
                target.memory.physical(page, 4096) == bytes(content)
                for page, content in whole.items()))
            check('a command with a missing quote does not end the session', list(debug.answers_of_core(live, 'walk "'))
                  == ['No closing quotation'] and 'does not run' in list(debug.answers_of_core(live, 'c'))[0])
            check('a core has the registers', target.registers() == live.registers())
            dead = session(ram, **target.registers())
            dead.memory = target.memory
            check('walk answers the same from it',
                  list(explain.walk(dead, TEXT)) == list(explain.walk(live, TEXT)))
            here = types.SimpleNamespace(name=file.name, content=pathlib.Path(file.name).read_bytes())
            files = [types.SimpleNamespace(bias=0x5000, elf=elf) for elf in (
                here, types.SimpleNamespace(name='/bin/p', content=b''),
                types.SimpleNamespace(name=file.name, content=b'another one'))]
            check('gdb gets the symbols of the files that are on this machine', core.for_gdb(
                'a core', types.SimpleNamespace(modules=lambda: files)) == [
                    "gdb build/kernel/umbra.debug.elf 'a core' \\",
                    f"  -ex 'add-symbol-file \"{file.name}\" -o 0x5000'"])
        text = subprocess.run(['readelf', '-lW', file.name], capture_output=True, text=True,
                              check=True).stdout
        check('readelf finds text and data where they are mapped', re.search(
            r'LOAD +0x\w+ 0x0*401000 0x0*100000 0x0*2000 ', text))
    with tempfile.NamedTemporaryFile() as file:
        file.write(b'\x7fELF')
        file.flush()
        try:
            core.CoreTarget(file.name)
            check('another file is refused', False)
        except core.CoreError:
            check('another file is refused', True)


def test_unwind():
    """Two functions with a table that is written here: CFA = rsp + 16 after a push."""
    cie = struct.pack('<IB', 0xffffffff, 4) + b'\0\x08\0\x01\x78\x10' + b'\x0c\x07\x08\x90\x01'
    fde = struct.pack('<IQQ', 0, 0x1000, 0x100) + b'\x41\x0e\x10\x86\x02'
    data = b''.join(struct.pack('<I', len(part)) + part for part in
                    (cie + bytes(-len(cie) % 4), fde + bytes(-len(fde) % 4)))
    table = unwind.Table(data, 0, False)
    check('the row at the start', table.row(0x1000).cfa == (7, 8))
    check('the row after the push', table.row(0x1001).cfa == (7, 16))
    check('no row outside', table.row(0x1100) is None and table.row(0xfff) is None)
    stack = struct.pack('<4Q', 0x77, 0x1010, 0x78, 0x5000)
    frames = unwind.backtrace({**dict.fromkeys(unwind.REGISTERS, 0), 'rip': 0x1004, 'rsp': 0x9000},
                              lambda at, size: stack[at - 0x9000:at - 0x9000 + size],
                              lambda pc: (table, 0) if pc < 0x5000 else None)
    check('a backtrace has all callers', [frame.pc for frame in frames] == [0x1004, 0x1010, 0x5000])
    check('saved registers come back', frames[2].registers['rbp'] == 0x78)
    stack = struct.pack('<8Q', 0x1010, 0x77, 0x1010, 0x9028, 0x5000, 0x9040, 0x7777, 0)
    frames = unwind.backtrace({**dict.fromkeys(unwind.REGISTERS, 0), 'rip': 0, 'rsp': 0x9000, 'rbp': 0x9000},
                              lambda at, size: stack[at - 0x9000:at - 0x9000 + size],
                              lambda pc: (table, 0) if pc in range(0x1000, 0x1100) else None,
                              lambda pc: pc in range(0x1000, 0x1100))
    check('a call of a pointer that is 0 has its caller, and no more than code is a caller',
          [frame.pc for frame in frames] == [0, 0x1010, 0x1010, 0x5000])
    saved = struct.pack('<17Q', *range(8, 16), 1, 2, 0x77, 3, 4, 5, 6, 0x9100, 0x1000)
    memory = {0x7000: b'\x48\xc7\xc0\x0f\0\0\0\x0f\x05'.ljust(16, b'\x90'),
              0x9000: struct.pack('<Q', 0x7000) + bytes(40) + saved, 0x9100: struct.pack('<Q', 0x5000)}

    def read(at, size):
        for start, content in memory.items():
            if start <= at and at + size <= start + len(content):
                return content[at - start:at - start + size]
        raise Unreadable('')

    for pc, sp in ((0x1000, 0x9000), (0x7007, 0x9008), (0x7009, 0x9008)):
        found = unwind.backtrace({**dict.fromkeys(unwind.REGISTERS, 0), 'rip': pc, 'rsp': sp}, read,
                                 lambda pc: (table, 0) if pc in range(0x1000, 0x1100) else None)
        check(f'a signal handler of a C library without rules was called where the registers say, at {pc:#x}',
              [(frame.pc, frame.exact) for frame in found[-2:]] == [(0x1000, True), (0x5000, False)]
              and found[-2].registers['rbp'] == 0x77)
    memory[0x3000] = b'\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x90\x5d\xc3'  # a function with a frame pointer and no rules
    memory[0x9200] = struct.pack('<3Q', 0x9300, 0x1004, 0x5000)
    for pc, sp, bp in ((0x3000, 0x9208, 0x9300), (0x3004, 0x9208, 0x9300), (0x3005, 0x9200, 0x9300),
                       (0x3008, 0x9200, 0x9200), (0x3009, 0x9200, 0x9200), (0x300a, 0x9208, 0x9300)):
        found = unwind.backtrace({**dict.fromkeys(unwind.REGISTERS, 0), 'rip': pc, 'rsp': sp, 'rbp': bp}, read,
                                 lambda pc: (table, 0) if pc in range(0x1000, 0x1100) else None, most=2)
        check(f'the caller of a function without rules at {pc:#x}',
              [(frame.pc, frame.registers['rbp']) for frame in found[1:]] == [(0x1004, 0x9300)])
    both = unwind.Tables([unwind.Table(b'', 0, True), table])
    check('a function of the second of two tables', both.row(0x1001).cfa == (7, 16) and both.row(0x1100) is None)
    check('not more frames than wanted', len(unwind.backtrace(
        frames[0].registers, lambda at, size: struct.pack('<Q', 0x1010), lambda pc: (table, 0), most=9)) == 9)


def test_outermost():
    """A return address that is not code is not a frame: Go's first function has none."""
    frames = [unwind.Frame(pc, pc == 0x1000, {}, '') for pc in (0x1000, 0x1010, 1)]
    session = types.SimpleNamespace(
        backtrace=lambda most: frames[:most], is_code=lambda address: address >= 0x1000, process=lambda: None,
        name=lambda address: f'{address:#x} f', calls=lambda address: [], module_at=lambda address: None)
    lines = list(commands.bt(session, []))
    check('what is not code is said to be the end', len(lines) == 3 and lines[2].startswith('It would return to 0x1,'))
    check('also where the frames are counted', list(commands.bt(session, ['2'])) == lines)
    session.name = lambda address: f'{address:#x} (no symbol of /bin/a)'
    frames[2] = unwind.Frame(0x1020, True, {}, '')
    check('what was interrupted was not called', list(commands.bt(session, []))[1]
          .endswith('0x1010 (a signal handler returns here) of /bin/a'))
    session.name = lambda address: f'{address:#x} f'
    frames[2] = unwind.Frame(0x1020, False, {}, '')
    check('code is a frame', [line[:2] for line in commands.bt(session, [])] == ['#0', '#1', '#2'])


def test_kernel(path):
    """The rule for the frame at each row that readelf prints."""
    file = elf.Elf('kernel', pathlib.Path(path).read_bytes())
    section = file.file.get_section_by_name('.debug_frame')
    table = unwind.Table(section.data(), 0, False)
    text = subprocess.run(['readelf', '--debug-dump=frames-interp', path], capture_output=True,
                          text=True, check=True, env={'LC_ALL': 'C', 'PATH': '/usr/bin:/bin'}).stdout
    wanted = re.findall(r'^([0-9a-f]{16}) (\w+)\+(\d+) ', text, re.M)
    wrong, seen = [], 0
    for address, register, offset in wanted:
        row = table.row(int(address, 16)) if int(address, 16) else None
        if row is None:
            continue
        seen += 1
        if (unwind.REGISTERS[row.cfa[0]], row.cfa[1]) != (register, int(offset)):
            wrong.append(address)
    for address in wrong[:10]:
        TAP.comment(f'{address} is another row than readelf prints')
    check(f'{len(wanted)} rows of the kernel are those that readelf prints',
          not wrong and seen > 1000)


def main():
    for test in (test_tables, test_differences, test_why, test_walk, test_space, test_reach, test_compressed,
                 test_stops, test_stop_line, test_words, test_breakpoints, test_several_places, test_cut_line,
                 test_together, test_stripped_main, test_names, test_lines,
                 test_starts, test_dead, test_debug_link, test_damage, test_display, test_core, test_unwind,
                 test_outermost):
        test()
    if len(sys.argv) > 1:
        test_kernel(sys.argv[1])
    TAP.finish()
    return int(TAP.failed > 0)


if __name__ == '__main__':
    sys.exit(main())
