#!/usr/bin/env python3
"""coverage.py PROFDATA COV SOURCES EXPECTED WORK PROGRAM[=ARGUMENT...] ...

Runs instrumented programs, merges what they covered of SOURCES, and prints lines and branches file by
file. Fails unless the lines that nothing ran are those of EXPECTED: `file: text of the line`, under a
comment that says why. With --write, before PROFDATA, it prints that list instead.
"""
import collections
import glob
import json
import os
import subprocess
import sys


def run_all(work, programs):
    os.makedirs(work, exist_ok=True)
    profiles = []
    for number, program in enumerate(programs):
        path, _, arguments = program.partition('=')
        profile = os.path.join(work, '%d.profraw' % number)
        environment = dict(os.environ, LLVM_PROFILE_FILE=profile, VFS_FUZZ_EFFORT='all')
        command = [path]
        for argument in arguments.split():
            command += sorted(glob.glob(argument)) if '*' in argument else [argument]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            sys.stdout.buffer.write(done.stdout[-4000:])
            sys.exit('%s failed' % path)
        profiles.append(profile)
    return profiles


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def print_figures(files, sources):
    print('%-20s %6s %6s %7s %8s %6s %7s' % ('', 'lines', 'missed', '', 'branches', 'missed', ''))
    totals = collections.Counter()
    for entry in files:
        summary = entry['summary']
        figures = []
        for kind in 'lines', 'branches':
            count, covered = summary[kind]['count'], summary[kind]['covered']
            totals[kind] += count
            totals[kind + ' covered'] += covered
            figures += [count, count - covered, percent(covered, count)]
        name = os.path.relpath(entry['filename'], sources)
        print('%-20s %6d %6d %6.1f%% %8d %6d %6.1f%%' % (name, *figures))
    lines, branches = totals['lines'], totals['branches']
    ran, taken = totals['lines covered'], totals['branches covered']
    print('%-20s %6d %6d %6.1f%% %8d %6d %6.1f%%' % ('all', lines, lines - ran, percent(ran, lines),
          branches, branches - taken, percent(taken, branches)))


def missed_lines(cov, binaries, profile, sources):
    """file: text, for each line that was never run."""
    command = [cov, 'export', '-format=lcov', '-instr-profile=' + profile] + binaries + [sources]
    missed = []
    for line in subprocess.run(command, stdout=subprocess.PIPE, check=True,
                               text=True).stdout.splitlines():
        if line.startswith('SF:'):
            path = line[3:]
            with open(path, encoding='utf-8') as source:
                text = source.read().splitlines()
        elif line.startswith('DA:'):
            number, count = line[3:].split(',')[:2]
            shown = text[int(number) - 1].strip()
            if count == '0' and shown not in ('}', '{', ''):
                missed.append('%s: %s' % (os.path.relpath(path, sources), shown))
    return missed


def read_expected(path):
    with open(path, encoding='utf-8') as lines:
        return [line.rstrip('\n') for line in lines if line.strip() and not line.startswith('#')]


def main():
    write = sys.argv[1] == '--write'
    profdata, cov, sources, expected, work, *programs = sys.argv[2 if write else 1:]
    sources = os.path.abspath(sources)
    profile = os.path.join(work, 'all.profdata')
    subprocess.run([profdata, 'merge', '-o', profile] + run_all(work, programs), check=True)
    paths = [program.partition('=')[0] for program in programs]
    binaries = [paths[0]] + ['-object=' + path for path in paths[1:]]
    exported = subprocess.run([cov, 'export', '-summary-only', '-instr-profile=' + profile] +
                              binaries + [sources], stdout=subprocess.PIPE, check=True)
    missed = missed_lines(cov, binaries, profile, sources)
    if write:
        print('\n'.join(missed))
        return
    print_figures(json.loads(exported.stdout)['data'][0]['files'], sources)
    new = collections.Counter(missed) - collections.Counter(read_expected(expected))
    gone = collections.Counter(read_expected(expected)) - collections.Counter(missed)
    for line in new.elements():
        print('not run, and not in %s: %s' % (os.path.basename(expected), line))
    for line in gone.elements():
        print('run now, or gone: %s' % line)
    sys.exit(1 if new or gone else 0)


main()
