#!/usr/bin/env python3
"""Sums up a run of `meson test`: a line for each suite, then "N passed, N failed".

    count.py STATUS LOGS SUITE...
    count.py --report LOGS

STATUS is what `meson test` returned and LOGS its folder of logs.  Each test point of a TAP test
counts, also each case of a cmocka program, which reports in TAP; any other test counts as one.
Besides what failed by itself, these count as failed: a TAP test that ran nothing and did not say
why, a test that was skipped because a program "is not installed" (`umbra test` installs what tests
use), a program that failed although all its points passed, a suite in which nothing ran, and a
status that says failure when no test does.  What else was skipped is listed with its reason;
--report prints this list alone, after the points of TAP that failed, with what the tests said about them: Meson
prints only their names. A reason is what follows "# SKIP" on a line of TAP, or "skipped:" at the beginning
of a line of any other test; a test that passes may say so too, about a part of it. Meson itself prints only SKIP.
"""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

GOOD = ('OK', 'EXPECTEDFAIL')
WHOLE = re.compile(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
POINT = re.compile(r'^ok\b[ \d-]*(.*?)\s*#\s*skip\S*\s*(.*)$', re.I | re.M)
PLAIN = re.compile(r'^skipped: *(.*)$', re.M)
FAILED = re.compile(r'^not ok\b(?!.*#\s*todo).*(?:\n(?!(?:not )?ok\b|1\.\.).*)*', re.I | re.M)
SHOWN_LINES = 12  # of a point that failed
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


def failures(entries):
    """The points of TAP that failed and the lines after them, a line at a time."""
    for test in entries:
        for point in FAILED.findall(test.get('stdout', '')) if test['result'] not in GOOD else []:
            first, *rest = point.splitlines()
            said = [line for line in rest if line.startswith('#')]
            yield f'Failed: {name_of(test)}: {first}'
            yield from (f'  {line}' for line in said[:SHOWN_LINES])
            if len(said) > SHOWN_LINES:
                yield '  ...'


def lines(entries):
    """The list of what was skipped, a line at a time; nothing if nothing was skipped."""
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


class Count:
    """Passed, failed and skipped test points."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        skipped = f', {self.skipped} skipped' if self.skipped else ''
        return f'{self.passed} passed, {self.failed} failed{skipped}'


def points(junit):
    """Maps the names of the tests with several points to their Count."""
    counts = {}
    if not junit.is_file():
        return counts
    # Meson writes what the tests print as it is, control characters too, which XML has no form for.
    text = re.sub('[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '?',
                  junit.read_text(encoding='utf-8', errors='replace'))
    for suite in xml.etree.ElementTree.fromstring(text.encode()):
        count = Count()
        for case in suite.iter('testcase'):
            if case.find('failure') is not None or case.find('error') is not None:
                count.failed += 1
            elif case.find('skipped') is not None:
                count.skipped += 1
            else:
                count.passed += 1
        _, _, name = suite.get('name').partition('.')
        counts[name] = count
    return counts


def count_test(test, counts):
    """The Count of one entry of testlog.json, and what is wrong besides its own points."""
    result = test['result']
    count = Count()
    if test['name'] in counts:
        count.add(counts[test['name']])
        if result not in GOOD + ('SKIP',) and count.failed == 0:
            count.failed += 1
            return count, f'ended with {result} although no test point failed'
    elif result in GOOD:
        count.passed += 1
    elif result == 'SKIP':
        if '# SKIP' not in test['stdout'] and test['returncode'] != 77:
            count.failed += 1
            return count, 'ran no test point'
        count.skipped += 1
    else:
        count.failed += 1
    missing = [reason for _, reason in reasons(test) if 'is not installed' in reason]
    if missing:
        count.skipped = max(count.skipped - len(missing), 0)
        count.failed += len(missing)
        return count, missing[0]
    return count, None if count.failed == 0 else f'ended with {result}'


def suite_of(name, suites):
    """The suite that a test counts in: its name is like "project:suite+suite / test"."""
    labels = name.partition(' / ')[0].partition(':')[2].split('+')
    return next((suite for suite in suites if suite in labels), 'other')


def main():
    if sys.argv[1] == '--report':
        entries = tests(sys.argv[2])
        for line in [*failures(entries), *lines(entries)]:
            print(line)
        return
    status, logs, suites = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    totals = collections.OrderedDict((suite, Count()) for suite in suites)
    counts = points(logs / 'testlog.junit.xml')
    entries = tests(logs)
    for test in entries:
        count, wrong = count_test(test, counts)
        totals.setdefault(suite_of(test['name'], suites), Count()).add(count)
        if wrong:
            print(f'failed: {test["name"]}: {wrong}')
    everything = Count()
    for suite, count in totals.items():
        if count.passed + count.failed == 0:
            print(f'failed: the suite {suite} ran nothing')
            count.failed += 1
        print(f'{suite}: {count}')
        everything.add(count)
    if status != 0 and everything.failed == 0:
        print(f'failed: the tests returned status {status}')
        everything.failed += 1
    for line in lines(entries):
        print(line)
    print(f'{everything.passed} passed, {everything.failed} failed')
    sys.exit(1 if everything.failed else 0)


if __name__ == '__main__':
    main()
