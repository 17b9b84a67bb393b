#!/usr/bin/env python3
"""A person at the terminal of `./umbra debug`: the keys are the guest's while the machine runs, and
the prompt's otherwise; reports in TAP.

    test_debug_terminal.py --kernel FILE --initrd FILE
"""
import pathlib
import re
import sys
import tempfile

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tools  # noqa: E402
from guest_tap import Tap  # noqa: E402

DEBUG = pathlib.Path(__file__).resolve().parent.parent / 'debug.py'
LIMIT = 60
CURSOR_QUERY, CURSOR_ANSWER = '\x1b[6n', '\x1b[1;1R'
STEPS = [  # what it shows, what is typed first, what must come
    ('the machine stops before the program', None, r'The first instruction of /bin/busybox in ring 3'),
    ('there is a prompt', None, r'umbra> '),
    ('a shell starts, and asks for the cursor', 'c\r', re.escape(CURSOR_QUERY)),
    ('what is typed reaches the shell', CURSOR_ANSWER + 'echo $((6 * 7))\r', r'\n42\r'),
    ('^C is the guest\'s', 'sleep 100\r', r'sleep 100\r\n'),
    ('and ends a command there', '\x03', re.escape(CURSOR_QUERY)),
    ('^] comes back to the prompt', '\x1d' + CURSOR_ANSWER, r'Stopped by the user\.[^>]*umbra> '),
    ('the answer to the shell\'s question is not typed at the prompt', 'tasks\r',
     r'^tasks\r\n[^\n]*pid 1 '),
    ('a command is completed', 'delet\t\r', r'delete ?\r\n.*is wanted'),
    ('a wrong word names the right one', 'wherr\r', r'Did you mean where\?'),
    ('the machine goes on', 'c\r', r'The machine runs'),
    ('and the shell reads again', 'echo on$((1 + 1))\r', r'\non2\r'),
    ('and ends', 'exit 5\r', r'The machine has ended: umbra: verdict: exit 5\.'),
    ('q leaves', 'q\r', pexpect.EOF),
]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as home:
        child = pexpect.spawn(sys.executable, [str(DEBUG), *sys.argv[1:], '--', '/bin/busybox', 'sh'],
                              encoding='utf-8', codec_errors='replace', timeout=LIMIT,
                              env={'HOME': home, 'TERM': 'vt100', 'PATH': '/usr/sbin:/usr/bin:/bin'})
        for name, typed, wanted in STEPS:
            try:
                if typed:
                    child.send(typed)
                child.expect(wanted)
                tap.point(True, name)
            except (pexpect.TIMEOUT, pexpect.EOF):
                tap.point(False, name)
                for line in (child.before or '').splitlines()[-20:]:
                    tap.comment(repr(line))
                break
        child.close(force=True)
    tap.finish()
    return int(tap.failed > 0)


if __name__ == '__main__':
    tools.tap_main(main)
