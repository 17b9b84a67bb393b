#!/usr/bin/env python3
"""Tests of the drivers that compare random calls and rate stressors; reports in TAP.

A difference must be found on every line, only the table may excuse one, and a failure of stress-ng
must not count as success.
"""
import collections
import pathlib
import re
import sys
import tempfile

BOOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(BOOT), str(BOOT.parent / 'fuzz')]

import divergences  # noqa: E402
import guest_fuzz  # noqa: E402
import guest_tap  # noqa: E402
import same  # noqa: E402
import stress  # noqa: E402

LINUX = ['0.0 s0 dup(3) = 4', '0.1 s0 dup(9) = EBADF', '0.2 s0 close(4) = 0']


def changed(at, line):
    return LINUX[:at] + [line] + LINUX[at + 1:]


def found(umbra, table=(), every=False):
    return [(difference.call, difference.umbra) for difference in
            same.compare(LINUX, umbra, table, collections.Counter(), every)]


def exception(call, follows):
    return divergences.Row(call, re.compile('EBADF'), re.compile('ENOENT'), follows, 10, 'a reason')


def test_equal(tap):
    tap.point(found(LINUX) == [], 'equal lines are no difference')


def test_each_line(tap):
    for at in range(3):
        other = f'0.{at} s0 dup(3) = 77'
        tap.point(found(changed(at, other)) == [(at, other)], f'line {at} that differs is found')


def test_lengths(tap):
    tap.point(found(LINUX[:2]) == [(2, '(nothing more)')], 'a missing line is found')
    more = '0.3 s0 close(5) = 0'
    tap.point(found(LINUX + [more]) == [(3, more)], 'a line too many is found')


def test_dying(tap):
    lines = same.episodes_of('0.0 s3 kill(s4, 12) = 0 dies\n0.1 s0 dup(3) = 4\n')[0]
    tap.point(lines == ['0.0 s3 kill(s4, 12) dies', '0.1 s0 dup(3) = 4'],
              'the result of a call during which its caller dies is left out')


def test_exceptions(tap):
    umbra = changed(1, '0.1 s0 dup(9) = ENOENT')
    umbra[2] = '0.2 s0 close(4) = EIO'
    tap.point(found(umbra, [exception('dup', 'go on')]) == [(2, umbra[2])],
              'an exception excuses its line and no other')
    tap.point(found(umbra, [exception('dup', 'next episode')]) == [],
              'one that ends the episode excuses the rest')
    tap.point(found(umbra, [exception('dup2', 'go on')]) == [(1, umbra[1])],
              'the exception of another call excuses nothing')


def test_too_often(tap):
    row = exception('dup', 'go on')
    for calls, most in ((1000, 1), (100_000, 2), (1_000_000, 11)):
        tap.point(not divergences.too_often({row: most}, calls) and
                  divergences.too_often({row: most + 1}, calls) == [row],
                  f'a row for 10 in 1,000,000 is allowed {most} times in {calls} calls, and not once more')


def test_every(tap):
    umbra = changed(1, '0.1 s0 dup(9) = ENOENT')
    umbra[2] = '0.2 s0 close(4) = EIO'
    tap.point([call for call, _ in found(umbra, every=True)] == [1, 2],
              'after calls that both failed the search goes on')
    umbra[1] = '0.1 s0 dup(9) = 5'
    tap.point([call for call, _ in found(umbra, every=True)] == [1],
              'after one that succeeded in one of them it does not')


def test_table(tap):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'table')
        line, most = 'calls\tdup\tEBADF\tENOENT\tgo on\twhy\n', same.MAX_EXCEPTIONS
        path.write_text('# comment\nbits\tdup\t\t\tgo on\twhy\n' + line * most)
        tap.point(len(same.read_exceptions(path, 'calls', most)) == most, f'{most} exceptions are read')
        for text, name in ((line * (most + 1), 'one more'),
                           (line.replace('why', ''), 'one without a reason')):
            path.write_text(text)
            try:
                same.read_exceptions(path, 'calls', most)
                refused = False
            except SystemExit:
                refused = True
            tap.point(refused, f'{name} is refused')


def test_shrink(tap):
    """Calls 3 and 17 are needed for the difference at 40."""
    difference = same.Difference(0, 40, '', '', [])
    search = same.shrink(difference)
    cuts, smallest = next(search), list(range(41))
    for _ in range(60):
        if not cuts:
            break
        good = [{3, 17, 40} <= set(cut) for cut in cuts]
        smallest = min([smallest] + [cut for cut, ok in zip(cuts, good) if ok], key=len)
        cuts = search.send(good)
    tap.point(smallest == [3, 17, 40], f'the fewest calls are found: {smallest}')


def test_stressors(tap):
    cases = (
        ('exit 0', ['stress-ng: info:  [3] successful run completed in 5.00s'], 'clean'),
        ('exit 0', ['stress-ng: fail:  [3] pipe: wrong data'], 'failed'),
        ('exit 0', ['stress-ng: info:  [3] skipped: 1: af-alg (1)'], 'skipped'),
        ('exit 0', ['stress-ng: info:  [3] skipped: 0'], 'clean'),
        ('exit 4', [], 'skipped'),
        ('exit 2', ['stress-ng: error: [3] shm: errno=38 (Function not implemented)'], 'missing'),
        ('exit 2', ['stress-ng: fail:  [3] sock: errno=97 (Address family not supported by protocol)'], 'missing'),
        ('exit 2', ['stress-ng: error: [3] shm: errno=3 (No such process)'], 'failed'),
        ('signal 9', [], 'failed'),
        ('limit', [], 'limit'),
    )
    for end, lines, word in cases:
        got = stress.classify('name', end, lines).word
        tap.point(got == word, f'{end} {" ".join(lines)[:50]}: {got}, wanted {word}')


def test_boots(tap):
    runs = list(guest_fuzz.boots(1000, 7, 300))
    tap.point(sum(calls for _, calls, _ in runs) == 1000, 'all calls are made')
    tap.point(sum(calls for _, calls, is_root in runs if is_root) == 200, 'a fifth as user 0')
    tap.point(len({seed for seed, _, _ in runs}) == len(runs), 'each boot has a seed of its own')


def main():
    tap = guest_tap.Tap()
    for name, test in sorted(globals().items()):
        if name.startswith('test_'):
            test(tap)
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
