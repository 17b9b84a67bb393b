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
}
OPENED = 'a user pointer that is opened'
# Where registers become arguments, where an argument is a number or a pointer as another one says, where
# user memory is printed, and two borders to interfaces that take numbers.
ALLOWED = {
    'a user pointer made of a number': {'wrappers.c', 'prctl.c', 'decode.c', 'descriptor.c', 'process.c'},
    OPENED: {'execve.c'},
}


def declared(type_name, text):
    """The names that a text declares with the type: parameters, and variables or fields in a list of their own."""
    names = set(re.findall(r'\b' + type_name + r' \**(\w+)', text))
    return names | fields(type_name, text)


def fields(type_name, text):
    return {name for names in re.findall(r'\b' + type_name + r' ([\w*, ]+);', text)
            for name in re.findall(r'\w+', names)}


def opened(text, all_fields):
    """Where a text, whose functions are looked at one by one, uses the number of a user pointer."""
    start = 0
    for function in text.split('\n}\n'):
        names = (all_fields | declared('user_t', function)) - declared('virt_t', function)
        pattern = r'(?<!&)\b(?:' + '|'.join(sorted(names)) + r')(?:\.|->)value\b(?![.\[])'
        for match in re.finditer(pattern, function):
            yield start + match.end(), match.group(0)
        start += len(function) + len('\n}\n')


def findings(folder):
    texts = {path.name: path.read_text(encoding='utf-8') for path in sorted(folder.glob('*.[ch]'))}
    headers = [path.read_text(encoding='utf-8') for path in folder.glob('../*/*.h')]
    all_fields = set().union(*(fields('user_t', text) for text in [*headers, *texts.values()]))
    for name, text in texts.items():
        found = [(what, match.end(), match.group(0))
                 for what, pattern in WRONG.items() for match in pattern.finditer(text)]
        found += [(OPENED, end, words) for end, words in opened(text, all_fields)]
        for what, end, words in found:
            if name not in ALLOWED.get(what, ()):
                line = text.count('\n', 0, end) + 1
                yield f'{name}:{line}: {what}: {words.strip()}'


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
