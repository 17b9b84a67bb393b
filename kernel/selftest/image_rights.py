#!/usr/bin/env python3
"""Checks the rights that the kernel image's headers ask for: image_rights.py IMAGE.

No segment and no section is writable and executable, and constants are not writable. Prints TAP points.
"""
import re
import subprocess
import sys

SECTION = re.compile(r'^\s*\[\s*\d+\] (\.\S+)\s+(?:PROGBITS|NOBITS)\s+(?:\S+\s+){4}([A-Z]*)\s', re.M)
SEGMENT = re.compile(r'^\s*LOAD(?:\s+0x\S+){5}\s+([RWE ]{3})', re.M)


def readelf(option, image):
    return subprocess.run(['readelf', '-W', option, image], check=True, text=True, capture_output=True).stdout


def main():
    segments = SEGMENT.findall(readelf('-l', sys.argv[1]))
    sections = dict(SECTION.findall(readelf('-S', sys.argv[1])))
    points = {
        'segments are not writable and executable':
            bool(segments) and not any('W' in rights and 'E' in rights for rights in segments),
        'sections are not writable and executable':
            bool(sections) and not any('W' in rights and 'X' in rights for rights in sections.values()),
        'constants are not writable': sections.get('.rodata') == 'A',
        'code is not writable': sections.get('.text') == 'AX',
    }
    print(f'1..{len(points)}')
    for number, (name, holds) in enumerate(points.items(), 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}")
    if not all(points.values()):
        print(f'# segments: {segments}, sections: {sections}', file=sys.stderr)
    sys.exit(not all(points.values()))


main()
