#!/usr/bin/env python3
"""Makes the same system calls on Linux and on umbra, and compares the results; in TAP.

    same.py --kernel ELF --program FILE [--calls 50000] [--seed N]... [--machine qemu]
    same.py ... --all            groups all differences by call and answers
    same.py ... --minimise       the fewest calls that show the first difference of each kind
    same.py --machine linux      Linux against itself: the sequences must be reproducible

The program (user/tests/same) prints a line for each call; episodes of 250 calls are independent of
each other.  Lines must be equal, except for what the rows of fuzz/divergences.tsv with --judge allow.
Without --kernel and --program the files of build/ are used.
"""
import argparse
import collections
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import aftermath
import console
import iso
import machine
import tools
from guest_tap import CONTROL, Tap

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'fuzz'))
import divergences  # noqa: E402

MKINITRD = HERE.parent / 'user/tools/mkinitrd.py'
EXCEPTIONS = HERE.parent / 'fuzz/divergences.tsv'
MAX_EXCEPTIONS = 30
EPISODE = 250
SKIPPED = 77  # the status of the program where it cannot make its namespaces
USER_ATTRIBUTES = [6, 6]  # the Linux that has extended attributes of users on tmpfs
BOOT_CALLS = 50_000  # calls of one boot: a longer run takes several
LINE = re.compile(r'(\d+)\.(\d+) s\d+ ')
CONTEXT = 6
ENTRIES = """\
dir  /dev  0755
dir  /proc 0555
dir  /tmp  1777
node /dev/console 0600 c 5 1
node /dev/null 0666 c 1 3
file /test/same 0755 ${program}
file /test/jobs 0644 ${jobs}
"""


@dataclasses.dataclass
class Difference:
    """Two lines that are not equal, and the lines before them."""
    episode: int
    call: int
    linux: str
    umbra: str
    before: list

    def kind(self):
        """Call and answers without numbers that vary from one difference to the next."""
        def plain(line):
            name = re.match(r'\S+ s\d+ (\S*?)[( ]', line)
            answer = line[line.find(') = ') + 2:] if ') = ' in line else line.split(' ', 2)[-1]
            return (name[1] if name else '', re.sub(r'\d+|0x[0-9a-f]+|\[.*?\]', '#', answer)[:90])
        return plain(self.linux), plain(self.umbra)

    def show(self, write, context=CONTEXT):
        for line in self.before[-context:]:
            write(f'    {line}')
        write(f'  Linux {self.linux}')
        write(f'  umbra {self.umbra}')


def read_exceptions(path, judge, most):
    """The rows of that judge; more than are allowed are an error."""
    table = divergences.read(path, judge)
    if len(table) > most:
        sys.exit(f'{path}: {len(table)} exceptions, at most {most} are allowed')
    return table


# A caller that a signal ends may print the result before, or not: Linux has several processors.
DYING = re.compile(r' = (?!.* = ).* dies$')


def episodes_of(text):
    """Lines by key: the number of the episode, or (with jobs) of the job."""
    result, job = collections.defaultdict(list), None
    for line in text.splitlines():
        line = DYING.sub(' dies', line)
        if line.startswith('job '):
            job = int(line[4:])
            result[job] = []
        elif match := LINE.match(line):
            result[int(match[1]) if job is None else job].append(line)
    return result


def run_on_linux(program, words):
    done = subprocess.run([program, *words], capture_output=True, check=False)
    text = done.stdout.decode(errors='replace')
    if done.returncode == SKIPPED:
        print(f'1..0 # SKIP {done.stderr.decode().strip()}')
        sys.exit(0)
    if done.returncode != 0:
        sys.exit(f'{program} on Linux: status {done.returncode}: {done.stderr.decode()}')
    return CONTROL.sub('?', text)


def protections():
    """This machine's rules for sticky directories, as words of the guest's command line."""
    rules = sorted(pathlib.Path('/proc/sys/fs').glob('protected_*'))
    return [f'sysctl.fs.{rule.name}={rule.read_text().strip()}' for rule in rules]


class Guest:
    """Boots the program in umbra."""

    def __init__(self, args, scratch):
        self._args = args
        self.scratch = pathlib.Path(scratch)

    def run(self, words, jobs=''):
        """The output of the program, and the verdict."""
        if self._args.machine == 'linux':
            return run_on_linux(self._args.program, words), 'exit 0'
        scratch = self.scratch
        scratch.joinpath('entries').write_text(ENTRIES)
        scratch.joinpath('jobs').write_text(jobs)
        archive, image = scratch / 'same.cpio', scratch / 'umbra.iso'
        subprocess.run([sys.executable, MKINITRD, '--output', archive, '--set', 'program',
                        self._args.program, '--set', 'jobs', scratch / 'jobs',
                        scratch / 'entries'], check=True)
        iso.make(image, self._args.kernel, archive,
                 ['init=/test/same', *protections(), '--', *words])
        lines = bytearray()
        with self._machine(image) as guest:
            session = console.Session(guest, lines.extend, None, self._args.limit,
                                      aftermath.at_limit(self._args.kernel, archive))
            verdict = session.run()
        text = CONTROL.sub('?', lines.decode(errors='replace').replace('\r\n', '\n'))
        return text, verdict.word

    def _machine(self, image):
        log = self.scratch / 'log'
        if self._args.machine == 'bochs':
            return machine.Bochs(image, log, self._args.memory)
        return machine.Qemu(image, log, self._args.memory, kvm=self._args.machine == 'kvm')


def matching(exceptions, linux, umbra):
    """The exception that allows these two lines to differ, or None."""
    # A call stands after a blank, or after a signal.
    rows = [row for row in exceptions if re.search('[ >]' + re.escape(row.what), linux)]
    return divergences.allows(rows, linux, umbra)


FAILURE = re.compile(r' = E[A-Z0-9]+( -?\d+)*$')


def compare(linux, umbra, exceptions, used, every=False):
    """The first difference of an episode that no exception allows; with `every` those after it
    too, as long as both calls failed, so that nothing else is different for it."""
    found = []
    for at, line in enumerate(linux):
        other = umbra[at] if at < len(umbra) else '(nothing more)'
        if line == other:
            continue
        exception = matching(exceptions, line, other)
        if exception is None:
            match = LINE.match(line)
            found.append(Difference(int(match[1]), int(match[2]), line, other, linux[:at]))
            if not (every and FAILURE.search(line) and FAILURE.search(other)):
                return found
            continue
        used[exception] += 1
        if exception.follows == 'next episode':
            return found
    if len(umbra) > len(linux):
        other = umbra[len(linux)]
        match = LINE.match(other)
        found.append(Difference(int(match[1]), int(match[2]), '(nothing more)', other, linux))
    return found


class Comparison:
    """All runs with one seed."""

    def __init__(self, args, guest, exceptions):
        self.args = args
        self.guest = guest
        self.exceptions = exceptions
        self.used = collections.Counter()
        self.differences = []
        self.deaths = []  # (episode, verdict, last lines)
        self.compared = 0

    def words(self, seed, count, *more):
        nice = str(os.getpriority(os.PRIO_PROCESS, 0))
        linux = [int(number) for number in re.findall(r'\d+', os.uname().release)[:2]]
        return [str(seed), str(count), '--nice', nice, *more, *(['--narrow'] if self.args.narrow else []),
                *(['--user-attributes'] if linux >= USER_ATTRIBUTES else [])]

    def run(self, seed, first, calls):
        """Compares the calls from an episode on; goes on after a machine that died."""
        while calls > 0:
            count = min(calls, BOOT_CALLS)
            words = self.words(seed, count, '--episode', str(first))
            linux = episodes_of(run_on_linux(self.args.program, words))
            text, verdict = self.guest.run(words)
            umbra = episodes_of(text)
            ended = verdict == 'exit 0' and 'calls: end' in text
            last = max(linux) + 1 if ended else max(umbra, default=first - 1) + 1
            if not ended:
                self.deaths.append((last, verdict, text.splitlines()[-30:]))
            for episode in range(first, last):
                self._one(linux.get(episode, []), umbra.get(episode, []))
            done = (last - first + (not ended)) * EPISODE
            first, calls = last + (not ended), calls - done
            if not ended and not self.args.all:
                return

    def _one(self, linux, umbra):
        self.compared += sum(1 for line in linux)
        self.differences += compare(linux, umbra, self.exceptions, self.used, self.args.all)

    def candidates(self, seed, jobs):
        """For each job (an episode, calls, a kind of difference) that difference, or None."""
        lines = ''.join(f'{episode} {",".join(map(str, calls))}\n' for episode, calls, _ in jobs)
        path = pathlib.Path(self.guest.scratch, 'jobs')
        path.write_text(lines)
        linux = episodes_of(run_on_linux(self.args.program,
                                         self.words(seed, 0, '--jobs', str(path))))
        there = str(path) if self.args.machine == 'linux' else '/test/jobs'
        text, _ = self.guest.run(self.words(seed, 0, '--jobs', there), lines)
        umbra = episodes_of(text)
        result = []
        for i, (_, _, kind) in enumerate(jobs):
            found = compare(linux[i], umbra[i], self.exceptions, collections.Counter(), True) \
                if i in umbra else []
            result.append(next((other for other in found if other.kind() == kind), None))
        return result

    def minimise(self, seed, differences):
        """For each difference the fewest calls found that still show one of its kind, as that
        difference; all of them are tried in the same boots."""
        searches = []
        for difference in differences:
            search = shrink(difference)
            searches.append([difference, search, next(search)])
        for _ in range(self.args.rounds):
            jobs = [(difference.episode, cut, difference.kind())
                    for difference, _, cuts in searches for cut in cuts]
            if not jobs:
                break
            found = iter(self.candidates(seed, jobs))
            for each in searches:
                if each[2]:
                    answers = [next(found) for _ in each[2]]
                    best = next((answer for answer in answers if answer), None)
                    each[0] = best or each[0]
                    each[2] = each[1].send([answer is not None for answer in answers])
        return [difference for difference, _, _ in searches]


def shrink(difference):
    """Yields lists of candidates, gets for each whether it still shows the difference; ends with
    an empty list. First the last call alone, then without pieces that get smaller."""
    calls, last = list(range(difference.call)), difference.call
    good = yield [[last], calls[-1:] + [last], calls[-10:] + [last]]
    if any(good):
        calls = [[], calls[-1:], calls[-10:]][good.index(True)]
    pieces = 4
    while calls:
        size = -(-len(calls) // pieces)
        cuts = [calls[:at] + calls[at + size:] for at in range(0, len(calls), size)]
        good = yield [cut + [last] for cut in cuts]
        if any(good):
            calls, pieces = cuts[good.index(True)], max(3, pieces - 1)
        elif size == 1:
            break
        else:
            pieces *= 3
    while True:
        yield []


def kinds_of(differences):
    """Differences by kind, the most frequent first."""
    kinds = collections.defaultdict(list)
    for difference in differences:
        kinds[difference.kind()].append(difference)
    return sorted(kinds.items(), key=lambda item: -len(item[1]))


def report(tap, comparison, seed):
    """The point about one seed, and comments that explain it."""
    version = os.uname()
    for episode, verdict, lines in comparison.deaths:
        tap.comment(f'the machine stopped in episode {episode}: {verdict}')
        for line in lines:
            tap.comment(f'  {line}')
    shown = kinds_of(comparison.differences)
    shown = shown if comparison.args.all else shown[:3]
    examples = [found[0] for _, found in shown]
    if comparison.args.minimise:
        examples = comparison.minimise(seed, examples)
    for (_, found), example in zip(shown, examples):
        tap.comment(f'{len(found)} times like this:')
        example.show(tap.comment, 100 if comparison.args.minimise else CONTEXT)
    good = not comparison.differences and not comparison.deaths
    tap.point(good, f'seed {seed}: {comparison.compared} lines are what {version.sysname} '
                    f'{version.release} prints')


def parse():
    build = HERE.parent / 'build'
    parser = argparse.ArgumentParser(description='Compare the answers of Linux and umbra.')
    parser.add_argument('--kernel', default=build / 'kernel/umbra.elf')
    parser.add_argument('--program', default=build / 'user/tests/guest-same', type=pathlib.Path)
    parser.add_argument('--seed', type=int, action='append', help='default: 1')
    parser.add_argument('--calls', type=int, default=50_000, help='of all seeds together')
    parser.add_argument('--episode', type=int, default=0, metavar='N', help='begin with this one')
    parser.add_argument('--machine', choices=('qemu', 'kvm', 'bochs', 'linux'), default='qemu')
    parser.add_argument('--memory', type=int, default=512, metavar='MB')
    parser.add_argument('--limit', type=float, default=600, metavar='SECONDS', help='of one boot')
    parser.add_argument('--narrow', action='store_true', help='no upper halves in int arguments')
    parser.add_argument('--all', action='store_true', help='show every kind of difference')
    parser.add_argument('--exceptions', type=pathlib.Path, default=EXCEPTIONS, metavar='FILE',
                        help='default: fuzz/divergences.tsv')
    parser.add_argument('--judge', default='calls', help='whose rows of it; default: calls')
    parser.add_argument('--known', type=pathlib.Path, metavar='FILE',
                        help='more exceptions, so that known differences do not hide others')
    parser.add_argument('--minimise', action='store_true', help='find the fewest calls')
    parser.add_argument('--rounds', type=int, default=14, help='boots that --minimise may take')
    return parser.parse_args()


def main():
    args = parse()
    args.program = args.program.resolve()
    args.seed = args.seed or [1]
    tap, exceptions = Tap(), read_exceptions(args.exceptions, args.judge, MAX_EXCEPTIONS)
    if args.known:
        exceptions += read_exceptions(args.known, args.judge, 1000)
    used = collections.Counter()
    with tempfile.TemporaryDirectory(prefix='umbra-same.') as scratch:
        for seed in args.seed:
            comparison = Comparison(args, Guest(args, scratch), exceptions)
            comparison.run(seed, args.episode, args.calls // len(args.seed))
            report(tap, comparison, seed)
            used += comparison.used
    for exception, count in used.items():
        tap.comment(f'{count} times: {exception.what}: {exception.reason}')
    often = [row.what for row in divergences.too_often(used, args.calls)]
    tap.point(not often, f'rare differences are rare: {", ".join(often) or "each of them"}')
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
