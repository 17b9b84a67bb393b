#!/usr/bin/env python3
"""Prints which tests of the last `meson test` were skipped, and why, grouped by the reason.

    skipped.py LOGS

LOGS is Meson's folder of logs. Meson itself prints only the word SKIP. A reason is what follows
"# SKIP" on a line of TAP, or "skipped:" at the beginning of a line of any other test; a test that
passes may say so too, about a part of it.
"""
import collections
import json
import pathlib
import re
import sys

WHOLE = re.compile(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
POINT = re.compile(r'^ok\b[ \d-]*(.*?)\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
PLAIN = re.compile(r'^skipped: *(.*)$', re.M)
NO_REASON = 'it did not say why'
SKIPPED_STATUS = 77


def tests(logs):
    """The entries of the log, one a test; none if there was no run."""
    log = pathlib.Path(logs, 'testlog.json')
    if not log.is_file():
        return []
    return [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()]


def name_of(test):
    """The test's name without its suites: "project:suite+suite / name" is how Meson has it."""
    return test['name'].rpartition(' / ')[2]


def reasons(test):
    """(point, reason) of what was skipped of a test: an empty point stands for all of it."""
    text = test.get('stdout', '') + '\n' + test.get('stderr', '')
    whole = WHOLE.findall(text) + PLAIN.findall(text)
    if whole:
        return [('', reason or NO_REASON) for reason in whole]
    points = [(point or 'a point', reason or NO_REASON) for point, reason in POINT.findall(text)]
    if test['result'] == 'SKIP' and not points:
        said = [line.strip() for line in text.splitlines() if line.strip()]
        exited = test.get('returncode') == SKIPPED_STATUS
        return [('', said[-1] if said and exited else NO_REASON)]
    return points


def lines(entries):
    """The report, a line at a time; nothing if nothing was skipped."""
    tests_of, points_of = {}, {}
    for test in entries:
        name = name_of(test)
        for point, reason in reasons(test):
            if point:
                names = points_of.setdefault(reason, collections.Counter())
                names[name] += 1
            else:
                tests_of.setdefault(reason, []).append(name)
    if tests_of or points_of:
        yield (f'Skipped: {sum(map(len, tests_of.values()))} tests, and '
               f'{sum(sum(names.values()) for names in points_of.values())} points of other tests:')
    for reason, names in sorted(tests_of.items()):
        yield f'  {reason}'
        yield from (f'      {name}' for name in names)
    for reason, names in sorted(points_of.items()):
        each = ', '.join(f'{name} ({count})' for name, count in names.items())
        yield f'  {reason}: {each}'


def main():
    for line in lines(tests(sys.argv[1])):
        print(line)


if __name__ == '__main__':
    main()
