#!/usr/bin/env python3
"""services.py [TARGET...]: runs build.sh with the variables of ClusterFuzzLite and OSS-Fuzz for libFuzzer with
AddressSanitizer, and checks what it leaves in $OUT by their rules. By command: all targets take minutes."""
import os
import re
import subprocess
import sys
import tempfile
import zipfile

FUZZ = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLAGS = '-O1 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link'
EDGES = 100


def check(out, name, environ):
    """Complaints about a target."""
    path = os.path.join(out, name)
    with zipfile.ZipFile(path + '_seed_corpus.zip') as archive, tempfile.TemporaryDirectory() as seeds:
        archive.extractall(seeds)
        if not os.listdir(seeds):
            yield 'has no seeds'
        done = subprocess.run([path, '-runs=0', seeds], capture_output=True, text=True, errors='replace', check=False,
                              env=environ, cwd=out)
    edges = re.search(r'INITED cov: (\d+)', done.stderr)
    if done.returncode or not edges or int(edges[1]) < EDGES:
        yield f'ends with {done.returncode} after {edges[1] if edges else "no"} edges'
    if subprocess.run([path, '-runs=1'], capture_output=True, check=False, env=environ, cwd=out).returncode:
        yield 'does not start without input'
    with open(path + '.options', encoding='utf-8') as text:
        options = dict(line.split(' = ') for line in text.read().split('[libfuzzer]\n')[1].splitlines())
    if 'dict' in options and not os.path.exists(os.path.join(out, options['dict'])):
        yield f'names the dictionary {options["dict"]}, which is not there'


def main():
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, 'out')
        os.mkdir(out)
        environ = dict(os.environ, OUT=out, WORK=work, SRC=os.path.dirname(FUZZ), CC='clang-19', CXX='clang++-19',
                       CFLAGS=FLAGS, CXXFLAGS=FLAGS, LIB_FUZZING_ENGINE='-fsanitize=fuzzer', SANITIZER='address',
                       FUZZING_ENGINE='libfuzzer', ARCHITECTURE='x86_64')
        subprocess.run([os.path.join(FUZZ, 'build.sh'), *sys.argv[1:]], env=environ, check=True)
        names = sorted(name for name in os.listdir(out) if '.' not in name)
        bad = [f'{name} {complaint}' for name in names for complaint in check(out, name, os.environ)]
        print('\n'.join(bad + [f'{len(names)} targets, {len(bad)} complaints']))
        sys.exit(1 if bad or not names else 0)


main()
