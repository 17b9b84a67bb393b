#!/usr/bin/env python3
"""Checks that system calls take typed arguments: no file of kernel/syscall/ names its handlers or parameters
as registers, casts a parameter, or declares a handler that is not in the table. Prints TAP."""
import pathlib
import re
import sys

# Patterns that bypass the typed arguments.
WRONG = {
    'a handler with raw registers': re.compile(r'\bSYSCALL\(\w+\)'),
    'a parameter with the name of a register or of one letter':
        re.compile(r'^[^\n#]*\bsys_\w+\([^)]*\b(?:uint64_t|int64_t|long|unsigned|int|size_t|user_t|virt_t)'
                   r' (?:[a-f]|r[a-ds][ixp]|r\d+)\b', re.M),
    'a user pointer made of a number': re.compile(r'\buser_ptr\((?!0\))'),
    'a user pointer that is opened': re.compile(r'(?<!&)\b\w+\.value\b(?![.\[])'),
}
# Where registers become arguments, where an argument is a number or a pointer as another one says, where
# user memory is printed, and two borders to interfaces that take numbers.
ALLOWED = {
    'a user pointer made of a number': {'wrappers.c', 'prctl.c', 'decode.c', 'descriptor.c'},
    'a user pointer that is opened': {'user.h', 'execve.c'},
}


def findings(folder):
    for path in sorted(folder.glob('*.[ch]')):
        text = path.read_text(encoding='utf-8')
        for what, pattern in WRONG.items():
            if path.name in ALLOWED.get(what, ()):
                continue
            for match in pattern.finditer(text):
                line = text.count('\n', 0, match.end()) + 1
                yield f'{path.name}:{line}: {what}: {match.group(0).strip()}'


def strays(folder):
    """Handlers that the table does not name, and calls of the table without a handler."""
    table = set(re.findall(r'^CALL\(\d+, (\w+),', (folder / 'calls.def').read_text(), re.M))
    defined = set()
    for path in folder.glob('*.c'):
        defined |= set(re.findall(r'^long sys_(\w+)\(', path.read_text(), re.M))
    yield from (f'sys_{name} is not in calls.def' for name in sorted(defined - table))
    yield from (f'{name} has no handler' for name in sorted(table - defined))


def main():
    folder = pathlib.Path(sys.argv[1])
    failed = False
    for number, (what, found) in enumerate({
            'no raw register arguments in syscall/': list(findings(folder)),
            'each call of the table has one handler, and no other exists': list(strays(folder))}.items(), 1):
        print(f'{"not ok" if found else "ok"} {number} - {what}')
        for line in found:
            print(f'# {line}')
        failed = failed or bool(found)
    print('1..2')
    return failed


if __name__ == '__main__':
    sys.exit(main())
