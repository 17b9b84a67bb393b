#!/usr/bin/env python3
"""What the reader for tools finds in ELF files, next to llvm-readobj: readobj.py [--all] PRINT_FILE TABLE FILE|DIR...

Headers, segments, sections, dynamic entries, symbols, relocations and notes of each file are compared, line for line.
A line that only one of the two has, or a table that one of them refuses, is a difference, and each has to be allowed by
a row of TABLE (fuzz/divergences.tsv) whose judge is "llvm-readobj". Of a folder every ELF file is taken, or, without
--all, at most FEW that are not LARGE, evenly. Exit status: 0 no difference, 1 some, 77 llvm-readobj is not there.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'fuzz'))
import divergences  # noqa: E402

READOBJ = ('llvm-readobj-19', 'llvm-readobj')
OPTIONS = ['--elf-output-style=JSON', '--file-header', '--program-headers', '--sections', '--symbols', '--dyn-syms',
           '--relocations', '--dynamic-table', '--notes']
FEW, LARGE = 200, 1 << 19  # files, bytes
CLASS_32 = 1
REFUSED = 'error file 0'
# How llvm-readobj calls what print_file calls otherwise
TABLES = {'dynamic': 'PT_DYNAMIC|dynamic', 'sections': 'section header|e_sh', 'symbols': 'symbol',
          'relocations': 'relocation'}
SHT_SYMTAB, SHT_DYNSYM, SHT_RELR, SHT_NOTE = 2, 11, 19, 7


def number(value):
    return value['Value'] if isinstance(value, dict) else value


def signed(value, bits):
    """A number with a sign, which llvm-readobj does not always show."""
    return value - (1 << bits) if value >> (bits - 1) == 1 else value


def text(name):
    return '=' + name.encode('utf-8', 'surrogatepass').hex()


def theirs(document):
    """The lines of llvm-readobj's answer for one file."""
    header = document['ElfHeader']
    ident = header['Ident']
    bits = 32 if number(ident['Class']) == CLASS_32 else 64
    lines = [f"header {number(ident['Class'])} {number(ident['DataEncoding'])} "
             f"{int(re.search(r'0x([0-9A-F]+)', header['Type'])[1], 16)} {number(header['Machine'])} "
             f"{header['Entry']} {number(header['Flags'])}"]
    for item in document.get('ProgramHeaders', []):
        s = item['ProgramHeader']
        lines.append(f"segment {number(s['Type'])} {s['Offset']} {s['VirtualAddress']} {s['PhysicalAddress']} "
                     f"{s['FileSize']} {s['MemSize']} {number(s['Flags'])} {s['Alignment']}")
    types = {}
    for item in document.get('Sections', []):
        s = item['Section']
        types[s['Index']] = number(s['Type'])
        lines.append(f"section {s['Index']} {number(s['Type'])} {number(s['Flags'])} {s['Address']} {s['Offset']} "
                     f"{s['Size']} {s['Link']} {s['Info']} {s['AddressAlignment']} {s['EntrySize']} "
                     f"{text(s['Name']['Name'])}")
    for item in document.get('DynamicSection', []):
        if item['Tag'] == 0:
            break
        lines.append(f"dynamic {signed(item['Tag'], bits)} {item['Value']}")
    for table, key in (('symtab', 'Symbols'), ('dynsym', 'DynamicSymbols')):
        for item in document.get(key, []):
            s = item['Symbol']
            name = s['Name']['Name']
            lines.append(f"symbol {table} {s['Value']} {s['Size']} {number(s['Binding']) << 4 | number(s['Type'])} "
                         f"{number(s['Other'])} {number(s['Section'])} {s['Name']['Value']} "
                         f"{text(name.split('@')[0] if table == 'dynsym' else name)}")
    for group in document.get('Relocations', []):
        for item in group['Relocs']:
            r = item['Relocation']
            at = f"relocation {group['SectionIndex']} {r['Offset']}"
            lines.append(f'{at} relative' if types.get(group['SectionIndex']) == SHT_RELR else
                         f"{at} {number(r['Type'])} {number(r['Symbol'])} {signed(r.get('Addend', 0), bits)}")
    for group in document.get('NoteSections', []):
        for item in group['NoteSection']['Notes']:
            lines.append(f"note {item['Data size']} {text(item['Owner'])}")
    return lines


def ours(printed):
    """The lines of print_file, as comparable ones: numbers of sections and segments become kinds of tables."""
    lines, types = [], {}
    for line in printed:
        words = line.split()
        if words[0] == 'section':
            types[words[1]] = int(words[2])
        elif words[0] == 'dynamic':
            words = words[:3]
        elif words[0] == 'symbol':
            words[1] = 'dynsym' if types[words[1]] == SHT_DYNSYM else 'symtab'
            if words[1] == 'dynsym' and words[-1].startswith('='):
                words[-1] = text(bytes.fromhex(words[-1][1:]).decode(errors='replace').split('@')[0])
        elif words[0] == 'note':
            words = ['note', words[2], words[3]]
        if words[-1].startswith('='):
            words[-1] = text(bytes.fromhex(words[-1][1:]).decode(errors='replace'))
        lines.append(' '.join(words))
    return lines


def ask(readobj, path):
    """llvm-readobj's lines for the file, and what it complains of."""
    done = subprocess.run([readobj, *OPTIONS, path], capture_output=True, check=False)
    complaints = [re.sub(r'.*?(warning|error): .*?\': ', r'\1: ', line) for line in
                  done.stderr.decode(errors='replace').splitlines()]
    try:
        return theirs(json.loads(done.stdout.decode(errors='replace'))[0]), complaints
    except (ValueError, IndexError):
        return None, complaints


def complained(line, complaints):
    """Whether a table that is refused here is refused there too."""
    words = line.split()
    return words[0] == 'error' and any(re.search(TABLES.get(words[1], words[1]), c) for c in complaints)


def alike(line, other):
    """How many words of two lines are the same."""
    return sum(a == b for a, b in zip(line.split(), other.split()))


def compare(printed, answer):
    """The differences of a file, as pairs (there, here)."""
    there, complaints = answer
    here = ours(printed)
    if there is None:
        return [(complaints[-1] if complaints else 'no answer', here[0])] if here[0] != REFUSED else []
    if here[0] == REFUSED:
        return [(there[0], REFUSED)]
    more, less = collections.Counter(there), collections.Counter(here)
    left, right = list((more - less).elements()), list((less - more).elements())
    differences = []
    for line in left:
        word = line.split()[0]
        partner = max((r for r in right if r.split()[0] == word), key=lambda r: alike(line, r), default='')
        partner = partner or next((r for r in right if r.startswith('error ')), '')
        if partner and not partner.startswith('error '):
            right.remove(partner)
        differences.append((line, partner))
    named = {here for _, here in differences}
    return differences + [('; '.join(complaints), line) for line in right
                          if line not in named and not complained(line, complaints)]


def chosen(arguments, everything):
    for argument in map(pathlib.Path, arguments):
        if not argument.is_dir():
            yield str(argument)
            continue
        files = sorted(f for f in argument.iterdir() if f.is_file() and not f.is_symlink() and
                       (everything or f.stat().st_size <= LARGE) and f.open('rb').read(4) == b'\x7fELF')
        step = 1 if everything or len(files) <= FEW else len(files) / FEW
        yield from (str(files[int(i * step)]) for i in range(int(len(files) / step)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--all', action='store_true')
    parser.add_argument('print_file')
    parser.add_argument('table')
    parser.add_argument('files', nargs='+')
    args = parser.parse_args()
    readobj = next(filter(None, map(shutil.which, READOBJ)), None)
    if readobj is None:
        print('skipped: llvm-readobj-19 is not installed (Debian package llvm-19)')
        return 77
    allowed = divergences.read(args.table, 'llvm-readobj')
    files = list(chosen(args.files, args.all))
    found = kinds = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, answer in zip(files, pool.map(lambda f: ask(readobj, f), files)):
            printed = subprocess.run([args.print_file, path], capture_output=True, check=True, text=True)
            for there, here in compare(printed.stdout.splitlines()[1:], answer):
                what = (here or there).split()[0]
                row = divergences.allows([r for r in allowed if r.what == what], there, here)
                if row is None:
                    print(f'{path}:\n  there {there}\n  here  {here}')
                    found += 1
                else:
                    kinds += 1
    print(f'{len(files)} files, {found} differences, {kinds} lines that the table allows')
    return found > 0


sys.exit(main())
