#!/usr/bin/env python3
"""services.py [--with BUILD]... [TARGET...]: runs build.sh with the variables that ClusterFuzzLite and OSS-Fuzz set for
each BUILD (address, undefined, memory, coverage, afl; all by default), and checks what it leaves in $OUT by their
rules: names, seeds, options, a start without input, a replay of the seeds, instrumented edges. All targets and builds
take half an hour."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

FUZZ = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMON = '-O1 -fno-omit-frame-pointer -gline-tables-only'
UNDEFINED = ('array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,'
             'shift,signed-integer-overflow,unreachable,vla-bound')
FLAGS = {  # what base-builder's Dockerfile sets, with the engine's part of its `compile`
    'address': '-fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link',
    'undefined': f'-fsanitize={UNDEFINED} -fno-sanitize-recover={UNDEFINED} -fsanitize=fuzzer-no-link',
    'memory': '-fsanitize=memory -fsanitize-memory-track-origins -fsanitize=fuzzer-no-link',
    'coverage': '-fprofile-instr-generate -fcoverage-mapping',
    'afl': '',
}
EDGES = 100


def environment(build, work, out):
    """The services' variables for one build, or None with a word where its compiler is not there."""
    engine = 'afl' if build == 'afl' else 'libfuzzer'
    names = ('afl-clang-fast', 'afl-clang-fast++') if build == 'afl' else ('clang-19', 'clang++-19')
    if not all(shutil.which(name) for name in names):
        print(f'{build}: skipped, {names[0]} is not installed')
        return None
    flags = f'{COMMON} {FLAGS[build]}'
    return dict(os.environ, OUT=out, WORK=work, SRC=os.path.dirname(FUZZ), CC=names[0], CXX=names[1], CFLAGS=flags,
                CXXFLAGS=flags, LIB_FUZZING_ENGINE='-fsanitize=fuzzer', ARCHITECTURE='x86_64', FUZZING_ENGINE=engine,
                SANITIZER='address' if build == 'afl' else build)


def edges_of(build, path, seeds):
    """How the target takes its seeds: status and instrumented edges, None where the build has none."""
    if build == 'afl':
        files = [os.path.join(seeds, name) for name in os.listdir(seeds)]
        done = subprocess.run([path, *files], capture_output=True, check=False, cwd=os.path.dirname(path))
        said = subprocess.run([path], capture_output=True, text=True, check=False, cwd=os.path.dirname(path),
                              env=dict(os.environ, AFL_DUMP_MAP_SIZE='1'))
        return done.returncode, int(said.stdout) if said.stdout.strip().isdigit() else None
    environ = dict(os.environ, LLVM_PROFILE_FILE=os.devnull)
    done = subprocess.run([path, '-runs=0', seeds], capture_output=True, text=True, errors='replace', check=False,
                          env=environ, cwd=os.path.dirname(path))
    edges = re.search(r'Loaded \d+ modules? .*(?:counters|guards)\): (\d+)', done.stderr)
    return done.returncode, int(edges[1]) if edges else None


def starts_with_afl(path):
    """Whether afl-fuzz comes to its first run of the target with one input, the services' rule for this engine: they
    ask for no number of edges that the seeds reach."""
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(os.path.join(work, 'in'))
        with open(os.path.join(work, 'in', 'input'), 'w', encoding='utf-8') as seed:
            seed.write('input')
        options = dict.fromkeys(('NO_UI', 'NO_AFFINITY', 'SKIP_CPUFREQ', 'NO_COLOR',
                                 'I_DONT_CARE_ABOUT_MISSING_CRASHES'), '1')
        options['FORKSRV_INIT_TMOUT'] = '30000'
        words = ['-i', f'{work}/in', '-o', f'{work}/out', '-m', 'none', '-t', '5000+', '-V', '2', '--', path]
        done = subprocess.run(['afl-fuzz', *words], capture_output=True, text=True, errors='replace', check=False,
                              cwd=os.path.dirname(path),
                              env={**os.environ, **{'AFL_' + name: value for name, value in options.items()}})
        return 'All set and ready to roll' in done.stdout


def check(build, out, name):
    """Complaints about a target."""
    path = os.path.join(out, name)
    with zipfile.ZipFile(path + '_seed_corpus.zip') as archive, tempfile.TemporaryDirectory() as seeds:
        archive.extractall(seeds)
        if not os.listdir(seeds):
            yield 'has no seeds'
        status, edges = edges_of(build, path, seeds)
    if status or (build != 'coverage' and (edges or 0) < EDGES):
        yield f'ends with {status} after {edges} edges'
    if build == 'afl':
        if not starts_with_afl(path):
            yield 'is not run by afl-fuzz'
    elif subprocess.run([path, '-runs=1'], capture_output=True, check=False, cwd=out,
                        env=dict(os.environ, LLVM_PROFILE_FILE=os.devnull)).returncode:
        yield 'does not start without input'
    with open(path + '.options', encoding='utf-8') as text:
        options = dict(line.split(' = ') for line in text.read().split('[libfuzzer]\n')[1].splitlines())
    if 'dict' in options and not os.path.exists(os.path.join(out, options['dict'])):
        yield f'names the dictionary {options["dict"]}, which is not there'


def run(build, targets):
    """Whether a build is as the services want it."""
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, 'out')
        os.mkdir(out)
        environ = environment(build, work, out)
        if environ is None:
            return True
        done = subprocess.run([os.path.join(FUZZ, 'build.sh'), *targets], env=environ, check=False, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        names = sorted(name for name in os.listdir(out) if '.' not in name)
        bad = [f'{name} {complaint}' for name in names for complaint in check(build, out, name)]
        if done.returncode or not names:
            bad.append(f'build.sh failed: {done.stderr[-2000:]}')
    print('\n'.join(bad + [f'{build}: {len(names)} targets, {len(bad)} complaints']), flush=True)
    return not bad


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--with', dest='builds', action='append', choices=FLAGS)
    parser.add_argument('targets', nargs='*')
    options = parser.parse_intermixed_args()
    results = [run(build, options.targets) for build in options.builds or FLAGS]
    sys.exit(0 if all(results) else 1)


main()
