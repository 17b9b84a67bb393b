#!/usr/bin/env python3
"""Boots user/kbench.c in a machine that counts instructions, and prints its rows beside those of Linux.

    kbench.py --kernel ELF --program FILE
    kbench.py --linux BZIMAGE --program FILE    the rows of a Linux kernel, in the form of kbench.tsv

kbench.tsv has the baselines: columns of figures that --linux made, and which kernel each is.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import aftermath
import console
import iso
import machine
import tools

HERE = pathlib.Path(__file__).resolve().parent
MKINITRD = HERE.parent / 'user/tools/mkinitrd.py'
BASELINES = HERE / 'kbench.tsv'
ROW = re.compile(r'^(.+)\t(\d+)\r?$', re.M)
ENTRIES = """\
dir  /dev  0755
dir  /proc 0555
dir  /tmp  1777
node /dev/console 0600 c 5 1
file /init 0755 ${program}
"""
MEGABYTES = 256
# REP STOSB and REP MOVSB take one tick a byte here: Linux must use the forms that take one for eight, as umbra does.
LINUX_CPU = 'max,-erms,-fsrm'
COMMAND_LINE = 'console=ttyS0 quiet mitigations=off random.trust_cpu=on'  # of Linux


def make_archive(program, scratch):
    archive, entries = scratch / 'kbench.cpio', scratch / 'entries'
    entries.write_text(ENTRIES)
    subprocess.run([sys.executable, MKINITRD, '--output', archive, '--set', 'program', program, entries],
                   check=True)
    return archive


def on_umbra(kernel, archive, scratch, limit):
    image, text = scratch / 'umbra.iso', bytearray()
    iso.make(image, kernel, archive, ['noaslr'])
    with machine.Qemu(image, scratch / 'log', MEGABYTES, counting=True) as guest:
        console.Session(guest, text.extend, None, limit, aftermath.at_limit(kernel, archive)).run()
    return text.decode(errors='replace')


def on_linux(kernel, archive, limit):
    tools.need('qemu-system-x86_64')
    done = subprocess.run(
        ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', LINUX_CPU, '-icount', 'shift=0,align=off,sleep=off',
         '-smp', '1', '-m', str(MEGABYTES), '-kernel', kernel, '-initrd', archive, '-append', COMMAND_LINE,
         '-display', 'none', '-monitor', 'none', '-net', 'none', '-no-reboot', '-serial', 'stdio'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', check=False, timeout=limit)
    return done.stdout


def rows(text):
    if 'kbench: done' not in text:
        raise tools.ToolError(f'kbench did not come to its end; its last words: {text[-300:]!r}')
    return {name: int(value) for name, value in ROW.findall(text)}


def baselines():
    """The names of the columns, and the figures of each row."""
    lines = [line.split('\t') for line in BASELINES.read_text(encoding='utf-8').splitlines()
             if line and not line.startswith('#')]
    return lines[0][1:], {row[0]: [int(cell) for cell in row[1:]] for row in lines[1:]}


def show(found):
    names, known = baselines()
    print(f'  {"":38} {"umbra":>9}' + ''.join(f' {name:>14} {"":>6}' for name in names))
    for name, ticks in found.items():
        cells = ''.join(f' {value:>14,} {100 * ticks // value:>4} %' for value in known.get(name, []))
        print(f'  {name:38} {ticks:>9,}{cells}')


def main():
    build = HERE.parent / 'build'
    parser = argparse.ArgumentParser(description='Measure the kernel in instructions an operation.')
    parser.add_argument('--kernel', default=build / 'kernel/umbra.elf')
    parser.add_argument('--program', default=build / 'user/kbench')
    parser.add_argument('--linux', metavar='BZIMAGE', help='measure this kernel instead')
    parser.add_argument('--limit', type=float, default=600, metavar='SECONDS')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='umbra-kbench.') as folder:
        scratch = pathlib.Path(folder)
        archive = make_archive(args.program, scratch)
        if args.linux:
            for name, ticks in rows(on_linux(args.linux, archive, args.limit)).items():
                print(f'{name}\t{ticks}')
        else:
            show(rows(on_umbra(args.kernel, archive, scratch, args.limit)))


if __name__ == '__main__':
    with tools.one_sentence():
        main()
