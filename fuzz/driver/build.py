#!/usr/bin/env python3
"""build.py --descriptions FOLDER --out FOLDER [--jobs N] [TARGET...]
build.py describe (--file FILE --args FLAG... --optional FLAG... --sources FILE... --no-asan FILE...)...

Builds targets from their descriptions with whatever compilers, flags and engine the environment names:
CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE. Adds no sanitizer. An object is compiled again if a file that it was
made from has changed. FOLDER/obj keeps the objects.

The second form writes descriptions, from paths of sources relative to the root of the repository. What is optional is a
library that the target uses where there is one; it has none in a build with MemorySanitizer, which would take its
results for uninitialised. The files of --no-asan are sources in a build without AddressSanitizer.
"""
import argparse
import concurrent.futures
import glob
import hashlib
import json
import os
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STANDARD = ['-std=gnu17', '-g']


def is_clang(compiler):
    done = subprocess.run(shlex.split(compiler) + ['--version'], capture_output=True, text=True, check=False)
    return 'clang' in done.stdout


class Builder:
    """Compiles with one set of flags into one folder."""

    def __init__(self, out, environ, jobs=1):
        self.out, self.jobs = out, jobs
        self.cc = shlex.split(environ.get('CC', 'cc'))
        self.cxx = shlex.split(environ.get('CXX', 'c++'))
        self.cflags = shlex.split(environ.get('CFLAGS', ''))
        self.cxxflags = shlex.split(environ.get('CXXFLAGS', environ.get('CFLAGS', '')))
        self.engine = shlex.split(environ.get('LIB_FUZZING_ENGINE', ''))
        self.clang = is_clang(self.cc[0])
        os.makedirs(os.path.join(out, 'obj'), exist_ok=True)

    def flags_of(self, description):
        """The target's own flags: for the compiler, for the linker."""
        wanted = list(description['args'])
        if not any('memory' in flag for flag in self.cflags if flag.startswith('-fsanitize=')):
            wanted += description['optional']
        link = [flag for flag in wanted if flag.startswith(('-Wl,', '-l'))]
        compile_flags = [flag for flag in wanted if flag not in link]
        if not self.clang:
            compile_flags = [flag for flag in compile_flags if 'sanitize-coverage' not in flag]
            compile_flags.append(f'-D__has_feature(x)={int(self.asan())}')  # which asks for AddressSanitizer alone
        elif '-DUMBRA_DEBUG' not in compile_flags or not self.sanitized():
            compile_flags = [flag for flag in compile_flags if 'coverage-ignorelist' not in flag]
        return compile_flags, link

    def sources_of(self, description):
        return description['sources'] + ([] if self.asan() else description['no-asan'])

    def asan(self):
        return any('address' in flag for flag in self.cflags if flag.startswith('-fsanitize='))

    def sanitized(self):
        return any(flag.startswith('-fsanitize=') for flag in self.cflags)

    def object_of(self, source, flags):
        key = hashlib.sha1('\0'.join([source, *self.cc, *self.cflags, *flags]).encode()).hexdigest()[:12]
        return os.path.join(self.out, 'obj', os.path.basename(source) + '-' + key + '.o')

    def compile(self, source, flags):
        made = self.object_of(source, flags)
        if not is_fresh(made):
            command = self.cc + STANDARD + flags + self.cflags + ['-MMD', '-c', source, '-o', made + '.new']
            subprocess.run(command + ['-MF', made[:-1] + 'd'], check=True)
            os.replace(made + '.new', made)
        return made

    def build(self, description):
        """Builds a target; returns its path."""
        flags, link = self.flags_of(description)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            objects = list(pool.map(lambda source: self.compile(source, flags), self.sources_of(description)))
        engine = []
        for word in self.engine:  # an engine may be a source, as the replay is
            engine.append(self.compile(word, []) if word.endswith('.c') else word)
        path = os.path.join(self.out, description['name'])
        newest = max(os.path.getmtime(made) for made in objects)
        if not os.path.exists(path) or os.path.getmtime(path) <= newest:
            command = self.cxx + self.cxxflags + objects + engine + link + ['-o', path + '.new']
            subprocess.run(command, check=True)
            os.replace(path + '.new', path)
        return path


def is_fresh(made):
    """Whether an object is newer than all files of its rule."""
    try:
        with open(made[:-1] + 'd', encoding='utf-8') as rule:
            files = shlex.split(rule.read().replace('\\\n', ' ').split(':', 1)[1])
        made_at = os.path.getmtime(made)
        return all(os.path.getmtime(file) < made_at for file in files)
    except (OSError, IndexError, ValueError):
        return False


def describe(folder, name):
    with open(os.path.join(folder, name + '.json'), encoding='utf-8') as text:
        return json.load(text)


def write_descriptions(words):
    kind = path = None
    described = {}
    for word in words:
        if word in ('--file', '--args', '--optional', '--sources', '--no-asan'):
            kind = word[2:]
        elif kind == 'file':
            path = word
            name = os.path.basename(path).removesuffix('.json')
            described[path] = {'name': name, 'args': [], 'optional': [], 'sources': [], 'no-asan': []}
        elif kind in ('sources', 'no-asan'):
            word = os.path.realpath(os.path.join(ROOT, word))
            if word not in described[path][kind]:
                described[path][kind].append(word)
        else:
            described[path][kind].append(word)
    for path, description in described.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as out:
            json.dump(description, out, indent=1)


def main():
    if sys.argv[1:2] == ['describe']:
        write_descriptions(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--descriptions', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    parser.add_argument('targets', nargs='*')
    options = parser.parse_args()
    names = options.targets or sorted(os.path.basename(path)[:-5] for path in
                                      glob.glob(os.path.join(options.descriptions, '*.json')))
    builder = Builder(options.out, os.environ, options.jobs)
    for name in names:
        print(builder.build(describe(options.descriptions, name)), flush=True)


if __name__ == '__main__':
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f'build: failed: {shlex.join(error.cmd)}')
