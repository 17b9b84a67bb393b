#!/usr/bin/env python3
"""Tests of the tutorial's runner, of its page, and of the table of labs, without a machine; reports in
TAP."""
import contextlib
import html.parser
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import scenario  # noqa: E402
from guest_tap import Tap  # noqa: E402
from tutorial import chapter, lab, tutorial  # noqa: E402

NAMED = {'0x1f000': 'a page', '461': 'a count', '0x40#': 'code', '.c:#': 'a line'}
STEPS = 30  # of the first chapter

# name, the chapter's lines, the lines that are printed, the reason for a refusal or None
COMPARED: tuple[tuple[str, list[str], list[str], str | None], ...] = (
    ('equal lines', ['one 1', 'two'], ['one 1', 'two'], None),
    ('another number', ['one 1'], ['one 2'], 'the line differs'),
    ('a line is missing', ['one', 'two'], ['one'], 'the answer ends'),
    ('a line too many', ['one'], ['one', 'two'], 'a line too many'),
    ('no line', [], ['one'], 'a line too many'),
    ('lines left out at the end', ['one', '...'], ['one', 'two', 'three'], None),
    ('lines left out between', ['one', '...', 'three'], ['one', 'two', '2', 'three'], None),
    ('nothing is left out', ['one', '...', 'two'], ['one', 'two'], None),
    ('the line after a gap is not there', ['...', 'four'], ['one', 'two'], 'no line is like it'),
    ('another page', ['CR3 0x1f000'], ['CR3 0x7000'], None),
    ('the same page twice', ['a 0x1f000', 'b 0x1f000'], ['a 0x7000', 'b 0x7000'], None),
    ('two pages for one', ['a 0x1f000', 'b 0x1f000'], ['a 0x7000', 'b 0x8000'],
     '0x1f000 was 0x7000 before, and is 0x8000 here'),
    ('a page in an entry', ['a 0x1f000', 'b 0x800000000001f027'],
     ['a 0x7000', 'b 0x8000000000007027'], None),
    ('another page in an entry', ['a 0x1f000', 'b 0x800000000001f027'],
     ['a 0x7000', 'b 0x8000000000008027'], '0x1f000 was 0x7000 before, and is 0x8000 here'),
    ('other bits in an entry', ['b 0x800000000001f027'], ['b 0x8000000000007025'],
     '0x8000000000007025 has other bits than 0x800000000001f027 beside the address of the page'),
    ('digits without 0x', ['000000000001f027'], ['0000000000007027'], None),
    ('a page that is not named', ['a 0x2f000'], ['a 0x7000'], 'the line differs'),
    ('another count', ['461 instructions'], ['463 instructions'], None),
    ('two counts for one', ['461', '461'], ['463', '464'], '461 was 463 before, and is 464 here'),
    ('digits of a shape', ['0x401233 main at x.c:44'], ['0x40aaaa main at x.c:7'], None),
    ('another text around a shape', ['0x401233 main at x.c:44'], ['0x401233 main at y.c:44'],
     'the line differs'),
    ('the number of a frame', ['#9  user   main'], ['#10 user   main'], None),
    ('frames of the kernel, and then the program\'s',
     ['#0  kernel a', '...', '#3  user   f', '...', '#5  user   f', '#6  user   m', 'the end'],
     ['#0  kernel a', '#1  kernel b', *(f'#{at}  user   f' for at in (7, 8, 9)), '#10 user   m', 'the end'], None),
    ('a frame of the program too few', ['#3  user   f', '...', '#5  user   f', '#6  user   m'],
     ['#7  user   f', '#8  user   f', '#9  user   m'], 'no line is like it'),
    ('another frame', ['#9  user   main'], ['#9  user   f'], 'the line differs'),
    ('signs of expressions', ['a (b) [c] *'], ['a (b) [c] *'], None),
)


def test_compare(tap):
    """Each kind of difference is found, and no other."""
    for name, expected, found, reason in COMPARED:
        mismatch = chapter.compare(chapter.Numbers(NAMED), expected, found)
        good = (mismatch.reason if mismatch else None) == reason
        tap.point(good, f'compared: {name}')
        if not good:
            tap.comment(repr(mismatch))


class Runs:
    """A driver that answers from a table."""

    def __init__(self, answers):
        self._answers = answers
        self.typed = []

    @contextlib.contextmanager
    def start(self, words):
        self.typed.append(words)
        yield self

    def execute(self, line, limit):
        self.typed.append(line)
        return self._answers[line]


TEXT = """# A title

```sh
./umbra debug --at kernel -- /bin/hello
```

```umbra
Breakpoint 1: kernel.
umbra> where
Ring 0.
umbra> walk 'a b'
...
```
"""


def test_chapter(tap):
    """A text is played as it says, and a difference comes with the line to be there."""
    read = chapter.parse('a.md', TEXT, {})
    tap.point(read.title == 'A title' and [step.line for step in read.steps] == [9, 11],
              'a chapter has a title and steps')
    runs = Runs({'c': ['Breakpoint 1: kernel.'], 'where': ['Ring 3.'], "walk 'a b'": ['x']})
    played = list(chapter.play(read.sessions[0], chapter.Numbers({}), runs.start))
    tap.point(runs.typed == [['--at', 'kernel', '--', '/bin/hello'], 'c', 'where', "walk 'a b'"],
              'its commands are typed in order')
    tap.point([mismatch is None for _, mismatch, _ in played] == [True, False, True],
              'the answer that differs is found')
    last = read.sessions[0].exchanges[-1]
    tap.point(read.sessions[0].command_to(last)
              == './umbra debug --stay --do where --at kernel -- /bin/hello', 'the line to be there')
    for name, text in (('without a session', '# A\n```umbra\numbra> c\n```\n'),
                       ('without a title', '```sh\n```\n'),
                       ('with an open block', '# A\n```sh\n')):
        try:
            chapter.parse('a.md', text, {})
            tap.point(False, f'a text {name} is refused')
        except chapter.ChapterError:
            tap.point(True, f'a text {name} is refused')


class Tags(html.parser.HTMLParser):
    """Collects tags that are not closed in order, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.bad, self.text, self.ids, self.links = [], [], '', set(), set()

    def handle_starttag(self, tag, attrs):
        if tag != 'meta':
            self.open.append(tag)
        self.ids.update(value for name, value in attrs if name == 'id')
        self.links.update(value for name, value in attrs if name == 'href' and value[0] == '#')

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(tag)

    def handle_data(self, data):
        self.text += data


def test_texts(tap):
    """The chapters can be read, use the numbers that they name, and are all on the page."""
    tags = Tags()
    tags.feed(tutorial.whole())
    tap.point(not tags.bad and not tags.open, 'the page is well-formed')
    tap.point({link[1:] for link in tags.links} == tags.ids and tags.ids, 'its links lead somewhere')
    for number, path in chapter.paths().items():
        read = chapter.load(number)
        missing = [step.command for step in read.steps if step.command not in tags.text]
        tap.point(not missing and read.steps, f'{path.name}: all that is typed is on the page')
        body = '\n'.join('\n'.join(step.expected) for session in read.sessions
                         for step in session.exchanges)
        numbers = chapter.Numbers(read.named)
        used = {numbers.name_of(match[0]) for match in chapter.NUMBER.finditer(body)}
        own = [name for name in chapter.rows(path.read_text()) if '#' not in name]
        unused = [name for name in own if name not in used]
        tap.point(not unused, f'{path.name}: it names no number that it does not have')
        for name in unused:
            tap.comment(name)
    first = chapter.paths()[1].read_text()
    tap.point([f'**Step {n}.**' in first for n in range(1, STEPS + 2)] == [True] * STEPS + [False],
              f'the first chapter has {STEPS} steps')


def test_labs(tap):
    """The table of labs: known rules and levels, and the judge."""
    rules, labs = lab.table()
    tap.point(len(labs) == 10, 'there are ten labs')
    tap.point({each['rule'] for each in labs} == set(rules), 'each rule is broken in one of them')
    for number, each in enumerate(labs, 1):
        first = each['pages'][0].split('-')
        right = lab.judge(number, each['rule'], first[0], each['level'].lower())
        outside = lab.judge(number, each['rule'], first[1], 'PML4')
        tap.point(all(right.values()), f'lab {number}: the answer is right')
        tap.point(outside['rule'] and not outside['level']
                  and (len(each['pages']) > 1 or not outside['address']),
                  f'lab {number}: an address after it and another level are not')


COMMANDS = (  # of lab.py and tutorial.py: words, status, what is said
    ('lab.py', 'check 1 write-xor-execute 0x407010 PT', 0, 'rule: right\naddress: right\nlevel: right'),
    ('lab.py', 'check 1 private 0x401000 PD', 1, 'rule: no\naddress: no\nlevel: no'),
    ('lab.py', 'check 1 nonsense 0 PT', 2, 'nonsense is not a rule'),
    ('lab.py', 'check 1 private nonsense PT', 2, 'nonsense is not an address'),
    ('lab.py', 'check 1 private 0 PE', 2, 'PE is not a level'),
    ('lab.py', 'check 1', 2, 'check wants four words'),
    ('lab.py', 'plant 11', 2, 'there is no lab 11: 1 to 10'),
    ('lab.py', 'plant 10', 0, 'tlb_not_flushed'),
    ('lab.py', 'list', 0, '10. As in lab 3'),
    ('tutorial.py', '2', 0, '# Copy-on-write by eye'),
    ('tutorial.py', '9', 2, 'there is no chapter 9'),
    ('tutorial.py', '', 0, '# A tutorial of paging'),
)


def test_commands(tap):
    """The two programs that a reader calls."""
    for name, words, status, said in COMMANDS:
        done = subprocess.run([sys.executable, chapter.FOLDER / name, *words.split()], check=False,
                              capture_output=True, text=True)
        good = done.returncode == status and said in done.stdout + done.stderr
        tap.point(good, f'{name} {words}: {status}')
        if not good:
            tap.comment(f'{done.returncode}, {done.stdout!r} {done.stderr!r}')


PLAN = {'words': ['noaslr', 'eager', 'init=/bin/x', 'stop=exec,cow', '--', 'fork'],
        'step': [{'stop': 'exec', 'program': '/bin/x'}, {'stop': 'cow', 'pid': 1}]}


def test_scenarios(tap):
    """The command line of the debugger to a step of a scenario that has failed, printed once."""
    begin = "--at exec:/bin/x --append eager --cpu c --initrd a.cpio -- /bin/x fork"
    for where, line in (('step 1, exec: x', f'./umbra debug {begin}'),
                        ('step 2, cow: x', f"./umbra debug --stay --do 'until cow' {begin}"),
                        ('the scenario runs to its end', None)):
        tap.point(scenario.line_to(PLAN, ['--cpu', 'c', '--initrd', 'a.cpio'], where) == line, f'the line for: {where}')
    tap.point([scenario.planted(f'kernel/{name}.elf') for name in ('umbra', 'umbra.page_extra')]
              == [[], ['--planted', 'page_extra']], 'a planted kernel is named')
    told = []
    silent = Tap()
    silent.comment, silent.point = told.append, lambda good, text: None
    report = scenario.Report(silent, None, lambda where: f'line {where[5]}')
    for step, complaints in ((1, []), (2, ['a']), (2, ['b']), (3, ['c'])):
        report.check(f'step {step}, x', complaints)
    tap.point(told == ['a', 'to be there: line 2', 'b', 'c', 'to be there: line 3'],
              'a step that fails gives its line once')


def main():
    tap = Tap()
    test_scenarios(tap)
    test_commands(tap)
    test_compare(tap)
    test_chapter(tap)
    test_texts(tap)
    test_labs(tap)
    tap.finish()
    return int(tap.failed > 0)


if __name__ == '__main__':
    sys.exit(main())
