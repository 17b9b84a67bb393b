"""Programs to run: where they are built, with what environment, and which arguments an engine takes."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

from . import build, table

sys.path.insert(0, table.FUZZ)
import corpus as corpus_lists  # noqa: E402

SANITIZE = {
    'address': '-fsanitize=address,undefined -fno-sanitize-recover=all',
    'memory': '-fsanitize=memory -fsanitize-memory-track-origins=2',
    'integer': '-fsanitize=undefined,implicit-conversion -fno-sanitize-recover=all',
    'none': '',
}
COMMON = '-O1 -fno-omit-frame-pointer'


def first(*names):
    """The first of the programs that is installed."""
    for name in names:
        if shutil.which(name):
            return name
    return None


def versions(name):
    return [f'{name}-{number}' for number in range(21, 13, -1)] + [name]


def compilers(engine, sanitizer):
    """CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE for one of our builds; those that the user sets are kept."""
    clang = first('clang-19', *versions('clang'))
    flags = f'{COMMON} {SANITIZE[sanitizer]}'
    main = os.path.join(table.FUZZ, 'replay_main.c')
    if engine == 'replay':
        cc = 'gcc' if sanitizer in ('address', 'none') else clang
        values = {'CC': cc, 'CXX': cc, 'LIB_FUZZING_ENGINE': shlex.quote(main)}
    elif engine == 'afl':
        cc = first('afl-clang-fast')
        values = {'CC': cc, 'CXX': cc, 'LIB_FUZZING_ENGINE': '-fsanitize=fuzzer'}
    else:
        cc = clang
        values = {'CC': cc, 'CXX': cc, 'LIB_FUZZING_ENGINE': '-fsanitize=fuzzer'}
        flags += ' -fsanitize=fuzzer-no-link'
    if not cc and 'CC' not in os.environ:
        wanted = {'afl': 'afl-clang-fast (afl++)'}.get(engine, 'clang')
        raise table.Error(f'{engine} with {sanitizer} needs {wanted}; `--engine replay` needs only gcc')
    values.update(CFLAGS=flags, CXXFLAGS=flags)
    return {**{key: value for key, value in values.items() if value}, **os.environ}


def environment():
    """What a target runs with: a symbolizer, which the runtime seeks without a version in its name."""
    found = dict(os.environ)
    tool = first(*versions('llvm-symbolizer'))
    if tool:
        for name in ('ASAN', 'MSAN', 'UBSAN'):
            found.setdefault(name + '_SYMBOLIZER_PATH', shutil.which(tool))
    found.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1')
    return found


class Programs:
    """Builds targets and unpacks their seeds, or takes both ready from a folder (--programs)."""

    def __init__(self, options):
        self.ready = options.programs
        self.engine, self.sanitizer, self.jobs = options.engine, options.sanitizer, options.jobs
        self.build = os.path.join(table.ROOT, 'build')

    def path(self, target):
        if self.ready:
            return os.path.join(os.path.abspath(self.ready), target.name)
        if self.sanitizer not in target.sanitizers:
            raise table.Error(f'{target.name} does not run with the sanitizer {self.sanitizer}, see fuzz/targets.txt')
        if self.is_for_tests():
            return self.make([target])[0]
        print(f'umbra: {target.name}: the build for {self.engine} with {self.sanitizer}', file=sys.stderr, flush=True)
        return self.build_as(target, compilers(self.engine, self.sanitizer), f'{self.engine}-{self.sanitizer}')

    def is_for_tests(self):
        """Whether it is the build that the tests use."""
        return not self.ready and self.engine == 'libfuzzer' and self.sanitizer == 'address'

    def make(self, targets):
        """Makes that build of the targets, at the same time, and says so if there is anything to do; their paths."""
        folders = {'fuzz_elf': 'elfparse', 'fuzz_vfs': 'vfs'}
        paths = [f'fuzz/{folders.get(target.name[:8], "kernel")}/{target.name}' for target in targets]
        command, started = ['ninja', '-C', self.build, *paths], time.monotonic()
        steps = re.findall(r'^\[\d+/(\d+)\]', quietly([*command, '-n']), re.M)
        if steps:
            names = targets[0].name if len(targets) == 1 else f'{len(targets)} targets'
            print(f'umbra: building {names}, {steps[-1]} steps', file=sys.stderr, flush=True)
            quietly(command)
            print(f'umbra: built in {time.monotonic() - started:.0f} s', file=sys.stderr, flush=True)
        return [os.path.join(self.build, path) for path in paths]

    def build_as(self, target, environ, folder):
        descriptions = os.path.join(self.build, 'fuzz', 'targets')
        builder = build.Builder(os.path.join(self.build, 'fuzz', 'engines', folder), environ, self.jobs)
        try:
            return builder.build(build.describe(descriptions, target.name))
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            raise table.Error(f'{target.name} cannot be built: {error}') from error

    def seeds(self, target):
        """A folder with the committed corpus."""
        if self.ready:
            folder = os.path.join(os.path.abspath(self.ready), target.name + '.seeds')
            return folder if os.path.isdir(folder) else None
        if target.corpus == 'elfparse':
            quietly(['ninja', '-C', self.build, 'libelfparse/tests/corpus.stamp'])
            return os.path.join(self.build, 'libelfparse', 'tests', 'corpus')
        if not target.list or not os.path.exists(target.list):
            return None
        folder = os.path.join(self.build, 'fuzz', 'seeds', target.name)
        corpus_lists.unpack(target.list, folder)
        return folder


def quietly(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise table.Error('failed: ' + shlex.join(command))
    return done.stdout


def commit():
    """The commit, with a plus if the tree has changes; `unknown` outside a checkout."""
    def git(*words):
        return subprocess.run(['git', '-C', table.ROOT, *words], capture_output=True, text=True, check=False)
    head = git('rev-parse', '--short=12', 'HEAD')
    if head.returncode:
        return 'unknown'
    return head.stdout.strip() + ('+' if git('status', '--porcelain', '-uno').stdout.strip() else '')


def compiler_version(environ):
    done = subprocess.run(shlex.split(environ['CC']) + ['--version'], capture_output=True, text=True, check=False)
    return done.stdout.split('\n', 1)[0]
