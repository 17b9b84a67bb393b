#!/usr/bin/env python3
"""The labs: `./umbra lab`. A student finds the fault of a kernel; `check` judges the answer.

    lab.py list
    lab.py plant N                          the name of the kernel of a lab
    lab.py start N --kernel FILE ...        boots it under the debugger
    lab.py check N RULE ADDRESS LEVEL
    lab.py solve --initrd FILE NAME=KERNEL...    finds each by the commands of the table, in TAP
"""
import argparse
import pathlib
import re
import sys
import textwrap
import tomllib

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)  # its own folder has a module "tutorial", too

import tools  # noqa: E402
from guest_tap import Tap  # noqa: E402

TABLE = pathlib.Path(__file__).with_name('labs.toml')
LEVELS = ('PML4', 'PDPT', 'PD', 'PT', 'TLB')
WIDTH = 100


class LabError(tools.ToolError):
    """There is no such lab, or an answer that cannot be read."""


def table():
    """(rules, labs) of the file."""
    content = tomllib.loads(TABLE.read_text())
    return content['rules'], content['lab']


def lab(number):
    """The lab with a number, which begins at 1."""
    labs = table()[1]
    if not str(number).isdigit() or not 1 <= int(number) <= len(labs):
        raise LabError(f'there is no lab {number}: 1 to {len(labs)}')
    return labs[int(number) - 1]


def _address(text):
    try:
        return int(text, 16)
    except ValueError as error:
        raise LabError(f'{text} is not an address in hexadecimal digits') from error


def _within(address, ranges):
    return any(int(start, 16) <= address < int(end, 16)
               for start, end in (text.split('-') for text in ranges))


def judge(number, rule, address, level):
    """{part of the answer: whether it is right}."""
    wanted = lab(number)
    rules = table()[0]
    if rule not in rules:
        raise LabError(f'{rule} is not a rule: {", ".join(rules)}')
    if level.upper() not in LEVELS:
        raise LabError(f'{level} is not a level: {", ".join(LEVELS)}')
    return {'rule': rule == wanted['rule'], 'address': _within(_address(address), wanted['pages']),
            'level': level.upper() == wanted['level']}


def say(text):
    """Prints a text in lines of a terminal."""
    print(textwrap.fill(text, WIDTH))


def show_list():
    """All labs, the rules, and how to answer."""
    rules, labs = table()
    for number, each in enumerate(labs, 1):
        say(f'{number:>2}. {each["story"]}')
    print('\nOne of these rules is broken in each:')
    for name, text in rules.items():
        print(f'  {name:<18} {text}')
    print('\n./umbra lab N begins. Answer: ./umbra lab check N RULE ADDRESS LEVEL '
          f'({", ".join(LEVELS)})')


def check(number, rule, address, level):
    """Says what is right; returns the status for the shell."""
    found = judge(number, rule, address, level)
    for part, good in found.items():
        print(f'{part}: {"right" if good else "no"}')
    if all(found.values()):
        say(lab(number)['because'])
    return int(not all(found.values()))


def start(number, options):
    """Boots the kernel of a lab; the options are those of debug.py."""
    import debug  # pylint: disable=import-outside-toplevel
    each = lab(number)
    say(f'Lab {number}. {each["story"]}')
    print('Rules: ' + ', '.join(table()[0]) + f'. Answer: ./umbra lab check {number} RULE ADDRESS '
          'LEVEL', flush=True)
    return debug.main([*options, *each['words']])


def solve(tap, number, each, kernel, initrd):
    """Finds the fault by the commands of the table, and asks the judge."""
    import debug  # pylint: disable=import-outside-toplevel
    args = debug.parse(['--kernel', kernel, '--initrd', initrd, *each['words']])
    with debug.booted(args) as driver:
        lines = [line for command in ['c', *each['solve']]
                 for line in driver.execute(command, limit=120)]
    match = re.search(each['shows'], '\n'.join(lines), re.S)
    tap.point(match is not None, f'lab {number} ({each["plant"]}): ' + '; '.join(each['solve']))
    if match is None:
        for line in lines:
            tap.comment(line)
        return
    groups = match.groupdict()
    address, level = groups['address'], groups.get('level', 'TLB')
    right = judge(number, each['rule'], address, level)
    tap.point(all(right.values()), f'lab {number}: {each["rule"]} {address} {level} is right')
    wrong = judge(number, next(rule for rule in table()[0] if rule != each['rule']), '0x1000',
                  'PML4')
    tap.point(not any(wrong.values()), f'lab {number}: another answer is not')


def solve_all(initrd, kernels):
    """Solves the labs whose kernels are given."""
    tap = Tap()
    known = dict(text.split('=', 1) for text in kernels)
    for number, each in enumerate(table()[1], 1):
        if each['plant'] in known:
            solve(tap, number, each, known.pop(each['plant']), initrd)
    tap.point(not known, 'each kernel is that of a lab')
    tap.finish()
    return int(tap.failed > 0)


def main():
    parser = argparse.ArgumentParser(prog='umbra lab', description='Find the fault of a kernel.')
    parser.add_argument('--initrd', help=argparse.SUPPRESS)
    parser.add_argument('what', choices=('list', 'plant', 'start', 'check', 'solve'))
    args, words = parser.parse_known_args()
    if args.what == 'list':
        show_list()
        return 0
    if args.what == 'solve':
        return solve_all(args.initrd, words)
    if not words:
        raise LabError('the number of a lab is wanted')
    if args.what == 'plant':
        print(lab(words[0])['plant'])
        return 0
    if args.what == 'start':
        return start(words[0], words[1:] + (['--initrd', args.initrd] if args.initrd else []))
    if len(words) != 4:
        raise LabError('check wants four words: N RULE ADDRESS LEVEL')
    return check(*words)


if __name__ == '__main__':
    with tools.one_sentence():
        sys.exit(main())
