#!/usr/bin/env python3
"""Compares lists in README.md and HARDENING.md of the kernel with the sources; reports in TAP."""
import pathlib
import re
import sys

import floors

KERNEL = pathlib.Path(__file__).resolve().parent.parent
USER_TESTS = KERNEL.parent / 'user/tests'


def text(path):
    return (KERNEL / path).read_text(encoding='utf-8')


def section(name):
    return re.search(rf'^## {name}\n(.*?)(?=^## |\Z)', text('README.md'), re.M | re.S)[1]


def first_cells(table):
    return [row.split('|')[1] for row in re.findall(r'^\|.*', table, re.M)[2:]]


def missing_files():
    """Files of the reading order that do not exist."""
    for name in re.findall(r'`([^`]+)`', ' '.join(first_cells(section('Reading order')))):
        if not (KERNEL / name).exists():
            yield name


def floors_of_readme():
    line = re.search(r'^    (lib -> .*)$', text('README.md'), re.M)[1]
    return [sorted(re.findall(r'\w+', floor)) for floor in line.split('->')]


def words_of_readme():
    words = re.findall(r'`(\w+)(?:=|`)', ' '.join(first_cells(section('Command line'))))
    return sorted(set(words) - {'NAME'})


def words_of_code():
    """Words that the kernel reads; selftest and sanitize add attack=NAME to their own images."""
    found = set()
    for path in KERNEL.glob('*/*.c'):
        if path.parent.name not in ('tests', 'host', 'selftest', 'sanitize'):
            found.update(re.findall(r'\bcmdline_(?:value|number|lists)\("(\w+)"',
                                    path.read_text(encoding='utf-8')))
    return sorted(found)


def words_not_for_init():
    """The words that cmdline_environment() leaves out."""
    names = re.search(r'own\[\] = \{(.*?)\}', text('lib/cmdline.c'), re.S)[1]
    return sorted(set(re.findall(r'"(\w+)"', names)) - {'attack'})


def attacks_of_hardening():
    cells = [cell for cell in re.findall(r'attacks? ((?:`[a-z-]+`(?:, )?)+)', text('HARDENING.md'))]
    return set(re.findall(r'`([a-z-]+)`', ' '.join(cells)))


def attacks_of_code():
    source = text('selftest/attacks.c')
    return set(re.findall(r'\{"([a-z-]+)",', source))


def guests_of_hardening():
    cells = re.findall(r'guests? ((?:`[a-z]+`(?:, )?)+)', text('HARDENING.md'))
    return set(re.findall(r'`([a-z]+)`', ' '.join(cells)))


def main():
    points = 0
    failed = 0

    def point(name, wrong):
        nonlocal points, failed
        points, failed = points + 1, failed + bool(wrong)
        print(f'{"not ok" if wrong else "ok"} {points} - {name}')
        if wrong:
            print(f'# different: {", ".join(str(item) for item in sorted(wrong))}')

    def same(name, left, right):
        point(name, [item for item in [*left, *right] if item not in left or item not in right])

    point('the files of the reading order exist', list(missing_files()))
    same('the floors are those that floors.py checks', floors_of_readme(),
         [sorted(floor) for floor in floors.FLOORS])
    same('the words of the command line are those that the kernel reads',
         words_of_readme(), words_of_code())
    same("init's environment has none of these words", words_not_for_init(), words_of_code())
    same('HARDENING.md lists each attack of the self-test', attacks_of_hardening(),
         attacks_of_code())
    listed = {line.split()[0] for path in USER_TESTS.glob('*.list')
              for line in path.read_text(encoding='utf-8').splitlines()
              if line and line[0] not in '#?'}
    point('the guest tests of HARDENING.md exist', guests_of_hardening() - listed)
    print(f'1..{points}')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
