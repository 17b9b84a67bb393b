#!/usr/bin/env python3
"""The targets: what targets.txt says of each, and what runs of them leave behind: corpora, totals and finds, in the
user's state folder and never below build/.

table.py [--write]: the table of targets in README.md is what the heads of the targets say.

The head of a target is its file's first comment. It has paragraphs that begin with "Input:", "Proves:", "Does not
prove:", "Oracles:" and "Rate:", in this order. A file of several targets gives one rate each, as "NAME RATE, NAME
RATE".
"""
import glob
import json
import os
import re
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FUZZ = os.path.join(ROOT, 'fuzz')
FIELDS = ('Input', 'Proves', 'Does not prove', 'Oracles', 'Rate')
FILES = {'fuzz_vfs_cpio': 'fuzz_import', 'fuzz_vfs_tar': 'fuzz_import'}  # of the others: fuzz_NAME.c
BEGIN, END = '<!-- made by driver/table.py -->\n', '<!-- end -->\n'


class Error(Exception):
    """What the user is told, without a trace."""


class Target:
    """A line of targets.txt."""

    def __init__(self, name, corpus, dictionary, max_len, sanitizers, base):
        self.name, self.corpus = name, corpus
        self.dictionary = None if dictionary == '-' else os.path.join(base, dictionary)
        self.max_len = int(max_len)
        self.sanitizers = sanitizers
        self.list = None if corpus == '-' else os.path.join(base, 'corpus', corpus + '.txt')


def read(path=os.path.join(FUZZ, 'targets.txt')):
    """The targets by name, in the order of the table."""
    targets, base = {}, os.path.dirname(os.path.abspath(path))
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith('#'):
                continue
            if len(words) < 5:
                raise Error(f'{path}:{number}: a target has at least five columns')
            if words[0] in targets:
                raise Error(f'{path}:{number}: {words[0]} is there twice')
            targets[words[0]] = Target(*words[:4], words[4:], base)
    return targets


def choose(targets, names):
    """Those of the names, which may lack their prefix; all for no name and for `all`."""
    chosen = []
    for name in names:
        if name == 'all':
            return list(targets.values())
        full = name if name in targets else 'fuzz_' + name
        if full not in targets:
            raise Error(f"no fuzz target '{name}'; there are: " + ' '.join(targets))
        if targets[full] not in chosen:
            chosen.append(targets[full])
    return chosen or list(targets.values())


def base(option):
    """The folder of all targets: --corpus DIR, or umbra/fuzz in the state folder of the XDG specification."""
    if option:
        folder = os.path.abspath(option)
    else:
        home = os.environ.get('XDG_STATE_HOME') or os.path.join(os.path.expanduser('~'), '.local', 'state')
        folder = os.path.join(home, 'umbra', 'fuzz')
    build = os.path.join(ROOT, 'build')
    if os.path.commonpath([os.path.realpath(folder), os.path.realpath(build)]) == os.path.realpath(build):
        raise Error(f'{folder} is below build/, which `./umbra clean` removes')
    return folder


def write_json(path, value):
    """Replaces a file at once, so that one who is stopped leaves the old one."""
    with open(path + '.new', 'w', encoding='utf-8') as out:
        json.dump(value, out, indent=1, sort_keys=True)
        out.write('\n')
    os.replace(path + '.new', path)


class State:
    """A target's totals over all runs, and its corpus."""

    def __init__(self, folder, target):
        self.target = target
        self.folder = os.path.join(folder, target.name)
        self.corpus = os.path.join(self.folder, 'corpus')
        self.path = os.path.join(self.folder, 'state.json')
        self.executions, self.seconds, self.features = 0, 0.0, 0
        self.rate, self.last_new, self.finds = 0, 0, 0
        self.load()

    def load(self):
        try:
            with open(self.path, encoding='utf-8') as text:
                for key, value in json.load(text).items():
                    setattr(self, key, value)
        except FileNotFoundError:
            pass

    def save(self):
        os.makedirs(self.corpus, exist_ok=True)
        write_json(self.path, {key: getattr(self, key) for key in
                               ('executions', 'seconds', 'features', 'rate', 'last_new', 'finds')})

    def corpus_size(self):
        return len(os.listdir(self.corpus)) if os.path.isdir(self.corpus) else 0


def age(then):
    """How long ago, in the largest unit that fits."""
    if not then:
        return '-'
    seconds = max(0, int(time.time() - then))
    for unit, length in (('d', 86400), ('h', 3600), ('m', 60)):
        if seconds >= length:
            return f'{seconds // length}{unit}'
    return f'{seconds}s'


NAME = 22  # columns for the name of a target
HEAD = f'{"target":{NAME}} {"executions":>14} {"rate/s":>8} {"features":>8} {"corpus":>7} {"last new":>8} {"finds":>5}'


def row(state, running=''):
    return (f'{state.target.name:{NAME}} {state.executions:14,} {state.rate:8,.0f} {state.features:8} '
            f'{state.corpus_size():7} {age(state.last_new):>8} {state.finds:5} {running}').rstrip()


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


def rows():
    lines = ['| target | ' + ' | '.join(field.lower() for field in FIELDS) + ' |', '|' + ' --- |' * (len(FIELDS) + 1)]
    for name in read():
        cells = [cell.rstrip('.').replace('|', '\\|') for cell in head_of(name).values()]
        lines.append(f'| `{name}` | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'


def main():
    path = os.path.join(FUZZ, 'README.md')
    with open(path, encoding='utf-8') as text:
        before = text.read()
    start, end = before.index(BEGIN) + len(BEGIN), before.index(END)
    after = before[:start] + rows() + before[end:]
    if '--write' in sys.argv:
        with open(path, 'w', encoding='utf-8') as out:
            out.write(after)
    elif after != before:
        sys.exit(f'the table of {path} is not what the heads say; to write it: fuzz/driver/table.py --write')


if __name__ == '__main__':
    main()
