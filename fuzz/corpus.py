#!/usr/bin/env python3
"""The committed corpora: text files with one input a line, in three columns that a tab ends: name, reason, base64.

    corpus.py unpack LIST FOLDER [--stamp FILE] [--maker PROGRAM]
    corpus.py pack LIST FOLDER          the files of FOLDER become the list; known reasons are kept
    corpus.py adopt LIST INPUT NAME REASON
    corpus.py check LIST...

An input whose reason is `coverage` came from fuzzing and may be replaced when the corpus is minimised. Every other
reason says what the input is for, and the input stays. Lines are in the order of their names. The stamp is written
last. MAKER is a program that writes further inputs into the folder which it is given.
"""
import argparse
import base64
import binascii
import hashlib
import os
import re
import shutil
import subprocess
import sys

COVERAGE = 'coverage'
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*\Z')


class Entry:
    """An input of a corpus."""

    def __init__(self, name, reason, data):
        self.name, self.reason, self.data = name, reason, data

    def line(self):
        return '\t'.join((self.name, self.reason, base64.b64encode(self.data).decode()))


def parse(line):
    """The entry of a line. Raises ValueError if the line is not one."""
    columns = line.split('\t')
    if len(columns) != 3:
        raise ValueError(f'{len(columns)} columns instead of 3')
    name, reason, text = columns
    if not NAME.match(name):
        raise ValueError(f'the name {name!r} is not a file name of letters, digits, dots and dashes')
    if not reason.strip():
        raise ValueError(f'{name} has no reason')
    try:
        return Entry(name, reason, base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError(f'{name}: {error}') from error


def read(path):
    """The entries of a list, checked. Raises ValueError with the line's number."""
    entries, names, contents = [], set(), {}
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith('#') or not line.strip():
                continue
            try:
                entry = parse(line.rstrip('\n'))
                if entry.name in names:
                    raise ValueError(f'{entry.name} is there twice')
                if entry.data in contents:
                    raise ValueError(f'{entry.name} and {contents[entry.data]} are the same input')
                if entries and entry.name < entries[-1].name:
                    raise ValueError(f'{entry.name} comes after {entries[-1].name}')
            except ValueError as error:
                raise ValueError(f'{path}:{number}: {error}') from error
            entries.append(entry)
            names.add(entry.name)
            contents[entry.data] = entry.name
    return entries


def write(path, entries):
    """Replaces a list; its comments stay."""
    comments = []
    if os.path.exists(path):
        with open(path, encoding='utf-8') as lines:
            comments = [line for line in lines if line.startswith('#')]
    text = ''.join(comments) + ''.join(entry.line() + '\n' for entry in sorted(entries, key=lambda e: e.name))
    with open(path + '.new', 'w', encoding='utf-8') as out:
        out.write(text)
    os.replace(path + '.new', path)


def name_of(data):
    """The name of an input that has no better one."""
    return hashlib.sha1(data).hexdigest()[:12]


def unpack(path, folder, maker=None):
    """Makes FOLDER hold the inputs of a list, and those of a program, and nothing else."""
    entries = read(path)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if maker:
        subprocess.run([maker, folder], check=True)
    for entry in entries:
        with open(os.path.join(folder, entry.name), 'xb') as out:
            out.write(entry.data)
    return entries


def pack(path, folder):
    known = {entry.data: entry for entry in (read(path) if os.path.exists(path) else [])}
    kept = {data: entry for data, entry in known.items() if entry.reason != COVERAGE}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), 'rb') as file:
            data = file.read()
        kept.setdefault(data, known.get(data) or Entry(name_of(data), COVERAGE, data))
    write(path, kept.values())
    return len(kept)


def adopt(path, source, name, reason):
    """Adds a file to a list. Raises ValueError if the list has it, or cannot take it."""
    with open(source, 'rb') as file:
        data = file.read()
    entries = read(path) if os.path.exists(path) else []
    for entry in entries:
        if entry.data == data and entry.reason != COVERAGE:
            raise ValueError(f'{path} has this input already, as {entry.name}')
        if entry.name == name:
            raise ValueError(f'{path} has another input called {name}')
    new = parse(Entry(name, reason, data).line())
    write(path, [entry for entry in entries if entry.data != data] + [new])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('command', choices=('unpack', 'pack', 'adopt', 'check'))
    parser.add_argument('words', nargs='+')
    parser.add_argument('--stamp')
    parser.add_argument('--maker')
    options = parser.parse_args()
    words = options.words
    if len(words) != {'unpack': 2, 'pack': 2, 'adopt': 4, 'check': len(words)}[options.command]:
        parser.error(f'{options.command}: the wrong number of arguments')
    if options.command == 'unpack':
        unpack(*words, maker=options.maker)
    elif options.command == 'pack':
        print(pack(*words), 'inputs')
    elif options.command == 'adopt':
        adopt(*words)
    else:
        for path in words:
            print(f'{path}: {len(read(path))} inputs')
    if options.stamp:
        with open(options.stamp, 'w', encoding='utf-8'):
            pass


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f'corpus: {error}')
