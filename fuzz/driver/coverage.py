"""What the corpora of a run reach, by target and all together, next to what unit tests reach."""
import json
import os
import subprocess

from . import build, engines, table

FLAGS = '-O1 -fprofile-instr-generate -fcoverage-mapping'
PARTS = ('libelfparse/src', 'libvfs/src', 'kernel')


def tools():
    found = [engines.first(*engines.versions(name)) for name in ('clang', 'llvm-profdata', 'llvm-cov')]
    if not all(found):
        raise table.Error('coverage needs clang, llvm-profdata and llvm-cov')
    return found


class Program:
    """A program with its profile."""

    def __init__(self, name, path, profile):
        self.name, self.path, self.profile = name, path, profile


def run(program, arguments):
    done = subprocess.run([program.path] + arguments, capture_output=True, text=True, errors='replace', check=False,
                          env=dict(os.environ, LLVM_PROFILE_FILE=program.profile, VFS_FUZZ_EFFORT='all'))
    if done.returncode:
        raise table.Error(f'{program.name} failed: {(done.stdout + done.stderr)[-2000:]}')


def totals(cov, profile, programs):
    """For each part of the sources: lines, lines run, branches, branches taken."""
    objects = [word for program in programs for word in ('-object', program.path)][1:]
    done = subprocess.run([cov, 'export', '-summary-only', f'-instr-profile={profile}', *objects],
                          capture_output=True, text=True, check=True)
    found = {}
    for file in json.loads(done.stdout)['data'][0]['files']:
        name = os.path.relpath(os.path.realpath(file['filename']), table.ROOT)
        part = next((part for part in PARTS if name.startswith(part + '/')), None)
        if not part or name.startswith(('kernel/host', 'kernel/tests')) or not name.endswith('.c'):
            continue
        row = found.setdefault(part, [0, 0, 0, 0])
        for at, kind in ((0, 'lines'), (2, 'branches')):
            row[at] += file['summary'][kind]['count']
            row[at + 1] += file['summary'][kind]['covered']
    return found


def show(name, found):
    for part, (lines, run_lines, branches, taken) in sorted(found.items()):
        print(f'{name:21} {part:16} lines {run_lines:6} of {lines:6} {100 * run_lines / max(1, lines):6.1f} %   '
              f'branches {taken:6} of {branches:6} {100 * taken / max(1, branches):6.1f} %', flush=True)


def coverage(options, targets, base):
    clang, profdata, cov = tools()
    folder = os.path.join(table.ROOT, 'build', 'fuzz', 'engines', 'coverage')
    environ = {'CC': clang, 'CXX': clang, 'CFLAGS': FLAGS, 'CXXFLAGS': FLAGS,
               'LIB_FUZZING_ENGINE': os.path.join(table.FUZZ, 'replay_main.c')}
    builder = build.Builder(folder, environ, options.jobs)
    seeds, programs, units = engines.Programs(options), [], []
    for target in table.choose(targets, options.words):
        program = Program(target.name, builder.build(build.describe(descriptions(), target.name)),
                          os.path.join(folder, target.name + '.profraw'))
        kept = table.State(base, target)
        run(program, [path for path in (kept.corpus, seeds.seeds(target)) if path and os.path.isdir(path)])
        programs.append(program)
        show(target.name, totals(cov, merged(profdata, folder, target.name, [program]), [program]))
    builder.engine = ['-lcmocka', '-lelf']
    for name in unit_tests(programs):
        program = Program(name, builder.build(build.describe(descriptions('units'), name)),
                          os.path.join(folder, name + '.profraw'))
        run(program, [])
        units.append(program)
    for name, those in (('all corpora', programs), ('unit tests', units), ('both', programs + units)):
        show(name, totals(cov, merged(profdata, folder, name.replace(' ', '-'), those), those) if those else {})
    if options.html:
        objects = [word for program in programs + units for word in ('-object', program.path)][1:]
        subprocess.run([cov, 'show', '--format=html', f'--output-dir={options.html}',
                        '-instr-profile=' + os.path.join(folder, 'both.profdata'), *objects,
                        *(os.path.join(table.ROOT, part) for part in PARTS)], check=True)
        print(f'{options.html}/index.html')
    return 0


def descriptions(kind='targets'):
    return os.path.join(table.ROOT, 'build', 'fuzz', kind)


def unit_tests(programs):
    """The unit tests of what the targets test."""
    kinds = {('vfs' if '_vfs_' in p.name else 'elfparse' if '_elfparse' in p.name else 'kernel') for p in programs}
    folder = descriptions('units')
    names = sorted(name[:-5] for name in os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in names if name.split('_')[0] in kinds]


def merged(profdata, folder, name, programs):
    out = os.path.join(folder, name + '.profdata')
    subprocess.run([profdata, 'merge', '-o', out] + [program.profile for program in programs], check=True)
    return out
