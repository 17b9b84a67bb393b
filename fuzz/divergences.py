"""The table of allowed differences, divergences.tsv, for the tests that read it."""
import dataclasses
import pathlib
import re
import sys

FOLLOWS = re.compile(r'(go on|next episode)(?:, at most (\d+) in 1000000)?')


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""
    what: str
    there: re.Pattern
    here: re.Pattern
    follows: str
    most: float  # times in 1,000,000 comparisons
    reason: str


def read(path, judge):
    """The rows of that judge."""
    table = []
    for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
        if not line or line.startswith('#'):
            continue
        fields = line.split('\t')
        follows = FOLLOWS.fullmatch(fields[4]) if len(fields) == 6 else None
        if not follows or not fields[5]:
            sys.exit(f'{path}: {line}: not JUDGE WHAT THERE HERE FOLLOWS REASON')
        if fields[0] == judge:
            table.append(Row(fields[1], re.compile(fields[2]), re.compile(fields[3]), follows[1],
                             float(follows[2] or 'inf'), fields[5]))
    return table


def allows(rows, there, here):
    """The first row that allows this pair of answers, or None. The groups of both expressions must match the same."""
    for row in rows:
        theirs, ours = row.there.search(there), row.here.search(here)
        if theirs and ours and theirs.groups() == ours.groups():
            return row
    return None


def too_often(used, comparisons):
    """The rows of a counter that were needed more often than they may be; once is always allowed."""
    return [row for row, count in used.items() if count > 1 + row.most * comparisons / 1_000_000]
