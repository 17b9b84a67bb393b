#!/usr/bin/env python3
"""`./umbra tutorial`: the chapters as text, or all of them as a page."""
import argparse
import os
import pathlib
import pydoc
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from tutorial import chapter, page  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'build' / 'tutorial.html'


def show(number):
    """Prints a chapter, or the list of them, through a pager on a terminal."""
    path = chapter.paths().get(number, chapter.FOLDER / 'README.md')
    if number is not None and number not in chapter.paths():
        raise chapter.ChapterError(f'there is no chapter {number}')
    pydoc.pager(path.read_text())


def write(target):
    """Writes the page, and opens it where there is a screen."""
    if target == PAGE:  # the build folder
        target.parent.mkdir(exist_ok=True)
    target.write_text(page.whole())
    print(target)
    if (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')) and shutil.which('xdg-open'):
        subprocess.run(['xdg-open', str(target)], check=False)


def main():
    parser = argparse.ArgumentParser(prog='umbra tutorial', description='Show the tutorial.')
    parser.add_argument('--html', nargs='?', const=str(PAGE), metavar='FILE',
                        help=f'write all chapters as a page (default: {PAGE})')
    parser.add_argument('chapter', type=int, nargs='?')
    args = parser.parse_args()
    try:
        if args.html:
            write(pathlib.Path(args.html))
        else:
            show(args.chapter)
    except (chapter.ChapterError, OSError) as error:
        print(f'umbra: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
