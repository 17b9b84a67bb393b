#!/usr/bin/env python3
"""test_link_run.py ELFPARSE-RUN: programs without C library, with shared objects of their own, linked and started.

Each is also started by the host's dynamic linker, which must print the same and end with the same status, but where
the case says why not.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

PRELUDE = r'''
static long call(long n, long a, const void *b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
__attribute__((unused)) static void say(const char *text)
{
    long length = 0;
    while (text[length])
        length++;
    call(1, 1, text, length);
}
__attribute__((unused)) static void number(long value)
{
    char digits[24], *at = digits + 23;
    *at = 0;
    *--at = ' ';
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    say(at);
}
'''
# The entry: main of the case, then, where there is an argument, what rdx was, then exit.
START = PRELUDE + r'''
int run(void);
__asm__(".globl _start\n_start: mov %rdx, %rdi\n mov (%rsp), %rsi\n and $-16, %rsp\n call begin");
__attribute__((used)) void begin(void (*end)(void), long argc)
{
    int status = run();
    if (argc > 1)
        end();
    call(60, status, 0, 0);
}
'''
TLS_GET_ADDR = r'''
struct index { unsigned long module, offset; };
void *__tls_get_addr(struct index *index)
{
    char **dtv;
    __asm__("mov %%fs:8, %0" : "=r"(dtv));
    return dtv[2 * index->module] + index->offset;
}
'''


def order(name):
    """A library that says when it is initialised and finalised."""
    return PRELUDE + (f'__attribute__((constructor)) static void up(void) {{ say("+{name} "); }}'
                      f'__attribute__((destructor)) static void down(void) {{ say("-{name} "); }}')


class Case:
    """libraries: (name, source, names of those it needs, further options), in the order of building."""

    def __init__(self, name, main, libraries, output, status=0, options=(), native=True, replace=(), error=None,
                 needs=None, remove=()):
        self.name, self.main, self.libraries, self.output, self.status = name, main, libraries, output, status
        self.options, self.native, self.replace, self.error = list(options), native, replace, error
        self.needs = needs if needs is not None else [library[0] for library in libraries]
        self.remove = remove


NO_PIE = ['-fno-pic', '-no-pie']
CASES = [
    Case('call', 'int f(int); int run(void) { number(f(3)); return 7; }',
         [('a', 'int f(int x) { return x * 2; }', [], [])], '6 ', 7),
    Case('pointer-with-addend', 'extern int t[4]; int *p = &t[2]; int run(void) { number(*p); return 0; }',
         [('a', 'int t[4] = {1, 2, 3, 4};', [], [])], '3 '),
    Case('weak-undefined', '__attribute__((weak)) int f(void); int run(void) { number(f == 0); return 0; }',
         [('a', 'int g;', [], [])], '1 ', options=['-Wl,--no-as-needed']),
    Case('weak-comes-first', 'int f(void); int run(void) { number(f()); return 0; }',
         [('a', '__attribute__((weak)) int f(void) { return 1; }', [], []),
          ('b', 'int f(void) { return 2; }', [], [])], '1 '),
    Case('program-interposes', 'int g(void); int f(void) { return 5; } int run(void) { number(g()); return 0; }',
         [('a', 'int f(void) { return 1; } int g(void) { return f(); }', [], [])], '5 '),
    Case('protected', 'int g(void); int f(void) { return 5; } int run(void) { number(g()); return 0; }',
         [('a', '__attribute__((visibility("protected"))) int f(void) { return 1; } int (*p)(void) = f;'
           ' int g(void) { return p(); }', [], [])], '1 '),
    Case('symbolic', 'int g(void); int v = 5; int run(void) { number(g()); return 0; }',
         [('a', 'int v = 1; int *p = &v; int g(void) { return *p; }', [], ['-Wl,-Bsymbolic'])], '1 '),
    Case('symbolic-by-flag', 'int g(void); int f(void) { return 5; } int run(void) { number(g()); return 0; }',
         [('a', 'int f(void); int g(void) { return f(); } __asm__(".globl f\\nf: mov $1, %eax\\n ret");', [],
           ['-Wl,-Bsymbolic'])], '1 '),
    Case('breadth-first', 'int f(void); int g(void); int run(void) { number(f() + 10 * g()); return 0; }',
         [('z', 'int f(void) { return 3; }', [], []), ('a', 'int f(void); int g(void) { return f(); }', ['z'], []),
          ('b', 'int f(void) { return 2; }', [], [])], '22 ', needs=['a', 'b']),
    Case('copy', 'extern int v; int get(void); int run(void) { number(v); v = 9; number(get()); return 0; }',
         [('a', 'int v = 4; int get(void) { return v; }', [], [])], '4 9 ', options=NO_PIE),
    Case('copy-of-a-pointer', 'extern int *p; int run(void) { number(*p); return 0; }',
         [('a', 'static int v = 8; int *p = &v;', [], [])], '8 ', options=NO_PIE),
    Case('address-of-a-function', 'int f(void); int same(int (*)(void)); int (*volatile q)(void) = f;'
         ' int run(void) { number(same(q)); number(q()); return 0; }',
         [('a', 'int f(void) { return 6; } int same(int (*p)(void)) { return p == f; }', [], [])], '1 6 ',
         options=NO_PIE),
    Case('versions', 'int f(void); int old(void); __asm__(".symver old, f@V1");'
         ' int run(void) { number(f()); number(old()); return 0; }',
         [('a', 'int f1(void) { return 1; } int f2(void) { return 2; }'
           ' __asm__(".symver f1, f@V1\\n.symver f2, f@@V2");', [], ['V1 { global: f; local: *; }; V2 { } V1;'])],
         '2 1 '),
    Case('reference-without-version', 'int f(void); int run(void) { number(f()); return 0; }',
         [('a', 'int f(void) { return 0; }', [], [])], '1 ',
         replace=[('a', 'int f1(void) { return 1; } int f2(void) { return 2; }'
                   ' __asm__(".symver f1, f@V1\\n.symver f2, f@@V2");', [],
                   ['V1 { global: f; local: *; }; V2 { } V1;'])]),
    Case('tls-of-a-library', TLS_GET_ADDR + 'extern int *at(void); extern __thread int v;'
         ' int run(void) { number(*at()); *at() = 3; number(v); return 0; }',
         [('a', '__thread int v = 11; int *at(void) { return &v; }', [], [])], '11 3 '),
    Case('tls-aligned', TLS_GET_ADDR + 'long far(void); __thread char c = 7; __thread long zero;'
         ' int run(void) { number(c); number(zero); number(far()); return 0; }',
         [('a', '__thread char pad = 1; __thread long v __attribute__((aligned(64))) = 12;'
           ' long far(void) { return v + ((long)&v & 63) + pad; }', [], [])], '7 0 13 '),
    Case('tls-local-to-a-library', TLS_GET_ADDR + 'int f(void); int run(void) { number(f()); number(f()); return 0; }',
         [('a', 'static __thread int v = 20, w = 1; int f(void) { w++; return v++ + w; }', [], [])], '22 24 '),
    Case('tls-descriptors', 'int f(void); int run(void) { number(f()); return 0; }',
         [('a', '__thread int v = 30; static __thread int w = 4; int f(void) { return v + w; }', [],
           ['-mtls-dialect=gnu2'])], '34 '),
    Case('indirect-function-of-a-library', 'int f(void); int (*p)(void) = f;'
         ' int run(void) { number(f()); number(p()); return 0; }',
         [('a', 'static int one(void) { return 41; } static int (*volatile way)(void) = one;'
           ' static void *choose(void) { return way; }'
           ' int f(void) __attribute__((ifunc("choose")));', [], [])], '41 41 '),
    Case('indirect-function-of-the-program', 'static int one(void) { return 42; }'
         ' static void *choose(void) { return one; } static int f(void) __attribute__((ifunc("choose")));'
         ' int run(void) { number(f()); return 0; }', [], '42 '),
    Case('initialisers', 'int run(void) { say("run "); return 0; }',
         [('z', order('z'), [], []), ('b', order('b'), ['z'], []), ('a', order('a'), ['b', 'z'], [])],
         '+z +b +a run -a -b -z ', needs=['a'], options=['-Wl,--no-as-needed']),
    Case('initialisers-of-a-diamond', 'int run(void) { say("run "); return 0; }',
         [('y', order('y'), [], []), ('b', order('b'), ['y'], []), ('z', order('z'), ['y'], []),
          ('a', order('a'), ['z', 'b'], [])],
         '+y +b +z +a run -a -z -b -y ', needs=['a'], options=['-Wl,--no-as-needed']),
    Case('initialisers-in-a-circle', 'int run(void) { say("run "); return 0; }',
         [('b', order('b'), [], []), ('a', order('a'), ['b'], [])],
         None, needs=['a'], options=['-Wl,--no-as-needed'], replace=[('b', order('b'), ['a'], [])]),
    Case('all-kinds-of-initialisers', 'static void first(void) { say("first "); }'
         '__attribute__((section(".preinit_array"), used)) static void (*p)(void) = first;'
         '__attribute__((constructor)) static void up(void) { say("up "); } void _init(void) { say("init "); }'
         ' void _fini(void) { say("fini "); } __attribute__((destructor)) static void down(void) { say("down "); }'
         ' int run(void) { say("run "); return 0; }', [('a', order('a'), [], [])],
         'first +a init up run down fini -a ', options=['-Wl,--no-as-needed'],
         native=False),  # the C library, not its dynamic linker, initialises the program
    Case('sysv-hash', 'int f(int); extern int v; int run(void) { number(f(v)); return 0; }',
         [('a', 'int v = 3; int f(int x) { return x * 2; }', [], ['-Wl,--hash-style=sysv'])], '6 '),
    Case('relr', 'int *f(int); int run(void) { number(*f(2)); return 0; }',
         [('a', 'static int v[4] = {1, 2, 3, 4}; static int *p[4] = {v, v + 1, v + 2, v + 3};'
           ' int *f(int i) { return p[i]; }', [], ['-Wl,-z,pack-relative-relocs'])], '3 '),
    Case('debugger', 'struct map { unsigned long bias; char *name; void *ld; struct map *next; };'
         'struct debug { int version; struct map *maps; }; extern long _DYNAMIC[]; int f(void);'
         ' int run(void) { int n = 0; for (long *d = _DYNAMIC; *d; d += 2) if (*d == 21)'
         ' for (struct map *m = ((struct debug *)d[1])->maps; m; m = m->next) n++; number(n); return f(); }',
         [('a', 'int f(void) { return 0; }', [], [])], '2 ', native=False),  # which adds itself and the vDSO
    Case('no-such-symbol', 'int f(void); int run(void) { return f(); }', [('a', 'int f(void) { return 0; }', [], [])],
         '', 127, replace=[('a', 'int g(void) { return 0; }', [], [])], native=False,
         error='main: at 0x4[0-9a-f]*: f is not defined by any object'),
    Case('no-such-version', 'int f(void); int run(void) { return f(); }',
         [('a', 'int f(void) { return 0; }', [], ['V1 { global: f; };'])], '', 127,
         replace=[('a', 'int f(void) { return 0; }', [], ['V2 { global: f; };'])], native=False,
         error='main: needs version liba.so@V1, which that library does not define'),
    Case('no-such-library', 'int f(void); int run(void) { return f(); }',
         [('a', 'int f(void) { return 0; }', [], [])], '', 127, native=False, remove=['a'],
         error='main: needs liba.so, which was not loaded: the callback returned -1'),
]


def compile_c(folder, name, source, options, library):
    path, output = f'{folder}/{name}.c', f'{folder}/{"lib" + name + ".so" if library else name}'
    arguments = list(options)
    for i, option in enumerate(arguments):
        if '{' in option:  # a version script
            with open(f'{folder}/{name}.map', 'w', encoding='utf-8') as script:
                script.write(option)
            arguments[i] = f'-Wl,--version-script={folder}/{name}.map'
    with open(path, 'w', encoding='utf-8') as out:
        out.write(source)
    shape = ['-fPIC', '-shared', f'-Wl,-soname,lib{name}.so'] if library else ['-Wl,-rpath,$ORIGIN']
    if not library and '-no-pie' not in arguments:
        shape += ['-fPIE', '-pie']
    subprocess.run(['gcc', '-O1', '-nostdlib', '-fno-stack-protector', '-fno-builtin', '-w', *shape,
                    path, f'-L{folder}', *arguments, '-o', output], check=True)
    return output


def needed(names):
    return ['-Wl,--no-as-needed', *[f'-l{name}' for name in names]]


def build(folder, case):
    for name, source, needs, options in case.libraries:
        compile_c(folder, name, source, options + needed(needs), True)
    main = compile_c(folder, 'main', START + case.main,
                     case.options + needed(case.needs) + [f'-Wl,-rpath-link,{folder}'], False)
    for name, source, needs, options in case.replace:
        compile_c(folder, name, source, options + needed(needs), True)
    for name in case.remove:
        os.remove(f'{folder}/lib{name}.so')
    return main


def start(command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=env)
    return done.stdout, done.returncode, done.stderr


def check(runner, case):
    """What is wrong with the case, or ''."""
    with tempfile.TemporaryDirectory() as folder:
        main = build(folder, case)
        output, status, errors = start([runner, main, 'with finalisers'])
        if case.native:
            # The dynamic linker of the C library does not finalise programs that do without the C library.
            native = start([main], {'LD_LIBRARY_PATH': folder})
            if native[:2] != (output.split('-')[0], status):
                return f'printed {output!r}, status {status} {errors}; the dynamic linker: {native}'
        if case.output is not None and (output, status) != (case.output, case.status):
            return f'printed {output!r}, status {status}, expected {case.output!r}, {case.status}: {errors}'
        if case.error and not re.search(case.error, errors):
            return f'said {errors!r}, not {case.error!r}'
    return ''


def main():
    if not shutil.which('gcc'):
        print('skipped: gcc is not installed (Debian package gcc)')
        sys.exit(77)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda case: check(sys.argv[1], case), CASES))
    for case, wrong in zip(CASES, verdicts):
        failed += wrong != ''
        print(f'{"not ok" if wrong else "ok"} {case.name} {wrong}')
    print(f'{len(CASES)} programs, {failed} failed')
    sys.exit(failed != 0)


main()
