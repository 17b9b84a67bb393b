#!/usr/bin/env python3
"""Runs Debian's unmodified stress-ng in umbra, one stressor after the other.

    stress.py [--stressors NAME,NAME... | all] [--seconds 5] [--table FILE] [--tap] [--linux]

Prints a line for each stressor: clean, failed, skipped (by stress-ng), missing (it needs a call
that does not exist, or a socket), limit (killed after a time), died (the machine stopped; the next boot goes on
after it).  --table writes them as a TSV.  --linux runs the same on this machine's Linux first.
With --tap each stressor of the list is a point, which passes if it is clean.
"""
import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import aftermath
import console
import iso
import machine
import tools
from guest_tap import CONTROL, Tap

HERE = pathlib.Path(__file__).resolve().parent
MKINITRD = HERE.parent / 'user/tools/mkinitrd.py'
PATIENCE = 30  # seconds after the limit of a stressor until the machine counts as dead
SKIPPED, NO_RESOURCE, MISSING = 4, 3, re.compile(
    r'errno=(?:38|97)\b|Function not implemented|does not exist here: ENOSYS')  # 97: no sockets
SKIPPED_TEXT = re.compile(r'\bskipp(?:ed|ing)\b(?!: 0)')
FAILED_TEXT = re.compile(r'stress-ng: fail:')
NOISE = 'no CPUs found in /sys'  # in the output of every stressor that fails
ABSENT = re.compile(r'system call \d+ \((\w+)\) does not exist here')
ENTRIES = """\
dir  /dev  0755
dir  /dev/shm 1777
dir  /etc  0755
dir  /proc 0555
dir  /root 0700
dir  /run  0755
dir  /tmp  1777
dir  /var/tmp 1777
node /dev/console 0600 c 5 1
node /dev/tty  0666 c 5 0
node /dev/null 0666 c 1 3
node /dev/zero 0666 c 1 5
node /dev/full 0666 c 1 7
node /dev/random 0666 c 1 8
node /dev/urandom 0666 c 1 9
file /etc/passwd 0644 ${passwd}
file /runner 0755 ${runner}
file /stressors 0644 ${list}
file /usr/bin/stress-ng 0755 ${stress}
file? /bin/busybox 0755 ${busybox}
link? /bin/sh busybox ${busybox}
"""


@dataclasses.dataclass
class Result:
    name: str
    word: str = ''
    detail: str = ''
    seconds: float = 0


def classify(name, end, lines):
    """The result of a stressor, from its end and its output."""
    text = '\n'.join(lines)
    said = [line for line in lines if line.startswith('stress-ng:')]
    absent = list(dict.fromkeys(ABSENT.findall(text)))[-8:]
    detail = 'no ' + ', '.join(absent) if absent else ''
    if end.startswith('limit'):
        return Result(name, 'limit', detail)
    if end == f'exit {SKIPPED}' or (end in ('exit 0', f'exit {NO_RESOURCE}')
                                    and SKIPPED_TEXT.search(text)):
        why = next((line for line in said if SKIPPED_TEXT.search(line)), end)
        return Result(name, 'skipped', cut(why))
    if end == 'exit 0' and not FAILED_TEXT.search(text):
        return Result(name, 'clean', detail)
    complaint = next((line for line in said if FAILED_TEXT.search(line)), None) \
        or next((line for line in reversed(said) if 'error:' in line and NOISE not in line), end)
    word = 'missing' if MISSING.search(text) else 'failed'
    return Result(name, word, f'{detail} {cut(complaint)}'.strip())


def cut(line):
    return re.sub(r'^stress-ng: (\w+: +)?(\[\d+\] )?', '', line).strip()[:110]


class Progress:
    """Follows the console: the stressor that runs, and the results of the others."""

    def __init__(self, show, patience, verbose=False):
        self.results = []
        self.lines = []
        self.current = None
        self._show = show
        self._rest = b''
        self._patience = patience
        self._verbose = verbose
        self._last = self._begun = time.monotonic()

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b'\n')
        for line in lines:
            self._one(CONTROL.sub('?', line.decode(errors='replace').rstrip('\r')))

    def is_stuck(self):
        return time.monotonic() - self._last > self._patience

    def _one(self, line):
        if line.startswith('stress: begin '):
            self.current, self.lines = line[14:], []
            self._last = self._begun = time.monotonic()
        elif line.startswith('stress: end '):
            _, _, name, end = line.split(' ', 3)
            self._done(classify(name, end, self.lines))
            self.current = None
        else:
            self.lines.append(line.removeprefix('stress: said '))

    def died(self, verdict):
        text = '\n'.join(self.lines)
        panic = re.search(r'panic: (.*)', text)
        calls = re.findall(r'backtrace: #\d+ [0-9a-f]+ (\S+)', text)
        detail = f'{panic[1] if panic else ""} in {" < ".join(calls)}' if panic or calls else ''
        self._done(Result(self.current, 'died', f'{verdict}: {detail}'.strip(': ')))

    def _done(self, result):
        result.seconds = time.monotonic() - self._begun
        if self._verbose and result.word != 'clean':
            print(''.join(f'# {result.name} said: {line}\n' for line in self.lines), end='')
        self._last = time.monotonic()
        self.results.append(result)
        self._show(result)


def libraries(program):
    """The paths of the shared libraries and the interpreter, as ldd finds them."""
    text = tools.run(['ldd', program])
    return sorted(set(re.findall(r'(?:=> |\t)(/\S+) \(', text)))


def archive(args, scratch, names):
    scratch.joinpath('list').write_text(''.join(f'{name}\n' for name in names))
    scratch.joinpath('passwd').write_text('root:x:0:0:root:/root:/bin/sh\n')
    entries = ENTRIES + ''.join(f'file {path} 0755 {pathlib.Path(path).resolve()}\n'
                                for path in libraries(args.program))
    scratch.joinpath('entries').write_text(entries)
    values = {'passwd': scratch / 'passwd', 'runner': args.runner, 'list': scratch / 'list',
              'stress': args.program, 'busybox': shutil.which('busybox') or ''}
    command = [sys.executable, MKINITRD, '--output', scratch / 'stress.cpio']
    for name, path in values.items():
        command += ['--set', name, path]
    subprocess.run([*command, scratch / 'entries'], check=True)
    return scratch / 'stress.cpio'


def is_dead(progress, guest, kernel, packed):
    """Whether the machine has said nothing for too long; then says what its tasks do."""
    dead = progress.is_stuck()
    if dead:
        aftermath.at_limit(kernel, packed)(guest)
    return dead


def run_in_guest(args, names, show):
    """All stressors; boots again after one that stops the machine."""
    results = []
    while names:
        progress = Progress(show, args.limit + PATIENCE, args.verbose)
        with tempfile.TemporaryDirectory(prefix='umbra-stress.') as folder:
            scratch = pathlib.Path(folder)
            image, packed = scratch / 'umbra.iso', archive(args, scratch, names)
            iso.make(image, args.kernel, packed,
                     [*args.append.split(), 'init=/runner', '--', '/stressors', str(args.seconds),
                      str(args.limit)])
            with machine.Qemu(image, scratch / 'log', args.memory,
                              kvm=args.machine == 'kvm') as guest:
                session = console.Session(guest, progress.feed, None, None)
                verdict = session.run(lambda: is_dead(progress, guest, args.kernel, packed))
        if progress.current is not None:
            progress.died(verdict.word)
        if not progress.results:
            sys.exit(f'the machine did not reach the first stressor: {verdict.word}\n'
                     f'{session.text()[-2000:]}')
        results += progress.results
        names = names[len(progress.results):]
    return results


def run_on_linux(args, names, show):
    """The same on this machine, each in namespaces of its own."""
    results = []
    for name in names:
        start = time.monotonic()
        command = ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--ipc', '--net',
                   args.program, f'--{name}', '1', '--timeout', str(args.seconds)]
        with tempfile.TemporaryDirectory(prefix='umbra-stress.') as folder:
            try:
                done = subprocess.run([*command, '--temp-path', folder], capture_output=True,
                                      text=True, check=False, timeout=args.limit, cwd=folder)
                end, text = f'exit {done.returncode}', done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                end, text = 'limit', ''
        result = classify(name, end, text.splitlines())
        result.seconds = time.monotonic() - start
        results.append(result)
        show(result)
    return results


def write_table(path, results, linux):
    on_linux = {result.name: result.word for result in linux}
    with path.open('w') as out:
        out.write('# stressor\tumbra\tLinux\tseconds\twhat was said\n')
        for result in results:
            out.write(f'{result.name}\t{result.word}\t{on_linux.get(result.name, "-")}\t'
                      f'{result.seconds:.1f}\t{result.detail}\n')


def summary(results):
    words = [result.word for result in results]
    return ', '.join(f'{words.count(word)} {word}' for word in
                     ('clean', 'failed', 'missing', 'skipped', 'limit', 'died'))


def names_of(args):
    if args.stressors != 'all':
        return args.stressors.split(',')
    text = subprocess.run([args.program, '--stressors'], capture_output=True, text=True,
                          check=True).stdout
    names = text.split()
    return names[names.index(args.after) + 1:] if args.after else names


def parse():
    build = HERE.parent / 'build'
    parser = argparse.ArgumentParser(description="Run Debian's stress-ng in umbra.")
    parser.add_argument('--kernel', default=build / 'kernel/umbra.elf')
    parser.add_argument('--runner', default=build / 'user/tests/stress-runner')
    parser.add_argument('--program', default=shutil.which('stress-ng'))
    parser.add_argument('--stressors', default='all', metavar='NAME,NAME')
    parser.add_argument('--after', metavar='NAME', help='begin after this one')
    parser.add_argument('--seconds', type=int, default=5, help='of each stressor')
    parser.add_argument('--limit', type=int, default=30, help='seconds until one is killed')
    parser.add_argument('--memory', type=int, default=1024, metavar='MB')
    parser.add_argument('--machine', choices=('qemu', 'kvm'), default='qemu')
    parser.add_argument('--append', default='', metavar='WORDS', help='for the command line')
    parser.add_argument('--table', type=pathlib.Path, metavar='FILE')
    parser.add_argument('--linux', action='store_true', help="on this machine's Linux too")
    parser.add_argument('--verbose', action='store_true',
                        help='print the last lines of those that are not clean')
    parser.add_argument('--tap', action='store_true', help='every stressor has to be clean')
    return parser.parse_args()


def main():
    args = parse()
    if not args.program:
        print('1..0 # SKIP stress-ng is not installed (Debian package stress-ng)')
        return 0
    names, tap = names_of(args), Tap()

    done = []

    def show(result):
        done.append(result)
        if args.table:
            write_table(args.table, done, linux)
        text = f'{result.name}: {result.word} ({result.seconds:.0f} s) {result.detail}'
        if args.tap:
            tap.point(result.word == 'clean', text.rstrip().replace('#', ' '))
        else:
            print(text.rstrip(), flush=True)

    def show_linux(result):
        print(f'# Linux: {result.name}: {result.word} {result.detail}', flush=True)

    linux = run_on_linux(args, names, show_linux) if args.linux else []
    results = run_in_guest(args, names, show)
    print(f'# {len(results)} stressors: {summary(results)}')
    if args.tap:
        tap.finish()
    return 1 if args.tap and tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
