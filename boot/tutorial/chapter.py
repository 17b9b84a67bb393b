"""A chapter of the tutorial: a text in Markdown with sessions of the debugger in it.

A block ```sh with a line "./umbra debug ..." begins a session. A block ```umbra has what is typed
after the prompt "umbra> " and the answers; what precedes the first prompt is the first stop.

What the debugger prints is compared with what a chapter shows. Numbers that may differ from machine
to machine, or from build to build, are named in a table of the chapter; all others must be equal.

A row of such a table has the number as the chapter shows it, and its meaning:

    `0x1f000`          a page: any page may be there, but the same one wherever the chapter has it. It
                       counts too where it is a part of a number: 0x1f027 is this page with other low
                       bits, as in an entry of a page table.
    `29310`            a count: any number, the same one everywhere
    `+0x#`, `.c:#`     # are the digits of any number

The compiler decides how many functions of the kernel are inlined and thus lines of a backtrace: the numbers of the
program's frames are compared with each other only, those of the kernel's not at all.
"""
import dataclasses
import pathlib
import re
import shlex

ADDRESS = 0x000f_ffff_ffff_f000  # the bits of a page's address in an entry of a page table
ROW = re.compile(r'\| `([^`]+)` +\| (.*?) *\|')
NUMBER = re.compile(r'0x[0-9a-f]+|[0-9a-f]{16}|\d+')
DIGITS = '[0-9a-f]+'
ANY_LINES = '...'
FRAME = re.compile(r'#\d+ +')  # of a backtrace
USER_FRAME = re.compile(r'#(\d+) +user ')


@dataclasses.dataclass(frozen=True)
class Mismatch:
    """The first line that is not as expected."""
    expected: str
    found: str
    reason: str = ''


def rows(text):
    """{number: meaning} of all tables of numbers in a text."""
    return {match[1]: match[2] for match in map(ROW.fullmatch, text.split('\n')) if match}


class Numbers:
    """The numbers that may differ, with the values that they have in this run."""

    def __init__(self, named):
        self._shapes = {text: re.escape(text).replace(r'\#', DIGITS) for text in named
                        if '#' in text}
        exact = [text for text in named if '#' not in text]
        self._pages = {int(text, 16) for text in exact if text.startswith('0x')}
        self._counts = {text for text in exact if not text.startswith('0x')}
        self._bound = {}

    def name_of(self, token):
        """The name of a number of the chapter that may differ, or None."""
        page = self._page_of(token)
        return f'{page:#x}' if page is not None else token if token in self._counts else None

    def _page_of(self, token):
        """The page that a hexadecimal number has in it, if it is a named one."""
        if not token.startswith('0x') and len(token) != 16:
            return None
        page = int(token, 16) & ADDRESS
        return page if page in self._pages else None

    def _pattern(self, line):
        """(regular expression for a line, its numbers that may differ)."""
        frame = FRAME.match(line)
        pattern, tokens, at = (FRAME.pattern, [], frame.end()) if frame else ('', [], 0)
        while at < len(line):
            shape = next((shape for shape in self._shapes.values()
                          if re.compile(shape).match(line, at)), None)
            number = NUMBER.match(line, at)
            if shape:
                pattern += shape
                at = re.compile(shape).match(line, at).end()
            elif number:
                named = self.name_of(number[0]) is not None
                pattern += f'((?:0x)?{DIGITS})' if named else re.escape(number[0])
                tokens += [number[0]] if named else []
                at = number.end()
            else:
                pattern += re.escape(line[at])
                at += 1
        return pattern, tokens

    def compare(self, expected, found):
        """'' if a line is as expected, else the reason; what was not known yet is bound."""
        pattern, tokens = self._pattern(expected)
        match = re.fullmatch(pattern, found)
        if match is None:
            return 'the line differs'
        known = dict(self._bound)
        for token, value in zip(tokens, match.groups()):
            reason = self._bind(known, token, value)
            if reason:
                return reason
        self._bound = known
        return ''

    def _bind(self, known, token, value):
        name, have = self.name_of(token), value
        if name != token or name.startswith('0x'):
            have = f'{int(value, 16) & ADDRESS:#x}'
            if (int(token, 16) ^ int(value, 16)) & ~ADDRESS:
                return f'{value} has other bits than {token} beside the address of the page'
        if known.setdefault(name, have) != have:
            return f'{name} was {known[name]} before, and is {have} here'
        return ''


def _shift(expected, found):
    """By how much the number of a frame of the program differs, or None."""
    numbers = [USER_FRAME.match(line) for line in (expected, found)]
    return int(numbers[1][1]) - int(numbers[0][1]) if all(numbers) else None


def compare(numbers, expected, found):
    """None, or the first Mismatch. A line "..." of the chapter stands for any number of lines."""
    at, shift = 0, None
    for index, line in enumerate(expected):
        if line == ANY_LINES:
            continue
        first = at
        skipping = index > 0 and expected[index - 1] == ANY_LINES
        while True:
            if at >= len(found):
                return Mismatch(line, found[first] if first < len(found) else '(nothing)',
                                'no line is like it' if skipping else 'the answer ends')
            here = _shift(line, found[at])
            same = None in (shift, here) or shift == here
            reason = numbers.compare(line, found[at]) if same else 'the frame has another number'
            if not reason:
                shift = here if shift is None else shift
                break
            if not skipping:
                return Mismatch(line, found[at], reason)
            at += 1
        at += 1
    if at < len(found) and (not expected or expected[-1] != ANY_LINES):
        return Mismatch('(the end)', found[at], 'a line too many')
    return None


FOLDER = pathlib.Path(__file__).resolve().parent
PROMPT = 'umbra> '
BEGIN = './umbra debug'
FENCE = re.compile(r'```(\w*)')


class ChapterError(Exception):
    """The text is not a chapter; the message says where."""


def debug_line(words, commands=()):
    """The command line for a terminal that carries out commands and then asks for more."""
    done = [word for command in commands for word in ('--do', command)]
    return shlex.join(['./umbra', 'debug', *(['--stay', *done] if done else []), *words])


@dataclasses.dataclass
class Exchange:
    """What is typed, and what the chapter says is printed. The command of a first stop is empty."""
    line: int
    command: str
    expected: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Played:
    """A session: the words after `./umbra debug`, and what is typed."""
    line: int
    words: list
    exchanges: list = dataclasses.field(default_factory=list)

    def command_to(self, exchange):
        """The command line that repeats the session up to an exchange, for a terminal."""
        before = self.exchanges[:self.exchanges.index(exchange)]
        return debug_line(self.words, [one.command for one in before if one.command])


@dataclasses.dataclass
class Chapter:
    """A file of the tutorial."""
    path: pathlib.Path
    title: str
    sessions: list
    named: dict

    @property
    def steps(self):
        """What is typed, in all sessions."""
        return [exchange for session in self.sessions for exchange in session.exchanges
                if exchange.command]


def blocks(text):
    """(number of the first line, language, lines) of each fenced block."""
    language, begin, inside = None, 0, []
    for number, line in enumerate(text.split('\n'), 1):
        fence = FENCE.fullmatch(line)
        if fence and language is None:
            language, begin, inside = fence[1], number + 1, []
        elif line == '```':
            yield begin, language, inside
            language = None
        elif language is not None:
            inside.append(line)
    if language is not None:
        raise ChapterError(f'line {begin}: the block has no end')


def _exchanges(begin, lines):
    found = []
    for number, line in enumerate(lines, begin):
        if line.startswith(PROMPT):
            found.append(Exchange(number, line[len(PROMPT):]))
        else:
            found = found or [Exchange(number, '')]
            found[-1].expected.append(line)
    return found


def parse(path, text, common):
    """The Chapter in a text; `common` are numbers that may differ in every chapter."""
    sessions = []
    for begin, language, lines in blocks(text):
        if language == 'sh' and lines and lines[0].startswith(BEGIN):
            sessions.append(Played(begin, shlex.split(lines[0])[2:]))
        elif language == 'umbra':
            if not sessions:
                raise ChapterError(f'{path}: line {begin}: no session has begun')
            sessions[-1].exchanges += _exchanges(begin, lines)
    title = re.search(r'^# (.*)', text, re.M)
    if not title:
        raise ChapterError(f'{path}: there is no title')
    return Chapter(path, title[1], sessions, {**common, **rows(text)})


def paths():
    """The files of the chapters, by number."""
    found = FOLDER.glob('[0-9]-*.md')
    return {int(path.name[0]): path for path in sorted(found)}


def load(number):
    """The chapter with a number."""
    known = paths()
    if number not in known:
        raise ChapterError(f'there is no chapter {number}: {", ".join(map(str, known))}')
    common = rows((FOLDER / 'README.md').read_text())
    return parse(known[number], known[number].read_text(), common)


def play(session, numbers, start):
    """Plays a session: `start(words)` is a context manager whose driver carries out lines. Yields
    (exchange, Mismatch or None, the lines that were printed)."""
    with start(session.words) as driver:
        first = list(driver.execute('c', limit=120))
        exchanges = session.exchanges
        if exchanges and not exchanges[0].command:
            yield exchanges[0], compare(numbers, exchanges[0].expected, first), first
            exchanges = exchanges[1:]
        for exchange in exchanges:
            found = list(driver.execute(exchange.command, limit=120))
            yield exchange, compare(numbers, exchange.expected, found), found
