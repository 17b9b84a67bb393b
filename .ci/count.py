#!/usr/bin/env python3
"""Sums up a run of `meson test`: a line for each suite, then "N passed, N failed".

    count.py STATUS LOGS SUITE...

STATUS is what `meson test` returned and LOGS its folder of logs.  Each test point of a TAP test
counts, also each case of a cmocka program, which reports in TAP; any other test counts as one.
Besides what failed by itself, these count as failed: a TAP test that ran nothing and did not say
why, a test that was skipped because a program "is not installed" (`umbra test` installs what tests
use), a program that failed although all its points passed, a suite in which nothing ran, and a
status that says failure when no test does.  What else was skipped is listed with its reason.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree

import skipped

GOOD = ('OK', 'EXPECTEDFAIL')


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
    missing = [reason for _, reason in skipped.reasons(test) if 'is not installed' in reason]
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
    status, logs, suites = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    totals = collections.OrderedDict((suite, Count()) for suite in suites)
    counts = points(logs / 'testlog.junit.xml')
    entries = skipped.tests(logs)
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
    for line in skipped.lines(entries):
        print(line)
    print(f'{everything.passed} passed, {everything.failed} failed')
    sys.exit(1 if everything.failed else 0)


if __name__ == '__main__':
    main()
