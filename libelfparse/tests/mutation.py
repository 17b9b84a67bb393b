#!/usr/bin/env python3
"""mutation.py [--part link] [--sample N] SOURCE-ROOT SURVIVORS CORPUS SOURCE...: inverts conditional jumps, one by one.

Builds unit tests, fuzzing target and library as one program, and for each conditional jump (and SETcc, CMOVcc) of the
object code of the loader's sources, or of linking's among them, runs them with its condition inverted. A change that
nothing notices is a survivor; one whose source line is not in the committed list (lines `file: source line  # reason`)
is a failure.
"""
import argparse
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = ('rules', 'plan', 'walk', 'machines', 'pages')
FLAGS = ['-std=gnu17', '-O2', '-g', '-w', '-fno-pie', '-fno-stack-protector']


def link_parts(sources, tests):
    """Linking: the whole library, and the tests that make both objects."""
    parts = [(source, []) for source in sources + [tests + '/pair.c']]
    return parts + [(tests + '/test_link.c', ['-Dmain=link_main']),
                    (tests + '/test_link_lookup.c', ['-Dmain=link_lookup_main']),
                    (tests + '/mutants.c', ['-DLINK'])]


def loader_parts(sources, library, tests, fuzz):
    parts = [(source, []) for source in sources + [f'{library}/src/error.c']]
    parts += [(f'{tests}/{name}.c', []) for name in ('image', 'cases', 'mutants')]
    parts += [(f'{tests}/test_{name}.c', [f'-Dmain={name}_main'])
              for name in TESTS]
    parts += [(f'{fuzz}/fuzz_elfparse.c', [])]
    parts += [(f'{fuzz}/elfparse/{name}.c', [f'-Dmain={name}_main']) for name in ('replay', 'mutator', 'invariants',
                                                                                  'setting')]
    return parts


def build(root, work, part, sources):
    library, fuzz, tests = root + '/libelfparse', root + '/fuzz', root + '/libelfparse/tests'
    flags = FLAGS + [f'-I{library}/include', f'-I{fuzz}', f'-I{tests}']
    parts = link_parts(sources, tests) if part == 'link' else loader_parts(sources, library, tests, fuzz)
    objects = []
    for source, extra in parts:
        objects.append(f'{work}/{os.path.basename(source)}.o')
        freestanding = ['-ffreestanding', '-mgeneral-regs-only'] if source.startswith(library + '/src') else []
        subprocess.check_call(['gcc', *flags, *freestanding, *extra, '-c', source, '-o', objects[-1]])
    subprocess.check_call(['gcc', '-no-pie', *objects, '-lcmocka', '-o', work + '/mutants'])
    return work + '/mutants'


def inversions(program):
    """(address of the byte, its new value) for each conditional instruction of the program's own code."""
    text = subprocess.run(['objdump', '-d', '-j', '.text', program], capture_output=True, text=True, check=True).stdout
    for line in text.split('\n'):
        match = re.match(r'\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(j|set|cmov)(?!mp)', line)
        if not match:
            continue
        address, code = int(match.group(1), 16), [int(byte, 16) for byte in match.group(2).split()]
        at = next(i for i, byte in enumerate(code) if byte == 0x0f or 0x70 <= byte <= 0x7f)
        if code[at] == 0x0f:
            at += 1
        yield address + at, code[at] ^ 1


def lines_of(program, addresses):
    done = subprocess.run(['addr2line', '-e', program], input='\n'.join(hex(a) for a in addresses),
                          capture_output=True, text=True, check=True)
    return [line.split(' (discriminator')[0].rsplit(':', 1) for line in done.stdout.strip().split('\n')]


def is_mutated(part, name):
    return name.startswith('link') if part == 'link' else name != 'error.c'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--sample', type=int)
    parser.add_argument('--part', choices=('loader', 'link'), default='loader')
    parser.add_argument('--addresses', action='store_true', help='say where the survivors are')
    parser.add_argument('root')
    parser.add_argument('survivors')
    parser.add_argument('corpus')
    parser.add_argument('sources', nargs='+', type=os.path.abspath, metavar='SOURCE')
    options = parser.parse_args()
    for tool, package in (('gcc', 'gcc'), ('objdump', 'binutils'), ('addr2line', 'binutils')):
        if not shutil.which(tool):
            print(f'skipped: {tool} is not installed (Debian package {package})')
            return 77
    root = os.path.abspath(options.root)
    inside = root + '/libelfparse/src/'
    with tempfile.TemporaryDirectory() as work:
        program = build(root, work, options.part, options.sources)
        every = list(inversions(program))
        where = lines_of(program, [address for address, _ in every])
        mutants = {address: (os.path.normpath(path), line, byte) for (address, byte), (path, line) in zip(every, where)
                   if os.path.normpath(path).startswith(inside) and is_mutated(options.part, os.path.basename(path))}
        chosen = sorted(mutants)
        if options.sample:
            chosen = sorted(random.Random(1).sample(chosen, min(options.sample, len(chosen))))
        answer = subprocess.run([program, options.corpus], capture_output=True, text=True, check=True,
                                input=''.join(f'{address:x} {mutants[address][2]:x}\n' for address in chosen))
        alive = collections.Counter()
        for line in answer.stdout.split('\n'):
            if line.endswith(' 0'):
                path, number, _ = mutants[int(line.split(' ')[0], 16)]
                with open(path) as source:
                    text = source.read().split('\n')[int(number) - 1].strip() if number.isdigit() else '?'
                if options.addresses:
                    at = int(line.split(' ')[0], 16)
                    near = subprocess.run(['objdump', '-d', '--no-show-raw-insn', f'--start-address={at - 24}',
                                           f'--stop-address={at + 12}', program], capture_output=True, text=True).stdout
                    print(line, text, near)
                alive[f'{path[len(inside):]}: {text}'] += 1
    with open(options.survivors) as lines:
        known = {line.split('  # ')[0].strip() for line in lines if line.strip() and not line.startswith('#')}
    for text, count in sorted(alive.items()):
        if text not in known:
            print(f'not noticed ({count}): {text}')
    print(f'{len(chosen)} of {len(mutants)} conditions inverted, {sum(alive.values())} not noticed, '
          f'{sum(n for t, n in alive.items() if t in known)} of them listed')
    return any(text not in known for text in alive)


if __name__ == '__main__':
    sys.exit(main())
