"""The table of allowed differences, divergences.tsv, for the tests that read it."""
import dataclasses
import pathlib
import re
import sys

FOLLOWS = ('go on', 'next episode')


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""
    what: str
    there: re.Pattern
    here: re.Pattern
    follows: str
    reason: str


def read(path, judge):
    """The rows of that judge."""
    table = []
    for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
        if not line or line.startswith('#'):
            continue
        fields = line.split('\t')
        if len(fields) != 6 or fields[4] not in FOLLOWS or not fields[5]:
            sys.exit(f'{path}: {line}: not JUDGE WHAT THERE HERE FOLLOWS REASON')
        if fields[0] == judge:
            table.append(Row(fields[1], re.compile(fields[2]), re.compile(fields[3]), *fields[4:]))
    return table


def allows(rows, there, here):
    """The first row for that pair of answers, or None. What the groups of its two expressions match must be equal."""
    for row in rows:
        theirs, ours = row.there.search(there), row.here.search(here)
        if theirs and ours and theirs.groups() == ours.groups():
            return row
    return None
