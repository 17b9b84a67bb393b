#!/usr/bin/env python3
"""package.py --meson FOLDER --work FOLDER --out FOLDER [TARGET...]: what build.sh leaves in $OUT."""
import argparse
import os
import shutil
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from driver import build, engines, table  # noqa: E402


def inputs(target, meson):
    """Name and contents of each seed."""
    for entry in engines.corpus_lists.read(target.list):
        yield entry.name, entry.data
    made = os.path.join(meson, 'libelfparse', 'tests', 'corpus')
    known = {entry.name for entry in engines.corpus_lists.read(target.list)}
    for name in sorted(os.listdir(made)) if target.corpus == 'elfparse' else []:
        if name not in known:
            with open(os.path.join(made, name), 'rb') as file:
                yield name, file.read()


def package(target, program, meson, out):
    shutil.copy(program, os.path.join(out, target.name))
    with zipfile.ZipFile(os.path.join(out, target.name + '_seed_corpus.zip'), 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in inputs(target, meson):
            archive.writestr(name, data)
    options = [f'max_len = {target.max_len}']
    if target.dictionary:
        shutil.copy(target.dictionary, os.path.join(out, target.name + '.dict'))
        options.append(f'dict = {target.name}.dict')
    with open(os.path.join(out, target.name + '.options'), 'w', encoding='utf-8') as text:
        text.write('[libfuzzer]\n' + ''.join(line + '\n' for line in options))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for word in ('meson', 'work', 'out'):
        parser.add_argument('--' + word, required=True)
    parser.add_argument('targets', nargs='*')
    options = parser.parse_args()
    sanitizer = os.environ.get('SANITIZER', 'address')
    builder = build.Builder(options.work, os.environ, os.cpu_count() or 1)
    for target in table.choose(table.read(), options.targets):
        if sanitizer == 'memory' and 'memory' not in target.sanitizers:
            continue
        program = builder.build(build.describe(os.path.join(options.meson, 'fuzz', 'targets'), target.name))
        package(target, program, options.meson, options.out)
        print(target.name, flush=True)


if __name__ == '__main__':
    main()
