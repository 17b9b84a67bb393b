#!/usr/bin/env python3
"""coverage.py PROFDATA COV SOURCES EXPECTED WORK PROGRAM[=ARGUMENT...] ...

Runs instrumented programs, merges what they covered of SOURCES, and prints lines and branches file by
file. Fails unless what nothing ran or took is what EXPECTED lists, under a comment that says why: lines as
`file: text of the line`, directions of a condition as
`file: text of the line [never true|never false]: condition`. With --write, before PROFDATA, it prints
that list instead.
"""
import collections
import glob
import json
import os
import shlex
import subprocess
import sys


def run_all(work, programs):
    """Runs PROGRAM[=ARGUMENTS], which are quoted as in the shell; returns the profiles."""
    os.makedirs(work, exist_ok=True)
    profiles = []
    for number, program in enumerate(programs):
        path, _, arguments = program.partition('=')
        profile = os.path.join(work, '%d.profraw' % number)
        environment = dict(os.environ, LLVM_PROFILE_FILE=profile, VFS_FUZZ_EFFORT='all')
        command = [path]
        for argument in shlex.split(arguments):
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


def condition(text, first, from_column, last, to_column):
    """The source of a condition, which may go over several lines, on one."""
    lines = text[first - 1:last]
    lines[-1] = lines[-1][:to_column - 1]
    lines[0] = lines[0][from_column - 1:]
    return ' '.join(line.strip() for line in lines)


def branches_of(entry, name):
    """How many directions a file's conditions have, and name, line and condition of those never taken.

    A condition of an inline function, or of one that several programs have, is one condition."""
    with open(entry['filename'], encoding='utf-8') as source:
        text = source.read().splitlines()
    taken = collections.Counter()
    for *place, true, false, _, _, _ in entry['branches']:
        taken[tuple(place), 'true'] += true
        taken[tuple(place), 'false'] += false
    missed = ['%s: %s [never %s]: %s' % (name, text[place[0] - 1].strip(), way, condition(text, *place))
              for (place, way), count in sorted(taken.items()) if not count]
    return len(taken), missed


def print_figures(lines, branches):
    print('%-20s %6s %6s %7s %8s %6s %7s' % ('', 'lines', 'missed', '', 'branches', 'missed', ''))
    totals = collections.Counter()
    for name, (count, not_run, _) in lines.items():
        directions, not_taken = branches[name]
        row = {'lines': count, 'not run': not_run, 'branches': directions, 'not taken': len(not_taken)}
        totals.update(row)
        print_row(name, row)
    print_row('all', totals)


def print_row(name, row):
    lines, not_run, branches, not_taken = (row[k] for k in ('lines', 'not run', 'branches', 'not taken'))
    print('%-20s %6d %6d %6.1f%% %8d %6d %6.1f%%' % (
        name, lines, not_run, percent(lines - not_run, lines),
        branches, not_taken, percent(branches - not_taken, branches)))


def lines_of(report, sources):
    """For each file of an lcov report the number of lines, of those never run, and name and text of these."""
    found = {}
    for line in report.splitlines():
        if line.startswith('SF:'):
            name = os.path.relpath(line[3:], sources)
            with open(line[3:], encoding='utf-8') as source:
                text = source.read().splitlines()
            found[name] = [0, 0, []]
        elif line.startswith('DA:'):
            number, count = line[3:].split(',')[:2]
            shown = text[int(number) - 1].strip()
            found[name][0] += 1
            found[name][1] += count == '0'
            if count == '0' and shown not in ('}', '{', ''):
                found[name][2].append('%s: %s' % (name, shown))
    return found


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
    export = [cov, 'export', '-skip-functions', '-instr-profile=' + profile] + binaries + [sources]
    report = subprocess.run(export + ['-format=lcov'], stdout=subprocess.PIPE, check=True, text=True).stdout
    lines = lines_of(report, sources)
    data = json.loads(subprocess.run(export, stdout=subprocess.PIPE, check=True).stdout)
    branches = {}
    for entry in data['data'][0]['files']:
        name = os.path.relpath(entry['filename'], sources)
        branches[name] = branches_of(entry, name)
    missed = [line for _, _, not_run in lines.values() for line in not_run]
    missed += [way for _, not_taken in branches.values() for way in not_taken]
    if write:
        print('\n'.join(missed))
        return
    print_figures(lines, branches)
    new = collections.Counter(missed) - collections.Counter(read_expected(expected))
    gone = collections.Counter(read_expected(expected)) - collections.Counter(missed)
    for line in new.elements():
        print('not run or taken, and not in %s: %s' % (os.path.basename(expected), line))
    for line in gone.elements():
        print('run or taken now, or gone: %s' % line)
    sys.exit(1 if new or gone else 0)


main()
