#!/usr/bin/env python3
"""A person at the terminal of `./umbra debug`: the keys are the guest's while the machine runs, and
the prompt's otherwise. With --gdb and --mi, gdb's own commands and ours side by
side. Reports in TAP.

    test_debug_terminal.py [--gdb|--mi] --kernel FILE --initrd FILE
"""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import machine  # noqa: E402
import tools  # noqa: E402
from guest_tap import Tap  # noqa: E402

DEBUG = pathlib.Path(__file__).resolve().parent.parent / 'debug.py'
LIMIT = 30  # seconds for a step
CURSOR_QUERY, CURSOR_ANSWER = '\x1b[6n', '\x1b[1;1R'
STEPS = [  # what it shows, what is typed first, what must come
    ('the machine stops before the program', None, r'The first instruction of /bin/busybox in ring 3'),
    ('there is a prompt', None, r'umbra> '),
    ('^C gives up the line, not the session', 'q\x03', r'\r\numbra> '),
    ('what the guest prints ends before the answer', 'until syscall:write\r',
     r'\nBreakpoint \d+: syscall:write[^>]*umbra> '),
    ('a shell starts, and asks for the cursor', 'c\r', re.escape(CURSOR_QUERY)),
    ('what is typed reaches the shell', CURSOR_ANSWER + 'echo $((6 * 7))\r', r'\n42\r'),
    ('^C is the guest\'s', 'sleep 100\r', r'sleep 100\r\n'),
    ('and ends a command there', '\x03', re.escape(CURSOR_QUERY)),
    ('^] comes back to the prompt', '\x1d' + CURSOR_ANSWER, r'Stopped by the user\.[^>]*umbra> '),
    ('the answer to the shell\'s question is not typed at the prompt', 'tasks\r',
     r'^tasks\r\n[^\n]*pid 1 '),
    ('a second ^] does no harm', '\x1dwhere\r', r'\nRing \d, next instruction[^>]*umbra> '),
    ('a command is completed', 'delet\t\r', r'delete ?\r\n.*is wanted'),
    ('a wrong word names the right one', 'wherr\r', r'Did you mean where\?'),
    ('the machine goes back over what was typed', 'back syscall:write\r',
     r'The machine is at tick \d+\.[^>]*call_write[^>]*umbra> '),
    ('the machine goes on, and gets what was typed ahead', 'c\recho on$((1 + 1))\r', r'The machine runs.*\non2\r'),
    ('its window is ours', 'stty size\r', r'\n24 100\r'),
    ('and ends', 'exit 5\r', r'The machine has ended: umbra: verdict: exit 5\.'),
    ('q leaves', 'q\r', pexpect.EOF),
]
IN_GDB = [
    ('gdb stops at the first instruction', None, r'The first instruction of /bin/hello in ring 3'),
    ('there is a prompt', None, r'\(gdb\) '),
    ('gdb knows the program', 'break main\r', r'Breakpoint 1 at 0x40[0-9a-f]+'),
    ('and stops there', 'continue\r', r'Breakpoint 1, [^\n]*main'),
    ('walk is a command', 'walk main\r', r'PML4 at 0x[0-9a-f]+, entry +0: .*Segment \d of /bin/hello'),
    ('so are points', 'umbra until syscall:writev\r', r'Breakpoint \d+: syscall:writev\..*call_writev'),
    ('gdb knows the kernel', 'backtrace 2\r', r'#0 +call_writev .*#1 +<signal handler called>'),
    ('our backtrace goes on to the program', 'umbra bt\r', r'kernel .*entry_syscall.*user .* of /bin/hello'),
    ('why', 'why main w\r', r'no W bit'),
    ('over a long system call', 'umbra step user\r', r'Ring 3, next instruction [^\n]* of /bin/hello'),
    ('memory becomes a core file', 'umbra dump /dev/null\r', r'/dev/null: \d+ MiB of memory.*\(gdb\) '),
    ('what cannot be done is said', 'umbra back 5\r', r'cannot be repeated; without --gdb'),
    ('the guest goes on to its end', 'delete 1\rcontinue\r', r'exited|disconnected|closed|Remote'),
    ('and gdb ends', 'quit\r', pexpect.EOF),
]
KEYS_IN_GDB = [
    ('a shell starts under gdb', None, r'The first instruction of /bin/busybox.*\(gdb\) '),
    ('while it runs, the terminal is the guest\'s', 'continue\r', re.escape(CURSOR_QUERY)),
    ('what is typed reaches the shell', CURSOR_ANSWER + 'echo $((6 * 7))\r', r'\n42\r.*' + re.escape(CURSOR_QUERY)),
    ('a program waits', CURSOR_ANSWER + 'echo wa""its; sleep 100\r', r'\nwaits\r.*stop: exec'),
    ('^C ends it, not the machine', '\x03', re.escape(CURSOR_QUERY)),
    ('^] comes back to gdb', '\x1d' + CURSOR_ANSWER, r'SIGINT.*\(gdb\) '),
    ('keys are gdb\'s again', 'tasks\r', r'pid 1 .*\(gdb\) '),
    ('our command types too', 'umbra type "exit\\x205"\r', r'7 keys wait.*\(gdb\) '),
    ('and the shell ends by it', 'continue\r', r'verdict: exit 5.*\(gdb\) '),
    ('and gdb ends by our word', 'umbra q\r', pexpect.EOF),
]
BY_MI = [
    ('gdb waits for an editor at the first instruction', None, r'~"The first instruction of /bin/hello'),
    ('what an editor sets first', '01-gdb-set print sevenbit-strings off\r02-gdb-set disassembly-flavor intel\r',
     r'01\^done.*02\^done'),
    ('a breakpoint', '1-break-insert -f main\r', r'1\^done,bkpt={number="1"'),
    ('it is hit', '2-exec-continue\r', r'\*stopped,reason="breakpoint-hit"[^\n]*func="main"'),
    ('the stack', '3-stack-list-frames\r', r'3\^done,stack=\[frame={level="0"[^\n]*func="main"'),
    ('threads and variables', '31-thread-info\r32-stack-list-variables 1\r',
     r'31\^done,threads=\[{id="1".*32\^done,variables='),
    ('registers and instructions', '33-data-list-register-values x 16\r34-data-disassemble -s $pc -e "$pc+8" -- 0\r',
     r'33\^done,register-values=.*34\^done,asm_insns='),
    ('a value in an expression', '35-var-create - * "(long)$rip"\r', r'35\^done,name="var1"'),
    ('a control register', '4-data-evaluate-expression $cr3\r', r'4\^done,value="'),
    ('our commands', '5-interpreter-exec console "walk main"\r', r'~"  PML4 at .*5\^done'),
    ('a step into the kernel', '6-interpreter-exec console "umbra until syscall:writev"\r',
     r'\*stopped,[^\n]*func="call_writev".*~"Breakpoint \d+: syscall:writev'),
    ('and gdb ends', '7-gdb-exit\r', pexpect.EOF),
]


SHELL, HELLO = ['/bin/busybox', 'sh'], ['/bin/hello']
SESSIONS = {'--gdb': [(IN_GDB, HELLO), (KEYS_IN_GDB, SHELL)], '--mi': [(BY_MI, HELLO)]}


def editor_words(folder):
    """The command line that an editor makes of README.md's launch file. Its ./umbra is this test's debug.py."""
    text = DEBUG.with_name('README.md').read_text(encoding='utf-8')
    launch = json.loads(re.search(r'^```json\n(.*?)^```', text, re.M | re.S)[1])['configurations'][0]
    pipe, stand_in = launch['pipeTransport'], pathlib.Path(folder, 'umbra')
    debug = shlex.join([sys.executable, str(DEBUG), *sys.argv[1:], '--', *HELLO])
    here = shlex.quote(os.getcwd())
    stand_in.write_text(f'#!/bin/sh\n[ "$*" = "debug --mi ./a.out" ] && cd {here} && exec {debug}\n')
    stand_in.chmod(0o755)
    return [pipe['pipeProgram'], *pipe['pipeArgs'], pipe['debuggerPath'], '--interpreter=mi']


def converse(tap, steps, program):
    """One session: a point for each step."""
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, str(DEBUG), *sys.argv[1:], '--', *program]
        folder = None
        if steps is BY_MI:
            words, folder = editor_words(home), home
        words = [*machine.tied('TERM'), *words]
        child = pexpect.spawn(words[0], words[1:], cwd=folder,
                              encoding='utf-8', codec_errors='replace', timeout=LIMIT, dimensions=(24, 100),
                              env={'HOME': home, 'PATH': '/usr/sbin:/usr/bin:/bin',
                                   'TERM': 'dumb' if program == HELLO else 'vt100'})
        for name, typed, wanted in steps:
            try:
                if typed:
                    child.send(typed)
                child.expect(wanted if wanted is pexpect.EOF else re.compile(wanted, re.S))
                tap.point(True, name)
            except (pexpect.TIMEOUT, pexpect.EOF):
                tap.point(False, name)
                for line in str(child.before or '').splitlines()[-20:]:
                    tap.comment(repr(line))
                break
        child.close(force=True)


def batch(tap):
    """gdb without a terminal, and arguments that GRUB cannot pass."""
    commands = ['info symbol $pc', 'x/s *(char **)($rsp + 16)', 'x/s *(char **)($rsp + 24)', 'symbol main']
    done = subprocess.run([*machine.tied('TERM'), sys.executable, str(DEBUG), *sys.argv[1:],
                           *(f'--do={line}' for line in commands), '--', *HELLO, '', 'a\n"\u00e9'],
                          capture_output=True, text=True, check=False)
    wanted = r'_start in section .text of .*:\s+""\n.*:\s+"a\\n\\"\u00e9"\n.* main of /bin/hello'
    good = done.returncode == 0 and re.search(wanted, done.stdout, re.S)
    tap.point(bool(good), 'commands without a terminal, of gdb and ours, and any argument')
    if not good:
        tap.comment(repr((done.stdout + done.stderr)[-600:]))


def interrupted(tap):
    """^C while gdb carries out a command that does not end."""
    with subprocess.Popen([*machine.tied('TERM'), sys.executable, str(DEBUG), *sys.argv[1:],
                           '--do=python print("now", flush=True)', '--do=c', '--', '/bin/busybox', 'sleep', '1000000'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as child:
        next(line for line in child.stdout if 'now' in line.split())
        os.killpg(child.pid, signal.SIGINT)
        said = child.communicate(timeout=LIMIT)[1]
    good = child.returncode == 130 and 'Traceback' not in said
    tap.point(good, f'^C ends gdb that carries out commands: {said[-300:]!r}')


def main():
    tap = Tap()
    chosen = next((option for option in SESSIONS if option in sys.argv), None)
    for steps, program in SESSIONS.get(chosen, [(STEPS, SHELL)]):
        converse(tap, steps, program)
    if chosen == '--gdb':
        batch(tap)
        interrupted(tap)
    tap.finish()
    return int(tap.failed > 0)


if __name__ == '__main__':
    tools.tap_main(main)
