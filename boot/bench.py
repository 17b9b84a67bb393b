#!/usr/bin/env python3
"""Prints the measures of `./umbra bench`.  It prints figures only: a benchmark is not a test."""
import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import time

import aftermath
import console
import cpio
import iso
import machine
import ticks
import tools

MACHINE_SECONDS = 120


def title(text):
    print(f'\n{text}', flush=True)


def seconds_of(command, cwd=None):
    """Wall seconds of a command, whose output is shown only if it fails."""
    tools.need(command[0])
    start = time.monotonic()
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'umbra: failed: {" ".join(map(str, command))}\n{done.stdout}')
    return time.monotonic() - start


def build_times(source, scratch):
    """Builds the boot image in a fresh directory, then again after one kernel file changed."""
    title('Build, seconds (the boot image: libraries, kernel, user programs, ISO)')
    folder = scratch / 'build'
    copy = scratch / 'source'
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns('build*', '.git'))
    configured = seconds_of(['meson', 'setup', folder, copy])
    clean = seconds_of(['ninja', '-C', folder, 'image'])
    print(f'  configure   {configured:6.2f}')
    print(f'  clean       {clean:6.2f}')
    for name in ('kernel/exec/load.c', 'libelfparse/src', 'libvfs/src'):
        path = copy / name
        if path.is_dir():
            path = sorted(path.glob('*.c'))[0]
        with path.open('a', encoding='utf-8') as file:
            file.write('\n')
        again = seconds_of(['ninja', '-C', folder, 'image'])
        print(f'  {path.relative_to(copy)} changed  {again:6.2f}')


class FirstLine:
    """Stores the time of the first line that is not a line of the kernel."""

    def __init__(self):
        self.start = time.monotonic()
        self.seconds = None
        self._text = ''

    def feed(self, data):
        self._text += data.decode(errors='replace')
        lines = self._text.replace('\r', '').split('\n')[:-1]
        if self.seconds is None and any(line and not line.startswith('umbra') for line in lines):
            self.seconds = time.monotonic() - self.start


def first_line(kernel, initrd, scratch, start):
    """Wall seconds from the start of the machine to the first line of a program."""
    watch = FirstLine()
    image = scratch / 'first.iso'
    iso.make(image, kernel, initrd, [])
    with start(image, scratch / 'log') as guest:
        console.Session(guest, watch.feed, limit=MACHINE_SECONDS, at_limit=aftermath.at_limit(kernel, initrd)).run()
    if watch.seconds is None:
        raise tools.ToolError('no program has printed a line')
    return watch.seconds


def boot_times(kernel, initrd, scratch):
    title("Boot: wall seconds from a built tree to the program's first line")
    print(f'  Bochs       {first_line(kernel, initrd, scratch, machine.Bochs):6.2f}')
    if shutil.which('qemu-system-x86_64'):
        print(f'  QEMU (TCG)  {first_line(kernel, initrd, scratch, machine.Qemu):6.2f}')


def instruction_counts(kernel, initrd):
    title('Instructions under Bochs (corei7_skylake_x, without waiting for the serial port)')
    table = pathlib.Path(__file__).parent / 'bochs/ticks.tsv'
    rows = list(ticks.rows(table))
    reached = ticks.measure(kernel, initrd, {point for row in rows for point in row[1:3]})
    for name, begin, end, _ in rows:
        print(f'  {reached[end] - reached[begin]:>12,}  {name}')


PROGRAM = """#include <unistd.h>
__attribute__((used)) static const volatile char filler[{size}] = {{1}};
int main(void) {{ return filler[sizeof filler - 1] + write(1, "ok\\n", 3) - 3; }}
"""
HELLO = """#include <stdio.h>
int main(int argc, char **argv)
{
    puts("hello");
    fflush(stdout);
    return argc > 1 && getchar() != EOF && !argv;
}
"""
PROGRAM_SIZES = {'10 KB': 0, '100 KB': 86_000, '1 MB': 1_030_000}
FRAMES = re.compile(r'frames: (\d+) tables, (\d+) private, (\d+) of files')
KERNEL_STACK = 4  # frames; as on Linux


def frames_of(kernel, archive, words, scratch):
    """The kernel's frame counts for /program of the archive: (tables, private, file)."""
    text = bytearray()
    initrd, boot_image = scratch / 'frames.cpio', scratch / 'frames.iso'
    initrd.write_bytes(archive)
    iso.make(boot_image, kernel, initrd, ['init=/program', *words])
    with machine.Bochs(boot_image, scratch / 'log') as guest:
        console.Session(guest, text.extend, limit=MACHINE_SECONDS, at_limit=aftermath.at_limit(kernel, initrd)).run()
    match = FRAMES.search(text.decode(errors='replace'))
    return tuple(int(number) for number in match.groups()) if match else None


def memory_on_linux(program):
    """The same of a process of this machine that waits at its end: (tables, private, file)."""
    with subprocess.Popen([program, 'wait'], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        folder = pathlib.Path('/proc', str(process.pid))
        try:
            sizes = {match[1]: int(match[2]) // 4 for name in ('status', 'smaps_rollup')
                     for match in re.finditer(r'^(\w+):\s+(\d+) kB', (folder / name).read_text(),
                                              re.M)}
        except OSError:
            sizes = {}
        process.communicate()
    if 'VmPTE' not in sizes or 'Anonymous' not in sizes:
        return None
    return sizes['VmPTE'], sizes['Anonymous'], sizes['Rss'] - sizes['Anonymous']


def memory(kernel, initrd, scratch):
    title('Memory of a hello world (musl, static, noaslr) at its end, frames of 4 KiB')
    source, program = scratch / 'hello.c', scratch / 'program'
    source.write_text(HELLO)
    seconds_of(['musl-gcc', '-static', '-Os', '-s', '-o', program, source])
    archive = cpio.entry('/program', program.read_bytes(), 0o755) + initrd.read_bytes()
    rows = {'umbra': frames_of(kernel, archive, ['noaslr', 'show=exit'], scratch),
            'Linux (root left out)': memory_on_linux(program)}
    for name, counts in rows.items():
        if not counts:
            print(f'  {name}: cannot be told')
            continue
        own = counts[0] + counts[1] + KERNEL_STACK
        print(f'  {name:<22} {own:>3} = {own * 4} KiB: {counts[0]} tables, {counts[1]} private, '
              f'{KERNEL_STACK} kernel stack; and {counts[2]} of files')


def frames(kernel, initrd, scratch):
    title('Frames of a process before its first instruction: tables + private + pages of files')
    source, program = scratch / 'program.c', scratch / 'program'
    for name, size in PROGRAM_SIZES.items():
        source.write_text(PROGRAM.format(size=max(size, 1)))
        seconds_of(['musl-gcc', '-static', '-Os', '-s', '-o', program, source])
        archive = cpio.entry('/program', program.read_bytes(), 0o755) + initrd.read_bytes()
        for words, how in (([], 'on demand'), (['eager'], 'complete')):
            counts = frames_of(kernel, archive, ['show=exec', *words], scratch)
            total = f'{sum(counts):>4} = {counts[0]} + {counts[1]} + {counts[2]}' if counts else '?'
            print(f'  {name:>6} ({program.stat().st_size:>9,} bytes), {how:<9}  {total}')


def benchmarks(build):
    """Prints the output of the libraries' own benchmarks, which Meson runs."""
    title('Libraries')
    tools.need('meson')
    done = subprocess.run(['meson', 'test', '-C', build, '--benchmark', '--verbose'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    marker = re.compile(r'^―+|^\s*$|^ninja|^\d+/\d+ |^(Ok|Fail|Skipped|Timeout|Expected Fail|'
                        r'Unexpected Pass):|^Full log|^>>>|^▶')
    for line in done.stdout.splitlines():
        if not marker.search(line):
            print(f'  {line}')


def kbench(source, kernel, scratch):
    """Prints the comparison with Linux: boot/kbench.py, or the larger benchmark in the folder that
    UMBRA_KBENCH names, which has a script run.sh and baselines of its own."""
    if 'UMBRA_KBENCH' not in os.environ:
        title('kbench, instructions per operation under QEMU (boot/kbench.py)')
        subprocess.run([sys.executable, source / 'boot/kbench.py', '--kernel', kernel, '--program',
                        kernel.parent.parent / 'user/kbench'], check=False)
        return
    shared = pathlib.Path(os.environ['UMBRA_KBENCH'])
    title(f'kbench: the benchmark in {shared}')
    tools.need('make', 'gcc', 'cpio', 'bochs-bin', 'qemu-system-x86_64')
    copy = scratch / 'kbench'
    shutil.copytree(shared, copy)
    for path in [copy, *copy.rglob('*')]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    copy.joinpath('work').mkdir()
    seconds_of(['make', '-C', copy / 'src'])
    for mode in ('tcg', 'bochs'):
        title(f'kbench, ticks per operation, {mode}')
        subprocess.run(['./run.sh', str(kernel), mode], cwd=copy, stdin=subprocess.DEVNULL,
                       env=dict(os.environ, LIMIT='600', PIN='0'), check=False)


def main():
    parser = argparse.ArgumentParser(prog='umbra bench', description='Print the measures.')
    parser.add_argument('--source', required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument('--build', required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument('part', nargs='*',
                        help='build, boot, instructions, frames, memory, libraries, kbench '
                             '(default: all)')
    args = parser.parse_args()
    args.build = args.build.resolve()
    parts = args.part or ['build', 'boot', 'instructions', 'frames', 'memory', 'libraries',
                          'kbench']
    seconds_of(['ninja', '-C', args.build, 'image', 'user/kbench'])
    kernel, initrd = args.build / 'kernel/umbra.elf', args.build / 'user/initrd.cpio'
    scratch = args.build / 'bench'
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    actions = {
        'build': lambda: build_times(args.source, scratch),
        'boot': lambda: boot_times(kernel, initrd, scratch),
        'instructions': lambda: instruction_counts(kernel, initrd),
        'frames': lambda: frames(kernel, initrd, scratch),
        'memory': lambda: memory(kernel, initrd, scratch),
        'libraries': lambda: benchmarks(args.build),
        'kbench': lambda: kbench(args.source, kernel, scratch),
    }
    for part in parts:
        if part not in actions:
            sys.exit(f'umbra: no measure {part}; there are: {", ".join(actions)}')
        actions[part]()


if __name__ == '__main__':
    with tools.one_sentence():
        main()
