#!/usr/bin/env python3
"""coverage.py SOURCE-ROOT EXCUSED CORPUS [FIXTURE...]: lines, branches and MC/DC by unit tests and corpus.

Compiles library, tests and fuzz targets with clang's coverage, runs them, prints a table by file and
compares what was missed with the committed list, whose lines are `file function what  # reason`. What is
missed without being listed, or listed without being missed, is a failure.
"""
import collections
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

FLAGS = ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-g', '-fprofile-instr-generate', '-fcoverage-mapping',
         '-fcoverage-mcdc', '-w']


def tool(name):
    for version in ('-19', ''):
        if shutil.which(name + version):
            return name + version
    package = 'clang-19' if name == 'clang' else 'llvm-19'
    print(f'skipped: {name}-19 is not installed (Debian package {package})')
    sys.exit(77)


def compile_all(clang, root, work):
    """The programs, by name, each with its arguments."""
    library, fuzz, tests = root + '/libelfparse', root + '/fuzz', root + '/libelfparse/tests'
    flags = FLAGS + [f'-I{library}/include', f'-I{library}/src', f'-I{fuzz}', f'-I{tests}']
    flags += [f'-DDIVERGENCES="{fuzz}/divergences.tsv"']
    objects = []
    for source in sorted(glob.glob(library + '/src/*.c')):
        objects.append(f'{work}/{os.path.basename(source)}.o')
        subprocess.check_call([clang, *flags, '-c', source, '-o', objects[-1]])
    cases = [f'{tests}/{name}.c' for name in ('image', 'cases')]
    shared = [f'{fuzz}/elfparse/{name}.c' for name in ('replay', 'mutator', 'invariants', 'setting')] + cases
    programs = {}
    names = ['rules', 'plan', 'walk', 'error', 'tables', 'version', 'relocate', 'machines', 'pages', 'link',
             'link_lookup']
    for name in names:
        helpers = [f'{tests}/pair.c'] if name.startswith('link') else cases
        programs['test_' + name] = [f'{tests}/test_{name}.c', *helpers, '-lcmocka']
    programs['test_file'] = [f'{tests}/test_file.c', '-lcmocka', '-lelf']
    programs['fuzz_elfparse'] = [f'{fuzz}/fuzz_elfparse.c', *shared]
    programs['fuzz_elfparse_file'] = [f'{fuzz}/fuzz_elfparse_file.c', *shared]
    for name, parts in programs.items():
        subprocess.check_call([clang, *flags, *parts, *objects, '-o', f'{work}/{name}'])
    return list(programs)


def run_all(programs, corpus, fixtures, work):
    for name in programs:
        arguments = fixtures if name == 'test_file' else []
        if name.startswith('fuzz'):
            arguments = [corpus]
        env = dict(os.environ, LLVM_PROFILE_FILE=f'{work}/{name}.profraw')
        done = subprocess.run([f'{work}/{name}', *arguments], env=env, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout, done.stderr)
            sys.exit(f'{name} failed')


def missed(function):
    """What of one function, in its own file, no run did: the lines of regions, branches, decisions."""
    found = set()
    for first, _, last, _, count, file, _, kind in function['regions']:
        if kind == 0 and count == 0 and file == 0:
            found.add(f'line {first}')
    for first, _, _, _, yes, no, file, *_ in function['branches']:
        if file == 0 and yes == 0:
            found.add(f'branch {first} never true')
        if file == 0 and no == 0:
            found.add(f'branch {first} never false')
    for record in function.get('mcdc_records', []):
        for index, covered in enumerate(record[-1]):
            if not covered:
                found.add(f'decision {record[0]} condition {index + 1} alone')
    return found


def text_of(path, finding):
    """The finding with the source's text instead of its number, which would change with every edit."""
    what, number, *rest = finding.split(' ')
    with open(path) as source:
        line = source.read().split('\n')[int(number) - 1].strip()
    return ' '.join([what, *rest]) + ': ' + line


def main():
    root, list_path, corpus, *fixtures = sys.argv[1:]
    root = os.path.abspath(root)
    clang, profdata, cov = tool('clang'), tool('llvm-profdata'), tool('llvm-cov')
    with tempfile.TemporaryDirectory() as work:
        programs = compile_all(clang, root, work)
        run_all(programs, corpus, fixtures, work)
        subprocess.check_call([profdata, 'merge', '-o', f'{work}/all', *glob.glob(work + '/*.profraw')])
        objects = [word for name in programs for word in ('-object', f'{work}/{name}')][1:]
        answer = subprocess.run([cov, 'export', f'-instr-profile={work}/all', *objects],
                                capture_output=True, text=True, check=True)
    data = json.loads(answer.stdout)['data'][0]
    source = root + '/libelfparse/src/'
    totals = collections.Counter()
    print(f'{"file":14} {"lines":>12} {"branches":>12} {"MC/DC":>12}')
    for file in sorted(data['files'], key=lambda file: file['filename']):
        if file['filename'].startswith(source):
            cells = []
            for kind in ('lines', 'branches', 'mcdc'):
                part = file['summary'][kind]
                totals[kind, 'count'] += part['count']
                totals[kind, 'covered'] += part['covered']
                cells.append(f'{part["covered"]}/{part["count"]}')
            print(f'{file["filename"][len(source):]:14} {cells[0]:>12} {cells[1]:>12} {cells[2]:>12}')
    cells = [f'{100 * totals[k, "covered"] / totals[k, "count"]:.2f} %' for k in ('lines', 'branches', 'mcdc')]
    print(f'{"all":14} {cells[0]:>12} {cells[1]:>12} {cells[2]:>12}')
    # An inline function of a header, or one that several programs have, is missed if all miss it.
    findings = {}
    for function in data['functions']:
        path = function['filenames'][0]
        if path.startswith(source):
            name = path[len(source):] + ' ' + function['name'].split(':')[-1]
            here = {text_of(path, finding) for finding in missed(function)}
            findings[name] = findings.get(name, here) & here
    have = {f'{name} {finding}' for name, all_of_it in findings.items() for finding in all_of_it}
    with open(list_path) as lines:
        excused = {line.split('  # ')[0].strip() for line in lines if line.strip() and not line.startswith('#')}
    for line in sorted(have - excused):
        print('missed:', line)
    for line in sorted(excused - have):
        print('excused, but not missed:', line)
    print(f'{len(have & excused)} excused, {len(have - excused)} missed')
    return have != excused


if __name__ == '__main__':
    sys.exit(main())
