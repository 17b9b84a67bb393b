#!/usr/bin/env python3
"""Checks that physical, virtual and user addresses (kernel/arch/phys.h) cannot be mixed up.

    addresses.py KERNEL_SOURCES COMPILER...

Compiles one line for each pair of them, with the kernel's warnings as errors: it must be refused for the
reason that is expected. The same line without the mistake must compile. Prints TAP.
"""
import subprocess
import sys

PROLOGUE = '''#include "arch/phys.h"
void take_phys(phys_t), take_virt(virt_t), take_user(user_t), take_number(uint64_t);
void test(phys_t p, virt_t v, user_t u);
void test(phys_t p, virt_t v, user_t u)
{
    (void)p, (void)v, (void)u;
    %s
}
'''
LINE = PROLOGUE[:PROLOGUE.index('%s')].count('\n') + 1  # where the error must be
WRONG = {
    'a virtual address for a physical one': 'take_phys(v);',
    'a user pointer for a physical one': 'take_phys(u);',
    'a physical address for a virtual one': 'take_virt(p);',
    'a user pointer for a virtual one': 'take_virt(u);',
    'a physical address for a user pointer': 'take_user(p);',
    'a virtual address for a user pointer': 'take_user(v);',
    'the assignment of a physical address to a virtual one': 'v = p;',
    'the assignment of a user pointer to a virtual address': 'v = u;',
    'a number for a physical address': 'take_phys(4096);',
    'a number for a virtual address': 'take_virt(4096);',
    'a number for a user pointer': 'take_user(4096);',
    'a kernel pointer for a physical address': 'take_phys(&v);',
    'a kernel pointer for a virtual address': 'take_virt(&p);',
    'a kernel pointer for a user pointer': 'take_user(&v);',
    'a virtual address for a number': 'take_number(v);',
    'a physical address for a number': 'take_number(p);',
    'a user pointer for a number': 'take_number(u);',
    'a virtual address for a kernel pointer': '(void *)v;',
    'a virtual address that is dereferenced': '(void)*v;',
    'a user pointer that is dereferenced': '(void)*u;',
    'the sum of a physical and a virtual address': '(void)(p + v);',
    'the sum of a virtual address and a number': 'v = v + 4096;',
    'the difference of two virtual addresses as an operator': '(void)(v - v);',
    'the comparison of two virtual addresses as an operator': '(void)(v < v);',
    'the comparison of a virtual address and a number': '(void)(v == 0);',
    'a virtual address as a condition': 'if (v) return;',
    'a physical address in a range of virtual ones': '(void)virt_distance(v, p);',
    'a user pointer in a range of virtual ones': '(void)virt_min(v, u);',
}
RIGHT = {
    'each where it belongs': 'take_phys(p); take_virt(v); take_user(u);',
    'each converted by name': 'take_phys(phys(v.value)); take_virt(user_virt(u)); take_user(user_ptr(v.value));',
    'a distance is a number': 'take_virt(virt(4096)); take_number(virt_distance(v, virt_add(v, 1)));',
}


def compiles(compiler, include, line):
    command = [*compiler, '-std=c17', '-ffreestanding', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
               '-I', include, '-x', 'c', '-']
    result = subprocess.run(command, input=PROLOGUE % line, capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stderr


def main():
    include, *compiler = sys.argv[1:]
    points = []
    for name, line in RIGHT.items():
        good, output = compiles(compiler, include, line)
        points.append((good, f'{name}: compiles', output))
    for name, line in WRONG.items():
        good, output = compiles(compiler, include, line)
        points.append((not good and f'<stdin>:{LINE}:' in output, f'{name}: does not compile', output or line))
    print(f'1..{len(points)}')
    for number, (good, name, output) in enumerate(points, 1):
        print('ok' if good else 'not ok', number, '-', name)
        if not good:
            print('\n'.join('# ' + text for text in output.splitlines()))
    return 0 if all(good for good, _, _ in points) else 1


sys.exit(main())
