#!/usr/bin/env python3
"""Draws the pictures of this folder as SVG, or checks that they are what the sources say; --check reports in TAP.

    pictures.py SOURCE-ROOT [--check]

Their sources are pictures.txt here, the table of cases in kernel/mm/fault.c, and the floors in
kernel/tests/floors.py.  Files, functions and constants that a picture names must exist.
"""
import html
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
DOC = ROOT / 'doc'
LINE, WIDTH = 22, 860
STYLE = ('text{font:13px sans-serif;fill:#222}.c{font-family:monospace}.t{font-size:17px;font-weight:bold}'
         'rect{fill:#eef3fa;stroke:#446}.n{fill:#fff1d6}.m{fill:#8a5a00}')


class Drawing:
    """Rectangles and texts, from top to bottom."""

    def __init__(self, title):
        self._parts, self._y = [], 44
        self.text(16, title, 't', 28)

    def text(self, x, words, kind='', y=None):
        self._parts.append(f'<text x="{x}" y="{y or self._y}" class="{kind}">{html.escape(words)}</text>')

    def box(self, left, right='', kind='', x=16, width=WIDTH - 32, column=330):
        """A row with a name and what it means."""
        self._parts.append(f'<rect x="{x}" y="{self._y}" width="{width}" height="{LINE + 4}" rx="4" class="{kind}"/>')
        self.text(x + 10, left, 'c', self._y + 18)
        if right:
            self.text(x + column, right, '', self._y + 18)
        self._y += LINE + 4

    def space(self, height=10):
        self._y += height

    def arrow(self):
        self.text(40, '\u2193', '', self._y + 13)
        self._y += 17

    def note(self, words):
        self.text(60, words, 'm', self._y + 14)
        self._y += 22

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self._y + 16}" '
                f'viewBox="0 0 {WIDTH} {self._y + 16}">\n<style>{STYLE}</style>\n'
                f'<rect width="{WIDTH}" height="{self._y + 16}" style="fill:#fff;stroke:none"/>\n'
                + '\n'.join(self._parts) + '\n</svg>\n')


def text(path):
    return (ROOT / path).read_text(encoding='utf-8')


def source(title):
    """The lines of the picture with this title."""
    lines = (DOC / 'pictures.txt').read_text(encoding='utf-8').splitlines()
    lines = [line for line in lines if line and line[0] != '#']
    first = lines.index('title ' + title) + 1
    end = next((at for at, line in enumerate(lines) if at > first and line.startswith('title ')), len(lines))
    return lines[first:end]


def draw_exec():
    title = 'Life of an exec'
    lines = source(title)
    drawing = Drawing(title)
    for number, line in enumerate(lines):
        if line.startswith('note '):
            drawing.note(line.removeprefix('note '))
            continue
        names, _, meaning = (part.strip() for part in line.partition('|'))
        file, _, function = names.partition(' ')
        if function and not re.search(rf'\b{function}\(', text(file)):
            raise ValueError(f'{file} has no function {function}')
        text(file)
        if number and not lines[number - 1].startswith('note '):
            drawing.arrow()
        drawing.box(function or pathlib.Path(file).name, f'{meaning}   ({file.removeprefix("kernel/")})', column=160)
    return drawing.svg()


def draw_map():
    constants = {name: int(value, 0) for name, value in
                 re.findall(r'#define (\w+)\s+ADDRESS\((0x\w+)\)', text('kernel/arch/layout.h'))}
    title = 'The address map'
    lines = source(title)
    drawing, rows = Drawing(title), []
    for line in lines:
        start, meaning, rights = (part.strip() for part in line.split('|'))
        if start != '0' and start not in constants:
            raise ValueError(f'layout.h has no constant {start}')
        rows.append((constants.get(start, 0), start, meaning, rights))
    if rows != sorted(rows):
        raise ValueError('the rows of the address map are not in ascending order')
    for address, name, meaning, rights in reversed(rows):
        drawing.box(f'{address:#018x}  {name if name != "0" else ""}', meaning + (f'   [{rights}]' if rights else ''),
                    '' if rights else 'n')
    return drawing.svg()


def draw_faults():
    comment = re.match(r'/\*(.*?)\*/', text('kernel/mm/fault.c'), re.S)[1]
    rows = [line.removeprefix(' *').strip() for line in comment.splitlines() if re.search(r' \d+ \S', line)]
    cases = [re.match(r'(.*?)\s+(\d+) (.*)', row) for row in rows]
    cases = [case for case in cases if case]
    numbers = [int(case[2]) for case in cases]
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < 11:
        raise ValueError(f'the table of kernel/mm/fault.c has the cases {numbers}')
    drawing = Drawing('The cases of a page fault: area, allowed, entry, kind of area')
    for case in cases:
        drawing.box(re.sub(r'\s{2,}', ' | ', case[1].strip()), f'{case[2]}. {case[3]}',
                    'n' if int(case[2]) < 3 else '', column=430)
    return drawing.svg()


def draw_floors():
    sys.path.insert(0, str(ROOT / 'kernel/tests'))
    import floors
    drawing = Drawing('The floors of the kernel: a folder uses only folders below its own floor')
    for floor in reversed(floors.FLOORS):
        drawing.box('  '.join(floor), '', column=200)
        drawing.space(4)
    drawing.note('below the kernel: libelfparse and libvfs, which use nothing of it')
    return drawing.svg()


PICTURES = {'exec.svg': draw_exec, 'map.svg': draw_map, 'faults.svg': draw_faults, 'floors.svg': draw_floors}


def complaint(name, draw):
    """What is wrong with a committed picture; None if it is what its sources say."""
    try:
        drawn = draw()
    except (OSError, ValueError) as error:
        return str(error)
    path = DOC / name
    if not path.exists() or path.read_text(encoding='utf-8') != drawn:
        return f'python3 doc/pictures.py . makes another {name}'
    return None


def main():
    if '--check' not in sys.argv:
        for name, draw in PICTURES.items():
            (DOC / name).write_text(draw(), encoding='utf-8')
        return 0
    failed = False
    print(f'1..{len(PICTURES)}')
    for number, (name, draw) in enumerate(PICTURES.items(), 1):
        wrong = complaint(name, draw)
        print(f'{"not ok" if wrong else "ok"} {number} - {name} is what its sources say')
        if wrong:
            print(f'# {wrong}')
        failed = failed or bool(wrong)
    return failed


if __name__ == '__main__':
    sys.exit(main())
