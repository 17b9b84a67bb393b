#!/usr/bin/env python3
"""`./umbra tutorial`: the chapters as text, or all of them as a page of HTML, made from their Markdown: headings,
paragraphs, lists, tables, blocks of code. A number that may differ shows its meaning when the mouse is over it."""
import argparse
import html
import os
import pathlib
import pydoc
import re
import shutil
import subprocess
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)  # its own folder has a module "tutorial", too

import tools  # noqa: E402
from tutorial import chapter  # noqa: E402

PAGE_FILE = pathlib.Path(__file__).resolve().parents[2] / 'build' / 'tutorial.html'
STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 Georgia, serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, nav { font-family: system-ui, sans-serif; line-height: 1.2; }
h1 { margin-top: 4rem; }
pre { overflow-x: auto; padding: .8rem 1rem; border-radius: .4rem; line-height: 1.4;
      font-size: .85rem; background: light-dark(#f3f1ec, #1d1f22); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
pre code { font-size: 1em; }
kbd { font: inherit; font-weight: bold; color: light-dark(#00509e, #8ec5ff); }
.gap { opacity: .5; }
abbr { text-decoration: underline dotted; cursor: help; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
nav a { display: inline-block; margin-right: 1rem; }
"""
TABLE_RULE = re.compile(r'\| --- ')
ITEM = re.compile(r'- +(.*)')


def inline(text):
    """The marks within a line: code, bold, emphasis, links."""
    parts = re.split(r'`([^`]+)`', text)
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = f'<code>{html.escape(part)}</code>'
            continue
        part = html.escape(part, quote=False)
        part = re.sub(r'\[([^]]+)\]\((\d)-[^)]*\.md\)', r'<a href="#chapter-\2">\1</a>', part)
        part = re.sub(r'\[([^]]+)\]\(([^)]+)\)', r'<a href="\2">\1</a>', part)
        part = re.sub(r'\*\*([^*]+)\*\*', r'<b>\1</b>', part)
        parts[index] = re.sub(r'\*([^*]+)\*', r'<em>\1</em>', part)
    return ''.join(parts)


def _answer(line, numbers, named):
    """A line of an answer, with the numbers that may differ marked."""
    if line == chapter.ANY_LINES:
        return '<span class="gap">...</span>'
    done, at = '', 0
    for match in chapter.NUMBER.finditer(line):
        name = numbers.name_of(match[0])
        meaning = named.get(name) if name else None
        done += html.escape(line[at:match.start()])
        done += (f'<abbr title="{html.escape(meaning)}; it may differ">{match[0]}</abbr>' if meaning
                 else html.escape(match[0]))
        at = match.end()
    return done + html.escape(line[at:])


def block(language, lines, named):
    """A fenced block."""
    numbers = chapter.Numbers(named)
    shown = []
    for line in lines:
        if language == 'umbra' and line.startswith(chapter.PROMPT):
            typed = html.escape(line[len(chapter.PROMPT):])
            shown.append(f'{chapter.PROMPT}<kbd>{typed}</kbd>')
        elif language == 'umbra':
            shown.append(_answer(line, numbers, named))
        else:
            shown.append(f'<kbd>{html.escape(line)}</kbd>')
    return '<pre><code>' + '\n'.join(shown) + '</code></pre>'


def _table(lines):
    def row(line, cell):
        cells = ''.join(f'<{cell}>{inline(text.strip())}</{cell}>'
                        for text in line.strip('|').split('|'))
        return f'<tr>{cells}</tr>'
    head, _, *rest = lines
    return '<table>' + row(head, 'th') + ''.join(row(line, 'td') for line in rest) + '</table>'


def _paragraph(lines, number):
    """What stands between blank lines."""
    if heading := re.fullmatch(r'(#+) (.*)', lines[0]):
        level = len(heading[1])
        anchor = f' id="chapter-{number}"' if level == 1 and number else ''
        return f'<h{level}{anchor}>{inline(heading[2])}</h{level}>'
    if len(lines) > 1 and TABLE_RULE.match(lines[1]):
        return _table(lines)
    if ITEM.match(lines[0]):
        items = re.split(r'\n- +', '\n' + '\n'.join(lines))[1:]
        return '<ul>' + ''.join(f'<li>{inline(item)}</li>' for item in items) + '</ul>'
    return f'<p>{inline(chr(10).join(lines))}</p>'


def body(text, named, number=0):
    """The HTML of a text; `number` is that of the chapter."""
    done, paragraph, language, inside = [], [], None, []
    for line in [*text.split('\n'), '']:
        fence = chapter.FENCE.fullmatch(line)
        if language is not None and line == '```':
            done.append(block(language, inside, named))
            language, inside = None, []
        elif language is not None:
            inside.append(line)
        elif fence or not line:
            if paragraph:
                done.append(_paragraph(paragraph, number))
            paragraph, language = [], fence[1] if fence else None
        else:
            paragraph.append(line)
    return '\n'.join(done)


def whole():
    """The page with all chapters."""
    start = (chapter.FOLDER / 'README.md').read_text()
    parts = [body(start, {})]
    links = []
    for number, path in chapter.paths().items():
        loaded = chapter.load(number)
        parts.append(body(path.read_text(), loaded.named, number))
        links.append(f'<a href="#chapter-{number}">{number}. {inline(loaded.title)}</a>')
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width">\n'
            f'<title>A tutorial of paging</title>\n<style>{STYLE}</style></head>\n'
            f'<body><nav>{" ".join(links)}</nav>\n' + '\n'.join(parts) + '\n</body></html>\n')


def show(number):
    """Prints a chapter, or the list of them, through a pager on a terminal."""
    path = chapter.paths().get(number, chapter.FOLDER / 'README.md')
    if number is not None and number not in chapter.paths():
        raise chapter.ChapterError(f'there is no chapter {number}')
    pydoc.pager(path.read_text())


def write(target):
    """Writes the page, and opens it where there is a screen."""
    if target == PAGE_FILE:  # the build folder
        target.parent.mkdir(exist_ok=True)
    target.write_text(whole())
    print(target)
    if (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')) and shutil.which('xdg-open'):
        subprocess.run(['xdg-open', str(target)], check=False)


def main():
    parser = argparse.ArgumentParser(prog='umbra tutorial', description='Show the tutorial.')
    parser.add_argument('--html', nargs='?', const=str(PAGE_FILE), metavar='FILE',
                        help=f'write all chapters as a page (default: {PAGE_FILE})')
    parser.add_argument('chapter', type=int, nargs='?')
    args = parser.parse_args()
    with tools.one_sentence(chapter.ChapterError):
        if args.html:
            write(pathlib.Path(args.html))
        else:
            show(args.chapter)


if __name__ == '__main__':
    main()
