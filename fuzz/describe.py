#!/usr/bin/env python3
"""describe.py FOLDER NAME --args FLAG... --optional FLAG... --sources FILE... [--no-asan FILE...]:
writes FOLDER/NAME.json.

The description of a target, from which build.py compiles it with any compiler and sanitizer. What is optional is a
library that the target uses where there is one; it has none in a build with MemorySanitizer, which would take its
results for uninitialised. The files of --no-asan are sources in a build without AddressSanitizer.
"""
import json
import os
import sys


def main():
    folder, name, *words = sys.argv[1:]
    found = {'name': name, 'args': [], 'optional': [], 'sources': [], 'no-asan': []}
    kind = None
    for word in words:
        if word[:2] == '--' and word[2:] in found:
            kind = word[2:]
        else:
            word = os.path.realpath(word) if kind in ('sources', 'no-asan') else word
            if kind not in ('sources', 'no-asan') or word not in found[kind]:
                found[kind].append(word)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + '.json'), 'w', encoding='utf-8') as out:
        json.dump(found, out, indent=1)


main()
