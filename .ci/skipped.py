#!/usr/bin/env python3
"""Prints which tests of the last `meson test` were skipped, and why, grouped by the reason.

    skipped.py LOGS

LOGS is Meson's folder of logs. Meson itself prints only the word SKIP. A reason is what follows
"# SKIP" on a line of TAP, or "skipped:" at the beginning of a line of any other test; a test that
passes may say so too, about a part of it.
"""
import json
import pathlib
import re
import sys

WHOLE = re.compile(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
POINT = re.compile(r'^ok\b[ \d-]*(.*?)\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
PLAIN = re.compile(r'^skipped: *(.*)$', re.M)
NO_REASON = 'it did not say why'


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
    """(what was skipped, the reason) of each skipped part of a test."""
    text = test.get('stdout', '') + '\n' + test.get('stderr', '')
    name = name_of(test)
    whole = WHOLE.findall(text) + PLAIN.findall(text)
    if whole:
        return [(name, reason or NO_REASON) for reason in whole]
    points = [(f'{name}: {what}', reason or NO_REASON) for what, reason in POINT.findall(text)]
    if test['result'] == 'SKIP' and not points:
        return [(name, NO_REASON)]
    return points


def by_reason(entries):
    """Maps each reason to what was skipped for it."""
    groups = {}
    for test in entries:
        for what, reason in reasons(test):
            groups.setdefault(reason, []).append(what)
    return groups


def lines(entries):
    """The report, a line at a time; nothing if nothing was skipped."""
    groups = by_reason(entries)
    if groups:
        yield f'Skipped, {sum(map(len, groups.values()))}:'
    for reason, names in sorted(groups.items()):
        yield f'  {reason}'
        for name in names:
            yield f'      {name}'


def main():
    for line in lines(tests(sys.argv[1])):
        print(line)


if __name__ == '__main__':
    main()
