#!/usr/bin/env python3
"""Performs the recipes of CONTRIBUTING.md on a copy of the tree, and checks what it names; in TAP.

    recipes.py SOURCE-ROOT BUILD-ROOT

A recipe's edit is a sentence like "In `FILE`, replace|after `TEXT`" or "New file `FILE`:", and the block that
follows it.  Every edit must apply; what it makes of C files must compile, the table of system calls must have
a handler for each call, a scenario must have the keys that others have.  Commands are not run: their programs,
files, tests and targets must exist.
"""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
EDIT = re.compile(r'^(?:In|New file) `(?P<file>[^`]+)`'
                  r'(?:, (?P<how>replace|after) (?P<tick>`+)(?P<anchor>.+?)(?P=tick))?(?=[,: ]).*?\n\n'
                  r'```\w*\n(?P<block>.*?)^```', re.M | re.S)
KERNEL = ['gcc', '-std=c17', '-ffreestanding', '-fno-pic', '-mcmodel=kernel', '-mgeneral-regs-only', '-Ikernel']
HOSTED = ['gcc', '-std=gnu17', '-Ikernel', '-Ikernel/tests']
FUZZED = ['gcc', '-std=gnu17', '-Ilibvfs/include', '-Ilibvfs/src']
SUITES = {'unit', 'fuzz', 'guest', 'bochs', 'proof', 'mutation', 'coverage', 'page'}
FLAGS = ['-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-Ilibelfparse/include', '-Ilibvfs/include',
         '-fsyntax-only']


def edits(text):
    return [match.groupdict() for match in EDIT.finditer(text)]


def apply(edit, root):
    """Performs an edit; returns the complaint, or None."""
    path = root / edit['file']
    if not edit['how']:
        if path.exists():
            return f'{edit["file"]} is not new'
        path.write_text(edit['block'], encoding='utf-8')
        return None
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.rstrip('\n') == edit['anchor']]
    if len(places) != 1:
        return f'{edit["file"]} has {len(places)} lines {edit["anchor"]!r}'
    lines[places[0]:places[0] + 1] = ([] if edit['how'] == 'replace' else [lines[places[0]]]) + [edit['block']]
    path.write_text(''.join(lines), encoding='utf-8')
    return None


def compiles(root, file):
    """What the compiler says about an edited C file."""
    flags = HOSTED if '/tests/' in file else FUZZED if file.startswith('fuzz/') else KERNEL
    done = subprocess.run([*flags, *FLAGS, file], cwd=root, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def run(root, *command):
    done = subprocess.run([sys.executable, *command], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def scenario_keys(path, block):
    """Whether the scenario of a block is whole, read from the edited file, and the keys of its steps."""
    name, = tomllib.loads(block)
    plan = tomllib.loads(path.read_text(encoding='utf-8'))[name]
    return {'title', 'words', 'step'} <= plan.keys(), {key for step in plan['step'] for key in step}


def results(root, found):
    """(name, complaint) of each thing that was tried."""
    for edit in found:
        yield f'the edit of {edit["file"]} applies', apply(edit, root)
    for file in sorted({edit['file'] for edit in found if edit['file'].endswith('.c')}):
        yield f'{file} compiles afterwards', compiles(root, file)
    yield 'each call has a handler with typed arguments', run(root, 'kernel/tests/typed_calls.py', 'kernel/syscall')
    yield 'the READMEs know what was added', run(root, '.ci/figures.py', '.')
    for edit in (edit for edit in found if edit['file'].endswith('.toml')):
        file = edit['file']
        whole, keys = scenario_keys(root / file, edit['block'])
        known = {'stop', 'program', 'stack_pages', 'on_demand'}
        yield f'{file} is a scenario', None if whole and keys <= known else f'it has {sorted(keys)}'


def introspected(kind):
    path = BUILD / f'meson-info/intro-{kind}.json'
    return [item['name'] for item in json.loads(path.read_text(encoding='utf-8'))] if path.exists() else []


def commands(text):
    for block in re.findall(r'^```sh\n(.*?)^```', text, re.M | re.S):
        yield from (shlex.split(line) for line in block.splitlines())


def unknown_tests(words):
    """The words of a command that are neither suites nor tests of this build."""
    tests = set(introspected('tests'))
    if 'fuzz' in words and 'fuzz_elfparse' not in tests:
        return  # a build without clang has none of that suite
    for word in words:
        if tests and not word.startswith('-') and word not in tests | SUITES:
            yield f'no test {word}'


def unknown_in_documents():
    """The same for all commands `umbra test` of the documents and the help."""
    for path in [*ROOT.glob('*.md'), *ROOT.glob('*/README.md'), ROOT / 'boot/help.txt']:
        for line in re.findall(r'umbra test +((?:(?!  )[^`#\n\[])+)', path.read_text(encoding='utf-8')):
            yield from (f'{path.relative_to(ROOT)}: {complaint}' for complaint in unknown_tests(shlex.split(line)))


def unknown(text):
    """What commands and sentences name and is not there."""
    targets = set(introspected('targets'))
    for words in commands(text):
        if words[:2] == ['meson', 'test']:
            yield from unknown_tests(words[4:])
        elif words[0] == 'ninja':
            yield from (f'no target {name}' for name in words[3:]
                        if targets and pathlib.Path(name).name not in targets)
        elif words[0] not in ('meson', './umbra', 'python3'):
            yield f'unknown command {words[0]}'
        if words[0] == 'python3' and not (ROOT / words[1]).exists():
            yield f'no file {words[1]}'
    umbra = (ROOT / 'umbra').read_text(encoding='utf-8')
    for command in re.findall(r'\./umbra (\w+)', text):
        if f'command_{command}()' not in umbra:
            yield f'no command umbra {command}'
    made = {edit['file'] for edit in edits(text)}
    for name in re.findall(r'`([\w.-]+(?:/[\w.-]+)+|\.ci/\w+|\w+\.(?:txt|build|md))`', text):
        if not (ROOT / name).exists() and name not in made and name != 'fuzz/corpus/fuzz_vfs_digits.txt':
            yield f'no file {name}'


def identifiers(text):
    """Names in the list of places of a rule that the file named with them does not have."""
    for item in re.findall(r'^\d\. (.*?)(?=^\d\. |\n\n)', text, re.M | re.S):
        for names, file in re.findall(r'((?:`[^`/]+`(?:,? and | or its neighbours)?)+) in `([^`]+\.[ch])`', item):
            source = (ROOT / file).read_text(encoding='utf-8')
            for name in re.findall(r'`([^`]+)`', names):
                if name not in source:
                    yield f'{file} has no {name}'


def main():
    text = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    found, number, failed = edits(text), 0, False
    with tempfile.TemporaryDirectory(prefix='umbra-recipes.') as scratch:
        copy = pathlib.Path(scratch, 'tree')
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(
            '.git', 'build*', 'corpus', '__pycache__'))
        everything = [*results(copy, found),
                      ('there are recipes', None if len(found) >= 7 else f'{len(found)} edits were found'),
                      ('commands, tests, targets and files exist', '\n'.join(unknown(text))),
                      ('tests that documents name exist', '\n'.join(unknown_in_documents())),
                      ('names of the rule recipe exist', '\n'.join(identifiers(text)))]
    for number, (name, complaint) in enumerate(everything, 1):
        print(f'{"not ok" if complaint else "ok"} {number} - {name}')
        for line in (complaint or '').splitlines():
            print(f'# {line}')
        failed = failed or bool(complaint)
    print(f'1..{number}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
