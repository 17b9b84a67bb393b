#!/usr/bin/env python3
"""Compares lists, constants and figures in the documents with their sources; reports in TAP.

    figures.py SOURCE-ROOT

Next to it kernel/tests/readme.py compares the lists of the kernel's documents, and user/tests/test_user.py the
tables of user/README.md.
"""
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()

# (document, an expression with a number, source, an expression with the same number)
NUMBERS = (
    ('kernel/README.md', r'One frame in (\d+), at least', 'kernel/mm/frame.c', r'RESERVE_SHARE (\d+)'),
    ('kernel/README.md', r'quarantine of up to (\d+) KiB', 'kernel/sanitize/memory.h',
     r'QUARANTINE_SIZE +\(\(size_t\)(\d+)\b'),
    ('kernel/README.md', r'RLIMIT_NOFILE, of a process \| (\d+)', 'kernel/file/files.h', r'FILES_MAX (\d+)'),
    ('kernel/README.md', r'in steps of (\d+) pages', 'kernel/syscall/resize.c', r'CHUNK \(\(size_t\)(\d+)\)'),
    ('kernel/README.md', r'lie at most ([\d,]+) instructions', 'user/tests/bound/main.c', r'LIMIT +(\d+)u'),
    ('kernel/README.md', r'stack ends at `(0x\w+)`', 'kernel/arch/layout.h', r'STACK_TOP ADDRESS\((0x\w+)\)'),
    ('kernel/README.md', r'\| `(0x\w+)` \| direct map', 'kernel/arch/layout.h', r'DIRECT_MAP +ADDRESS\((0x\w+)\)'),
    ('kernel/README.md', r'\| `(0x\w+)` \| kernel stacks', 'kernel/arch/layout.h', r'KSTACK_BASE +ADDRESS\((0x\w+)\)'),
    ('README.md', r'(0x\w+)   top of the user stack', 'kernel/arch/layout.h', r'STACK_TOP ADDRESS\((0x\w+)\)'),
    ('README.md', r'(0x\w+)   all physical memory', 'kernel/arch/layout.h', r'DIRECT_MAP +ADDRESS\((0x\w+)\)'),
    ('README.md', r'(0x\w+)   the kernel: text', 'kernel/arch/layout.h', r'KERNEL_BASE +ADDRESS\((0x\w+)\)'),
    ('libvfs/README.md', r'freed by calls of `(umvfs_reap)', 'libvfs/include/umvfs/vfs.h', r'\b(umvfs_reap)\('),
    ('fuzz/README.md', r'freed objects stay poisoned until (\d+) others', 'kernel/host/alloc.c', r'QUARANTINE (\d+)'),
    ('SECURITY.md', r'\| (\d+\.\d+)\.x \| yes', 'meson.build', r"version: '(\d+\.\d+)\."),
    ('boot/README.md', r'than\s+(\d+) arguments or 1 KB', 'boot/program.py', r'WORDS_LIMIT = 1024, (\d+) '),
    ('boot/README.md', r'Bochs has (\d+)\s+breakpoints', 'boot/debugger/bochs.py', r'SLOTS = (\d+)'),
    ('boot/README.md', r'There can be (\d+);', 'boot/same.py', r'MAX_EXCEPTIONS = (\d+)'),
    ('boot/README.md', r'in episodes of (\d+), each', 'user/tests/same/world.h', r'EPISODE_CALLS (\d+)'),
    ('boot/README.md', r'GRUB loads about (\d+) MB', 'boot/program.py', r'GRUB_MEGABYTES_PER_SECOND = (\d+)'),
    ('boot/README.md', r'above (\d+) MB the time is printed', 'boot/program.py', r'BOCHS_LIMIT = (\d+), '),
    ('boot/README.md', r'above (\d+) MB\s+Bochs is refused', 'boot/program.py', r'BOCHS_LIMIT = \d+, (\d+)'),
    ('boot/README.md', r'changes by more than (\d+) %', 'boot/ticks.py', r'TOLERANCE = 0\.0(\d)'),
    ('CHANGELOG.md', r'## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d', 'meson.build', r"  version: '(\d[\d.]*)'"),
)
# Entries of a launch file (reference of the extension C/C++ for Visual Studio Code, "launch.json").
LAUNCH = {'name', 'type', 'request', 'program', 'args', 'cwd', 'environment', 'stopAtEntry', 'externalConsole',
          'MIMode', 'miDebuggerPath', 'miDebuggerArgs', 'miDebuggerServerAddress', 'setupCommands',
          'customLaunchSetupCommands', 'launchCompleteCommand', 'pipeTransport', 'sourceFileMap', 'logging'}
PIPE = {'pipeCwd', 'pipeProgram', 'pipeArgs', 'pipeEnv', 'debuggerPath', 'quoteArgs'}
# Limits of libvfs whose value the README writes in words or as an expression.
UNITS = {'2^63 - 4096': 2**63 - 4096}


# Files that may name others; a path below one of the folders; kinds of files that a build makes; files that are
# examples, or not of this repository.
NAMING = {'.md', '.c', '.h', '.S', '.py', '.build', '.txt', '.tsv', '.toml', '.sh', '.def'}
NAMED = re.compile(r'(?<![\w./-])((?:kernel|boot|user|fuzz|libvfs|libelfparse|doc|\.ci|\.github)/[\w./-]*\w)')
MADE = {'.o', '.a', '.elf', '.iso', '.cpio', '.stamp', '.so'}
OTHERS = {'fuzz/corpus/fuzz_vfs_digits.txt', 'fuzz/vfs/fuzz_digits.c', 'boot/grub/grub.cfg', 'boot/multiboot2.h',
          'kernel/configs/hardening.config', 'libelfparse/package/elfparse.h', 'libelfparse/package/umvfs.h'}


def text(path):
    return (ROOT / path).read_text(encoding='utf-8')


def value(word):
    """The number that a document or a source writes, or the word itself."""
    word = word.replace(',', '')
    try:
        return int(word, 0)
    except ValueError:
        return word


def section(path, name):
    return re.search(rf'^## {name}\n(.*?)(?=^## |\Z)', text(path), re.M | re.S)[1]


def first_cells(table):
    return [row.split('|')[1] for row in re.findall(r'^\|.*', table, re.M)[2:]]


def names(pattern, where):
    return sorted(set(re.findall(pattern, where)))


def numbers():
    for document, told, source, true in NUMBERS:
        if not (ROOT / source).exists():
            yield f'{source} is not there any more'
            continue
        said, is_ = re.search(told, text(document)), re.search(true, text(source))
        if not said or not is_:
            yield f'{document if not said else source} has nothing like {told if not said else true}'
        elif value(said[1]) != value(is_[1]):
            yield f'{document} says {said[1]}, {source} has {is_[1]}'


def fuzz_targets():
    """Targets that only one of fuzz/README.md, fuzz/targets.txt and the build files has."""
    told = names(r'`(fuzz_\w+)`', ' '.join(first_cells(text('fuzz/README.md'))))
    driven = [line.split()[0] for line in text('fuzz/targets.txt').splitlines() if line.startswith('fuzz_')]
    sources = {path.stem for folder in ('fuzz', 'fuzz/kernel') for path in (ROOT / folder).glob('fuzz_*.c')}
    built = set(re.findall(r"^  '(fuzz_vfs_\w+)': ", text('fuzz/vfs/meson.build'), re.M)) | sources
    yield from (f'{name} is in one of README and build only' for name in sorted(set(told) ^ built))
    yield from (f'{name} is in one of README and targets.txt only' for name in sorted(set(told) ^ set(driven)))


def vfs_limits():
    constants = dict(re.findall(r'#define (UMVFS_\w+_MAX) +(\w+?)u?(?:ll)?\b', text('libvfs/include/umvfs/types.h')))
    rows = re.findall(r'^\| `(UMVFS_\w+)` \| ([^|]+?)(?: bytes.*?)? \|', section('libvfs/README.md', 'Limits'), re.M)
    for name, said in rows:
        if UNITS.get(said, value(said)) != value(constants.get(name, 'nothing')):
            yield f'libvfs/README.md says {name} is {said}, types.h {constants.get(name)}'


def headers(library, folder, pattern):
    """Public headers that the table of a library's README does not have, and the reverse."""
    told = set(re.findall(pattern, ' '.join(first_cells(text(f'{library}/README.md')))))
    there = {path.name for path in (ROOT / library / 'include' / folder).glob('*.h')}
    yield from (f'{name} is in one of {library}/README.md and include/{folder} only'
                for name in sorted(told ^ there - {'elfparse.h', 'base.h'}))


def rules():
    told = [cell.strip() for cell in first_cells(section('libelfparse/README.md', 'Rules'))]
    listed = re.findall(r'ELFPARSE_RULE_([A-Z]\d+)', text('libelfparse/include/elfparse/error.h'))
    if told != listed:
        yield f'the README has {told}, error.h {listed}'
    sentences = re.findall(r'^    \{"([ELO]\d+)", "', text('libelfparse/src/error.c'), re.M)
    if sentences != listed:
        yield f'error.c has {sentences}, error.h {listed}'


def codes():
    """Codes of the table of rules that do not exist."""
    known = set(re.findall(r'ELFPARSE_(E[A-Z]+)\s*=', text('libelfparse/include/elfparse/error.h')))
    for row in re.findall(r'^\| [ELO]\d+ .*', section('libelfparse/README.md', 'Rules'), re.M):
        for code in re.findall(r'\b(E[A-Z]{3,})\b(?!\.\.\.)', row.split('|')[3]):
            if code not in known:
                yield f'{code} does not exist'


def uninitialized():
    """HARDENING's number of variables that are exempt from -ftrivial-auto-var-init."""
    said = int(re.search(r'With (\d+)\s+exempt variables', text('kernel/HARDENING.md'))[1])
    count = sum(len(re.findall(r'^\s+UNINITIALIZED\b', path.read_text(encoding='utf-8'), re.M))
                for folder in ('exec', 'file', 'mm', 'proc', 'syscall', 'trap', 'task')
                for path in (ROOT / 'kernel' / folder).glob('*.c'))
    if said != count:
        yield f'HARDENING.md says {said}, the sources have {count}'


def figures():
    """Figures of HARDENING.md that kernel/README.md states otherwise."""
    row = {name: int(number.replace(',', '')) for name, number in
           re.findall(r'^\| ([^|]+?) \| ([\d,]+) \|', section('kernel/README.md', 'Figures'), re.M)}
    told = re.search(r'a system call that does nothing takes (\d+)', text('kernel/HARDENING.md'))
    if told and int(told[1]) != row['a system call that does nothing']:
        yield f'HARDENING.md says {told[1]}, README.md {row["a system call that does nothing"]}'


def baselines():
    """Rows of the benchmark without a baseline, and baselines without a row."""
    rows = set(re.findall(r'ROW\("([^"]+)"', text('user/kbench.c')))
    known = {line.split('\t')[0] for line in text('boot/kbench.tsv').splitlines()[4:]} - {'row'}
    yield from (f'{name} is in one of kbench.c and kbench.tsv only' for name in sorted(rows ^ known))


def planted():
    """Faults of kernel/lib/planted.h and the kernels that are built with one."""
    listed = set(re.findall(r'\bPLANT_([A-Z_]+)\b', text('kernel/lib/planted.h'))) - {'NONE'}
    block = re.search(r"foreach fault : \[(.*?)\]", text('kernel/meson.build'), re.S)[1]
    built = set(re.findall(r"'([A-Z_]+)'", block))
    yield from (f'{name} is in one of planted.h and kernel/meson.build only' for name in sorted(listed ^ built))


def launch_file():
    """What is wrong with the launch file of boot/README.md."""
    launch = json.loads(re.search(r'^```json\n(.*?)^```', text('boot/README.md'), re.M | re.S)[1])
    for entry in launch['configurations']:
        yield from (f'there is no entry {key}' for key in entry.keys() - LAUNCH)
        yield from (f'a pipe has no entry {key}' for key in entry['pipeTransport'].keys() - PIPE)
        if not entry.keys() >= {'name', 'type', 'request', 'program', 'MIMode'} or launch['version'] != '0.2.0':
            yield 'an entry is missing'


def named_files():
    """Files that documents and comments name by their path from the root, and that are not there."""
    skipped = re.compile(r'/(build[\w-]*|\.git|\.cache|__pycache__|corpus|cache)/')
    for path in ROOT.rglob('*'):
        if path.suffix not in NAMING or skipped.search(f'/{path.relative_to(ROOT)}'):
            continue
        for match in NAMED.finditer(path.read_text(encoding='utf-8', errors='replace')):
            name = match[1].rstrip('.')
            folders = (ROOT, path.parent, *path.parents)
            if pathlib.PurePath(name).suffix in MADE or name in OTHERS or '.' not in pathlib.PurePath(name).name:
                continue
            if not any((folder / name).exists() for folder in folders):
                yield f'{path.relative_to(ROOT)}: {name} does not exist'


def links():
    """Relative links of documents that lead nowhere."""
    for path in [*ROOT.glob('*.md'), *ROOT.glob('*/*.md'), *ROOT.glob('libvfs/*/*.md')]:
        for target in re.findall(r'\]\((?!http|#)([^)#]+)', path.read_text(encoding='utf-8')):
            if not (path.parent / target).exists():
                yield f'{path.relative_to(ROOT)}: {target} does not exist'


def workflows():
    """Commands of workflows other than apt-get, git and scripts of .ci; parts that .ci/weekly does not have."""
    parts = set(re.search(r'set -- (planted .*)', text('.ci/weekly'))[1].split())
    for path in (ROOT / '.github/workflows').glob('*.yml'):
        content = path.read_text(encoding='utf-8')
        for command in re.findall(r'^ *- run: (?:>-\n +)?(\S+)', content, re.M):
            script = ROOT / command
            if command not in ('apt-get', 'git') and not (command.startswith('.ci/') and os.access(script, os.X_OK)):
                yield f'{path.name} runs {command}'
        for listed in re.findall(r'part: \[(.*)\]', content):
            yield from (f'{path.name}: .ci/weekly has no part {part}' for part in set(listed.split(', ')) ^ parts)


CHECKS = {
    'numbers of the documents are those of the sources': numbers,
    'fuzz/README.md lists each target': fuzz_targets,
    "libvfs/README.md's limits are those of types.h": vfs_limits,
    "libvfs/README.md lists each header": lambda: headers('libvfs', 'umvfs', r'`umvfs/(\w+\.h)`'),
    "libelfparse/README.md lists each header": lambda: headers('libelfparse', 'elfparse', r'`(\w+\.h)`'),
    "libelfparse/README.md's rules are those of error.h and error.c": rules,
    "codes in the table of rules exist": codes,
    'HARDENING.md counts the variables without an initial value': uninitialized,
    'figures of HARDENING.md and kernel/README.md agree': figures,
    'each row of the benchmark has a baseline': baselines,
    'each planted fault is built': planted,
    'the launch file has entries that its editor knows': launch_file,
    'workflows run what .ci has': workflows,
    'links lead somewhere': links,
    'files that documents and comments name exist': named_files,
}


def main():
    failed = False
    print(f'1..{len(CHECKS)}')
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        wrong = list(check())
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        for line in wrong:
            print(f'# {line}')
        failed = failed or bool(wrong)
    return failed


if __name__ == '__main__':
    sys.exit(main())
