#!/usr/bin/env python3
"""heads.py [--write]: the table of targets in README.md is what the heads of the targets say.

The head of a target is its file's first comment. It has paragraphs that begin with "Input:", "Proves:", "Does not
prove:", "Oracles:" and "Rate:", in this order. A file of several targets
gives one rate each, as "NAME RATE, NAME RATE".
"""
import glob
import os
import re
import sys

FUZZ = os.path.dirname(os.path.abspath(__file__))
FIELDS = ('Input', 'Proves', 'Does not prove', 'Oracles', 'Rate')
FILES = {'fuzz_vfs_cpio': 'fuzz_import', 'fuzz_vfs_tar': 'fuzz_import'}  # of the others: fuzz_NAME.c
BEGIN, END = '<!-- made by heads.py -->\n', '<!-- end -->\n'


def file_of(name):
    stem = FILES.get(name, name.replace('_vfs_', '_'))
    found = glob.glob(f'{FUZZ}/**/{stem}.c', recursive=True)
    if len(found) != 1:
        sys.exit(f'{name}: {len(found)} files')
    return found[0]


def head_of(name):
    """The fields of a target's head."""
    path = file_of(name)
    with open(path, encoding='utf-8') as source:
        comment = source.read().split('*/', 1)[0]
    text = ' '.join(line.lstrip('/* ').rstrip() for line in comment.splitlines())
    parts = re.split('(' + '|'.join(field + ':' for field in FIELDS) + ')', text)[1:]
    fields = {key[:-1]: value.strip() for key, value in zip(parts[::2], parts[1::2])}
    if tuple(fields) != FIELDS or not all(fields.values()):
        sys.exit(f'{path}: the head has {", ".join(fields) or "no field"} instead of {", ".join(FIELDS)}')
    rates = dict(pair.split() for pair in fields['Rate'].split(', ')) if ' ' in fields['Rate'] else {}
    fields['Rate'] = rates.get(name, fields['Rate'])
    if not re.fullmatch(r'[0-9,]+/s', fields['Rate']):
        sys.exit(f'{path}: {fields["Rate"]!r} is not a rate of {name}')
    return fields


def table():
    with open(os.path.join(FUZZ, 'targets.txt'), encoding='utf-8') as lines:
        names = [line.split()[0] for line in lines if line.strip() and not line.startswith('#')]
    rows = ['| target | ' + ' | '.join(field.lower() for field in FIELDS) + ' |', '|' + ' --- |' * (len(FIELDS) + 1)]
    for name in names:
        cells = [cell.rstrip('.').replace('|', '\\|') for cell in head_of(name).values()]
        rows.append(f'| `{name}` | ' + ' | '.join(cells) + ' |')
    return '\n'.join(rows) + '\n'


def main():
    path = os.path.join(FUZZ, 'README.md')
    with open(path, encoding='utf-8') as text:
        before = text.read()
    start, end = before.index(BEGIN) + len(BEGIN), before.index(END)
    after = before[:start] + table() + before[end:]
    if '--write' in sys.argv:
        with open(path, 'w', encoding='utf-8') as out:
            out.write(after)
    elif after != before:
        sys.exit(f'the table of {path} is not what the heads say; to write it: fuzz/heads.py --write')


main()
