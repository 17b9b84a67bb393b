"""A chapter of the tutorial: a text in Markdown with sessions of the debugger in it.

A block ```sh with a line "./umbra debug ..." begins a session. A block ```umbra has what is typed
after the prompt "umbra> " and the answers; what precedes the first prompt is the first stop.
"""
import dataclasses
import pathlib
import re
import shlex

from tutorial import transcript

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
    return Chapter(path, title[1], sessions, {**common, **transcript.rows(text)})


def paths():
    """The files of the chapters, by number."""
    found = FOLDER.glob('[0-9]-*.md')
    return {int(path.name[0]): path for path in sorted(found)}


def load(number):
    """The chapter with a number."""
    known = paths()
    if number not in known:
        raise ChapterError(f'there is no chapter {number}: {", ".join(map(str, known))}')
    common = transcript.rows((FOLDER / 'README.md').read_text())
    return parse(known[number], known[number].read_text(), common)


def play(session, numbers, start):
    """Plays a session: `start(words)` is a context manager whose driver carries out lines. Yields
    (exchange, Mismatch or None, the lines that were printed)."""
    with start(session.words) as driver:
        first = list(driver.execute('c', limit=120))
        exchanges = session.exchanges
        if exchanges and not exchanges[0].command:
            yield exchanges[0], transcript.compare(numbers, exchanges[0].expected, first), first
            exchanges = exchanges[1:]
        for exchange in exchanges:
            found = list(driver.execute(exchange.command, limit=120))
            yield exchange, transcript.compare(numbers, exchange.expected, found), found
