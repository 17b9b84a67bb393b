#!/usr/bin/env python3
"""planted.py [--check] [--target TARGET] LIST
Do the targets find faults?

LIST holds faults, each a patch after a line "=== NAME TARGET KIND" and a sentence. --check says, as TAP, whether each
applies to the sources, and whether each target has one. Otherwise each is planted in a copy of the sources, of which
its target is built. The committed corpus must not contain an input that fails with the fault: it is replayed first.
Then runs start from this corpus, with each of five seeds: at least four must find the fault in 60 s of processor time
each. fuzz_syscalls runs from an empty corpus, with one seed for at most 600 s; its last fault is `none`, where nothing
may be found.

Prints a line a fault: how many seeds found it, the processor time and executions of the slowest that did, and what it
was found by. Fails if a fault is found by too few, or by the corpus.

From the environment: PLANTED_FAULTS (names), PLANTED_SECONDS, PLANTED_SEED (the first of the seeds)."""
import argparse
import filecmp
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

from driver import build, engines, table

FOLDERS = ('kernel', 'fuzz', 'libelfparse', 'libvfs')
CRASH = re.compile(rb'^.*(?:ERROR: (?:AddressSanitizer|LeakSanitizer|libFuzzer).*|runtime error: .*)$', re.M)
ALONE = 'fuzz_syscalls'  # starts from an empty corpus
SEEDS, ENOUGH = 5, 4


class Fault:
    """A patch that makes a target's subject wrong."""

    def __init__(self, header, text):
        self.name, self.target, self.kind = header.split(None, 2)
        self.sentence, self.patch = text.split('\n', 1)


def read_faults(name):
    with open(name, encoding='utf-8') as file:
        parts = re.split(r'^=== (.*)\n', file.read(), flags=re.M)
    return [Fault(header, text) for header, text in zip(parts[1::2], parts[2::2])]


def check(faults):
    """Whether each patch applies to the sources, and each target has one, as TAP."""
    targets = table.read()
    print(f'1..{len(faults) + len(targets)}')
    for number, fault in enumerate(faults, 1):
        done = subprocess.run(['git', '-C', table.ROOT, 'apply', '--check'], input=fault.patch, text=True, check=False,
                              stderr=subprocess.PIPE)
        print(''.join(f'# {line}\n' for line in done.stderr.splitlines()), end='')
        print(f'{"not " if done.returncode else ""}ok {number} - {fault.name}')
    for number, target in enumerate(targets, len(faults) + 1):
        known = any(fault.target == target for fault in faults)
        print(f'{"" if known else "not "}ok {number} - {target} has a fault to find')


def copy_if_changed(source, target):
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copyfile(source, target)


class Tree:
    """A copy of the sources, in which one fault at a time is planted; what has no fault is compiled once."""

    def __init__(self, folder):
        self.folder = folder
        self.refresh()
        environ = engines.compilers('libfuzzer', 'address')
        self.builder = build.Builder(os.path.join(folder, 'build'), environ, os.cpu_count())

    def refresh(self):
        """Makes the copy equal to the sources, without any fault."""
        for part in FOLDERS:
            shutil.copytree(os.path.join(table.ROOT, part), os.path.join(self.folder, part), dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns('corpus', '*.md'), copy_function=copy_if_changed)

    def build(self, fault):
        """Plants the fault, if there is one, and builds its target; returns the program."""
        description = build.describe(os.path.join(table.ROOT, 'build', 'fuzz', 'targets'), fault.target)
        for key in ('args', 'sources', 'no-asan'):
            description[key] = [self.place_of(word) for word in description[key]]
        if fault.patch:
            subprocess.run(['patch', '-s', '-p1', '--fuzz=0', '-d', self.folder], input=fault.patch, text=True,
                           check=True)
        try:
            return self.builder.build(description)
        finally:
            self.refresh()

    def place_of(self, word):
        """A path of the sources, alone or in a flag, in the copy; generated files stay where they are."""
        generated = os.path.join(table.ROOT, 'build') + '/'
        return word if generated in word else word.replace(table.ROOT + '/', self.folder + '/')


def finding(output):
    """The line that says what was found: of a check of the harness the one before the crash."""
    crash = CRASH.search(output)
    if not crash:
        return output[-200:].decode(errors='replace')
    before = output[:crash.start()].decode(errors='replace').splitlines()
    text = crash.group(0).decode(errors='replace')
    if 'deadly signal' in text:
        said = [line for line in before if line and line[0] not in '#=\t ' and 'INFO' not in line]
        text = said[-1] if said else text
    return re.sub(r'^==\d+==\s*ERROR: |^/.*/(?=kernel/|lib\w+/|fuzz/)| \(pc 0x.*| on (?:unknown )?address 0x.*', '',
                  text)[:110]


def executions(output):
    """How many inputs were run: the last number that was printed."""
    final = re.findall(rb'^stat::number_of_executed_units: *(\d+)', output, re.M)
    return int((final or re.findall(rb'^#(\d+)\t', output, re.M) or [0])[-1])


def limit(seconds):
    """Of the fuzzer: its processor time, and it gives way to others."""
    os.setpriority(os.PRIO_PROCESS, 0, 15)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


class Run:
    """A run of a program: what it found (None: nothing), its processor time, and its executions."""

    def __init__(self, target, program, folder, options, seconds):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, 'new'))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [program, '-timeout=60', '-print_final_stats=1', '-rss_limit_mb=4096', f'-artifact_prefix={folder}/',
                 f'-max_len={target.max_len}', *options]
        if target.dictionary:
            words.append(f'-dict={target.dictionary}')
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env=engines.environment(), preexec_fn=lambda: limit(seconds))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.executions = executions(done.stdout)
        with open(os.path.join(folder, 'log'), 'wb') as log:
            log.write(done.stdout)
        is_time_over = done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
        self.found = finding(done.stdout) if done.returncode and not is_time_over else None


class Trial:
    """One fault: the replay of the corpus and a run with each seed."""

    def __init__(self, fault, folder, programs):
        self.fault, self.folder = fault, os.path.join(folder, fault.name)
        self.target = table.read()[fault.target]
        self.alone = fault.target == ALONE
        self.seeds = None if self.alone else programs.seeds(self.target)

    def run(self, program, options, seconds):
        return Run(self.target, program, self.folder, options, seconds)

    def replay(self, program):
        """What the committed corpus finds; None: nothing, as it must be."""
        return self.run(program, ['-runs=0', self.seeds], 600).found if self.seeds else None

    def judge(self, program, first_seed, seconds):
        """Prints the line; returns whether all is well."""
        stored = self.replay(program)
        if stored:
            print(f'{self.fault.name:22} the committed corpus has an input for it: {stored}', flush=True)
            return False
        count, enough = (1, 1) if self.alone else (SEEDS, ENOUGH)
        folders = [os.path.join(self.folder, 'new')] + ([self.seeds] if self.seeds else [])
        plain = ['-len_control=0', '-max_len=2048'] if self.alone else []
        runs = [self.run(program, [f'-seed={seed}', *plain, *folders], seconds or (600 if self.alone else 60))
                for seed in range(first_seed, first_seed + count)]
        hits = sorted((run for run in runs if run.found), key=lambda run: run.seconds)
        slowest = hits[-1] if hits else max(runs, key=lambda run: run.seconds)
        print(f'{self.fault.name:22} {self.fault.target:22} {len(hits)} of {count} {slowest.seconds:6.1f} s '
              f'{slowest.executions:8} runs  {slowest.found or ""}', flush=True)
        return len(hits) == 0 if self.fault.name == 'none' else len(hits) >= enough


def wanted_faults(options):
    faults = read_faults(options.list)
    if options.check:
        return faults
    faults.append(Fault(f'none {ALONE} nothing', '\n'))
    names = os.environ.get('PLANTED_FAULTS', '').split()
    known = {fault.name for fault in faults}
    if set(names) - known:
        sys.exit(f'planted: no such fault: {" ".join(sorted(set(names) - known))}')
    return [fault for fault in faults if (not names or fault.name in names) and
            (not options.target or fault.target == options.target)]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--target')
    parser.add_argument('list')
    options = parser.parse_args()
    faults = wanted_faults(options)
    if options.check:
        check(faults)
        return
    first_seed = int(os.environ.get('PLANTED_SEED', '1'))
    folder = os.path.join(table.ROOT, 'build', 'fuzz', 'planted')
    tree = Tree(os.path.join(folder, 'tree'))
    wanted = argparse.Namespace(programs=None, engine='libfuzzer', sanitizer='address', jobs=os.cpu_count())
    programs, wrong = engines.Programs(wanted), []
    print(f'seeds from {first_seed} on; replay, then found by how many, the slowest of them, and by what', flush=True)
    for fault in faults:
        program = tree.build(fault)
        if not Trial(fault, folder, programs).judge(program, first_seed, int(os.environ.get('PLANTED_SECONDS', '0'))):
            wrong.append(fault.name)
    if wrong:
        sys.exit('wrong: ' + ' '.join(wrong))


try:
    main()
except table.Error as error:
    sys.exit(f'planted: {error}')
