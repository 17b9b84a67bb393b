#!/usr/bin/env python3
"""coverage.py PROFDATA COV SOURCES EXPECTED WORK PROGRAM[=ARGUMENTS] ...

Runs instrumented programs and prints how many lines of the kernel they ran, folder by folder and file by file.
Fails if a folder is below its goal, or if a file has more lines that nothing ran than EXPECTED allows. A line of
EXPECTED is `goal FOLDER PERCENT`, or `FILE LINES the reason`. With --show FILE, before PROFDATA, it prints
the lines of that file that nothing ran.
"""
import collections
import glob
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
        profile = os.path.join(work, f'{number}.profraw')
        command = [path]
        for argument in shlex.split(arguments):
            command += sorted(glob.glob(argument)) if '*' in argument else [argument]
        done = subprocess.run(command, env=dict(os.environ, LLVM_PROFILE_FILE=profile),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            sys.stdout.buffer.write(done.stdout[-4000:])
            sys.exit(f'{path} failed')
        profiles.append(profile)
    return profiles


def lines_of(report, sources):
    """For each file below SOURCES in an lcov report: how many lines, and the numbers of those never run."""
    found, name = {}, None
    for line in report.splitlines():
        if line.startswith('SF:'):
            name = os.path.relpath(os.path.realpath(line[3:]), sources)
            found.setdefault(name, {})
        elif line.startswith('DA:'):
            number, count = line[3:].split(',')[:2]
            found[name][int(number)] = found[name].get(int(number), 0) + int(count)
    return {name: (len(lines), sorted(n for n, count in lines.items() if not count))
            for name, lines in found.items() if not name.startswith('..')}


def read_expected(path):
    goals, allowed = {}, {}
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            words = line.split()
            if not words or words[0].startswith('#'):
                continue
            if words[0] == 'goal':
                goals[words[1]] = float(words[2])
            else:
                allowed[words[0]] = int(words[1])
    return goals, allowed


def row(name, count, missed):
    share = 100.0 * (count - missed) / count if count else 100.0
    print(f'{name:30} {count:6} lines {missed:6} not run {share:6.1f} %')
    return share


def main():
    shown = None
    if sys.argv[1] == '--show':
        shown = sys.argv[2]
        del sys.argv[1:3]
    profdata, cov, sources, expected, work, *programs = sys.argv[1:]
    sources = os.path.realpath(sources)
    profile = os.path.join(work, 'all.profdata')
    subprocess.run([profdata, 'merge', '-o', profile] + run_all(work, programs), check=True)
    paths = [program.partition('=')[0] for program in programs]
    binaries = [paths[0]] + ['-object=' + path for path in paths[1:]]
    report = subprocess.run([cov, 'export', '-skip-functions', '-instr-profile=' + profile,
                             '-format=lcov'] + binaries, stdout=subprocess.PIPE, check=True,
                            text=True).stdout
    lines = lines_of(report, sources)
    if shown:
        with open(os.path.join(sources, shown), encoding='utf-8') as source:
            text = source.read().splitlines()
        for number in lines[shown][1]:
            print(f'{number:5} {text[number - 1]}')
        return
    goals, allowed = read_expected(expected)
    bad = []
    for folder in goals:
        total = collections.Counter()
        for name, (count, missed) in sorted(lines.items()):
            if not name.startswith(folder + '/') or not name.endswith('.c'):
                continue
            total.update(lines=count, missed=len(missed))
            if missed:
                row('  ' + name, count, len(missed))
            if len(missed) > allowed.get(name, 0):
                bad.append(f'{name}: {len(missed)} lines are not run, {allowed.get(name, 0)} may be')
        if row(folder, total['lines'], total['missed']) < goals[folder]:
            bad.append(f'{folder}: the goal is {goals[folder]} %')
    print('\n'.join(bad))
    sys.exit(1 if bad else 0)


main()
