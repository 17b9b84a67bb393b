#!/usr/bin/env python3
"""machines.py ELFPARSE FILE-TEST FIXTURE FIXTURE-SOURCE: what clang and lld make for other machines.

Shared objects are read by FILE-TEST, entry for entry next to libelf. Programs are judged by ELFPARSE, and where there
is a qemu-user for the machine it loads them: the pages that it maps (-d page) are those of the plan.
"""
import concurrent.futures
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

# clang's target, elfparse's machine, qemu's name, its page size, options
MACHINES = [
    ('x86_64', 'x86-64', 'x86_64', 4096, []),
    ('aarch64', 'aarch64', 'aarch64', 4096, []),
    ('aarch64_be', 'aarch64-be', 'aarch64_be', 4096, []),
    ('riscv64', 'riscv64', 'riscv64', 4096, []),
    ('riscv32', 'riscv32', 'riscv32', 4096, []),
    ('loongarch64', 'loongarch64', 'loongarch64', 16384, []),
    ('i386', 'i386', 'i386', 4096, []),
    ('arm', 'arm', 'arm', 4096, ['-mfloat-abi=soft']),
    ('armeb', 'arm-be', 'armeb', 4096, ['-mfloat-abi=soft']),
    ('powerpc64', 'ppc64', 'ppc64', 4096, ['-mabi=elfv2']),
    ('powerpc64le', 'ppc64le', 'ppc64le', 4096, []),
    ('s390x', 's390x', 's390x', 4096, []),
    ('mips', 'mips', 'mips', 4096, []),
    ('mipsel', 'mipsle', 'mipsel', 4096, []),
    ('mips64', 'mips64', 'mips64', 4096, []),
    ('mips64el', 'mips64le', 'mips64el', 4096, []),
]

PROGRAM = '''
const char text[5000] = "read-only";
int data[3000] = {1, 2, 3};
int zeros[20000];
static int *pointer = &data[2];
void _start(void)
{
    zeros[pointer - data] = text[0];
    __builtin_trap();
}
'''


def compile_for(machine, source, output):
    subprocess.run(['clang-19', f'--target={machine[0]}-linux-gnu', '-O1', '-w', '-fPIC', *machine[4], '-c', source,
                    '-o', output], check=True, stderr=subprocess.PIPE)


def link(source, output, *options):
    subprocess.run(['ld.lld-19', '--build-id=sha1', '-e', '_start', *options, source, '-o', output], check=True,
                   stderr=subprocess.PIPE)
    return output


def judge(tool, path, machine, page):
    done = subprocess.run([tool, '--json', '--machine', machine, '--page-size', str(page), path],
                          capture_output=True, text=True, check=False)
    verdict = json.loads(done.stdout)[0]
    if not verdict['accepted']:
        sys.exit(f"{os.path.basename(path)}: {verdict['errors'][0]['text']}")
    return verdict


def joined(areas):
    """Areas (start, end, permissions) in order, those that touch and have the same permissions as one."""
    result = []
    for start, end, prot in areas:
        if result and result[-1][1] == start and result[-1][2] == prot:
            start = result.pop()[0]
        result.append((start, end, prot))
    return result


def planned(verdict):
    return joined((r['vaddr'], r['vaddr'] + r['size'], r['prot'].lower()) for r in verdict['ranges'])


def mapped(qemu, path, base, verdict):
    """The pages of the program as qemu maps them, less the load bias."""
    log = base + '.log'
    subprocess.run([qemu, '-d', 'page', '-D', log, path], check=False, timeout=60, stderr=subprocess.DEVNULL)
    with open(log, encoding='utf-8') as file:
        blocks = file.read().split('prot\n')[1:]
    areas = [[(int(a, 16), int(b, 16), prot) for a, b, prot in
              re.findall(r'^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ ([-rwx]{3})$', block, re.M)] for block in blocks]
    bias = areas[0][0][0] - verdict['start'] if verdict['type'] == 'ET_DYN' else 0
    start, end = verdict['start'] + bias, verdict['end'] + bias
    return joined((max(a, start) - bias, min(b, end) - bias, prot) for a, b, prot in areas[-1]
                  if a < end and b > start and prot != '---')


def check_machine(tool, machine, work, fixture, source):
    """Links everything for the machine. Returns the shared object, and how many programs qemu loaded."""
    target, name, qemu, page, _ = machine
    base, compared = os.path.join(work, target), 0
    compile_for(machine, fixture, base + '-fixture.o')
    compile_for(machine, source, base + '.o')
    style = 'sysv' if target.startswith('mips') else 'both'
    shared = link(base + '-fixture.o', base + '.so', '-shared', f'--hash-style={style}')
    emulator = shutil.which('qemu-' + qemu)
    for kind in (['-static'], ['-pie', '--no-dynamic-linker']):
        path = link(base + '.o', base + kind[0], *kind, '-z', f'max-page-size={page}')
        verdict = judge(tool, path, name, page)
        if verdict['machine'] == 0 or verdict['entry'] == 0:
            sys.exit(f'{path}: a plan without machine or entry')
        if emulator is not None:
            pages = mapped(emulator, path, base, verdict)
            if pages != planned(verdict):
                sys.exit(f'{os.path.basename(path)}: qemu maps {pages}, the plan {planned(verdict)}')
            compared += 1
    path = link(base + '.o', base + '-large-pages', '-pie', '--no-dynamic-linker', '-z', 'max-page-size=65536')
    verdicts = [judge(tool, path, name, size) for size in (4096, 16384, 65536)]
    if {v['entry'] for v in verdicts} != {verdicts[0]['entry']} or verdicts[2]['align'] != 65536:
        sys.exit(f'{target}: the page size changes more than the pages')
    return shared, compared


def main():
    tool, file_test, native, fixture = sys.argv[1:]
    for name, package in (('clang-19', 'clang-19'), ('ld.lld-19', 'lld-19')):
        if shutil.which(name) is None:
            print(f'skipped: {name} is not installed (Debian package {package})')
            sys.exit(77)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the programs end with a trap
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(2) as pool:
        source = os.path.join(work, 'program.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(PROGRAM)
        done = list(pool.map(lambda machine: check_machine(tool, machine, work, fixture, source), MACHINES))
        read = subprocess.run([file_test, native, *(shared for shared, _ in done)], capture_output=True, text=True,
                              check=False)
        if read.returncode != 0:
            sys.exit(read.stdout + read.stderr)
    print(f'{len(MACHINES)} machines: as libelf reads them, {sum(n for _, n in done)} programs as qemu maps them')


main()
