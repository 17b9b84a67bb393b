#!/usr/bin/env python3
"""`./umbra map`: the address spaces of a running program as text, as JSON, and as a page of HTML.

The machine is booted under Bochs' debugger and stopped at the points that --at names; at each, the
page tables and the kernel's records are read. debugger/space.py describes the data; page/ has the
page, into which the data is put so that one file is complete.
"""
import argparse
import json
import pathlib
import shlex
import sys

import debug
import machine
import program
import tools
from bochs.debugger import DebuggerError
from debugger import space
from debugger.elf import SymbolError
from debugger.tables import Unreadable
from debugger.session import SessionError

VALUED = ('--at', '--html')
LIMIT = 300  # seconds to a point
TIMELINE = ('exec', 'fork', 'fault', 'exit')  # "fault" is copy-on-write and a stack's growth too
MOMENTS_MAX = 100
FAILED = 1
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
PAGE = pathlib.Path(__file__).with_name('page')


class MapError(Exception):
    """A point was not reached; the text says why."""


def reach(driver, point, is_first):
    """Runs to a point and returns the sentence about it."""
    line = 'c' if is_first else f'until {point}'
    said = list(driver.execute(line, limit=LIMIT))
    if driver.ended:
        raise MapError(f'the point {point} was not reached. {said[0]}')
    if said and said[0].startswith('until: '):
        raise SessionError(said[0].removeprefix('until: '))
    if not said or said[0].startswith(('c: ', 'Stopped by the user')):
        raise MapError(f'the point {point} was not reached in {LIMIT} s'
                       + (f': {said[0]}' if said else ''))
    return said[0]


def sections(elf):
    """The sections of the kernel that are loaded, with their flags as readelf prints them."""
    letters = ((SHF_WRITE, 'W'), (SHF_ALLOC, 'A'), (SHF_EXECINSTR, 'X'))
    return [{'name': part.name, 'first': hex(part['sh_addr']), 'size': part['sh_size'],
             'flags': ''.join(letter for bit, letter in letters if part['sh_flags'] & bit)}
            for part in elf.iter_sections() if part['sh_flags'] & SHF_ALLOC]


def moments_at(driver, points, visit):
    """The moments at these points, in their order."""
    for point in driver.points:
        point.once = True
    for number, point in enumerate(points):
        said = reach(driver, point, number == 0)
        yield {**space.moment(driver.session, point), 'said': said}
        visit(driver.session)


def timeline(driver):
    """The moments at all stops, to the end of the machine or MOMENTS_MAX."""
    for _ in range(MOMENTS_MAX):
        said = list(driver.execute('c', limit=LIMIT))
        if driver.ended:
            return
        if not driver.last_stop or not said[0].startswith('Stop '):
            raise MapError(f'there was no stop in {LIMIT} s: {said[0]}')
        yield {**space.moment(driver.session, driver.last_stop.name), 'said': said[0]}
    print(f'umbra: these are the first {MOMENTS_MAX} moments', file=sys.stderr)


def collect(args, visit=lambda session: None):
    """The whole report: see debugger/space.py. `visit` is called with the session at each point."""
    points = list(TIMELINE) if args.timeline else args.at or [debug.DEFAULT_POINT]
    if not args.at and not args.timeline:
        args.append += ' eager'
    args.at = points if args.timeline else points[:1]
    with debug.booted(args) as driver:
        moments = list(timeline(driver) if args.timeline else moments_at(driver, points, visit))
        parts = sections(driver.session.kernel_module.elf.file)
    words = shlex.join(args.program) or 'the demo'
    return {'title': words, 'sections': parts, 'moments': moments,
            'comparisons': space.comparisons(moments), **space.legend()}


def frame_words(region):
    """The frames of a region, short."""
    if not region['frames']:
        return ''
    more = len(region['frames']) - 1
    return f'frame {region["frames"][0][0]}' + (f' and {more} more runs' if more else '')


def lines(report):
    """The report as text."""
    yield 'kernel sections (address, bytes, flags):'
    for part in report['sections']:
        yield f'  {int(part["first"], 16):#018x}  {part["size"]:>9,}  {part["flags"]:<3} {part["name"]}'
    for moment in report['moments']:
        yield ''
        yield f'at {moment["name"]}: {moment["said"]}'
        for one in moment['spaces']:
            yield (f'{one["path"]} (pid {one["pid"]}), page tables at {one["cr3"]}: '
                   f'{one["pages"]} pages of the user half, {one["tables"]} page tables')
            for region in one['regions']:
                first, end = int(region['first'], 16), int(region['end'], 16)
                yield (f'  {first:#018x}-{end:#018x}  {(end - first) // 1024:>9,} KiB  '
                       f'{region["rights"]} {region["state"]:<7} {region["what"]}  '
                       f'{frame_words(region)}').rstrip()


def page(report):
    """The report as one file of HTML."""
    data = json.dumps(report, separators=(',', ':')).replace('<', '\\u003c')
    template = PAGE.joinpath('map.html').read_text()
    script = PAGE.joinpath('map.js').read_text()
    return template.replace('@SCRIPT@', script).replace('@DATA@', data)


def write(args, report):
    """The text and the page, or what the options choose."""
    if args.json:
        json.dump(report, sys.stdout, indent=1)
        print()
        return
    if args.text or not args.html:
        for line in lines(report):
            print(line)
    target = args.html or (not args.text and args.page)
    if target:
        path = pathlib.Path(target)
        path.write_text(page(report))
        print(f'The page: {path.resolve().as_uri()}')


def parse(argv):
    parser = argparse.ArgumentParser(prog='umbra map', description='Show the address spaces.')
    parser.add_argument('--page', help=argparse.SUPPRESS)
    parser.add_argument('--at', action='append', default=[], metavar='POINT',
                        help='when to look, as for debug; several in their order (default: user)')
    parser.add_argument('--timeline', action='store_true',
                        help='look at each exec, fork, fault, copy-on-write and exit')
    parser.add_argument('--html', metavar='FILE', help='write the page to this file, and no text')
    parser.add_argument('--text', action='store_true', help='print the text, and write no page')
    parser.add_argument('--json', action='store_true', help='print the data, and write no page')
    parser.set_defaults(cpu=machine.DEFAULT_CPU, memory=None, faster='')
    return program.parse(parser, argv, (*VALUED, '--page'))


def main():
    tools.end_by_signals()
    args = parse(sys.argv[1:])
    with tools.one_sentence(SessionError, SymbolError):
        try:
            write(args, collect(args))
        except (MapError, DebuggerError, Unreadable) as error:
            print(f'umbra: {error}', file=sys.stderr)
            sys.exit(FAILED)


if __name__ == '__main__':
    main()
