#!/usr/bin/env python3
"""Types at a shell in the guest, as a user of `./umbra run -- /bin/busybox sh` does; and ends commands by
signals, which must end their machines; and stops a machine while it boots, which must not change the
speed of its clock. Reports in TAP.

    test_terminal.py --kernel ELF --initrd FILE [--machine bochs|qemu]
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BOOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BOOT))

import tools  # noqa: E402
from guest_tap import CONTROL, Tap  # noqa: E402

try:
    import pexpect
except ImportError:
    pexpect = None

PROMPT = '/ # '
EMULATORS = ('bochs-bin', 'qemu-system-x86', 'gdb')  # names of processes, as the kernel cuts them
STARTED, ENDED, GONE = 30, 60, 10  # seconds
LIMIT = 300  # seconds; then the command prints all tasks of a guest that hangs, and ends
ENDS = (  # a command, the emulator, how it is ended
    (['run.py', '--qemu'], 'qemu-system-x86', signal.SIGKILL),
    (['run.py', '--qemu'], 'qemu-system-x86', signal.SIGTERM),
    (['run.py'], 'bochs-bin', signal.SIGKILL),
    (['run.py'], 'bochs-bin', signal.SIGHUP),
    (['debug.py', '--do', 'c'], 'bochs-bin', signal.SIGKILL),
    (['debug.py', '--gdb', '--do', 'c'], 'gdb', signal.SIGKILL),
)
UP, ESCAPE, INTERRUPT, END, QUIT = '\x1b[A', '\x1b', '\x03', '\x04', '\x1d'


class Shell:
    """A terminal with the command and the shell in it."""

    def __init__(self, args, log):
        command = [str(BOOT / 'run.py'), '--kernel', args.kernel, '--initrd', args.initrd,
                   '--log', str(log), '--limit', str(LIMIT), *(['--qemu'] if args.machine == 'qemu' else []),
                   '--', '/bin/busybox', 'sh']
        self.child = pexpect.spawn(sys.executable, command, dimensions=(31, 97), timeout=60,
                                   encoding='utf-8', codec_errors='replace')
        self.child.delaybeforesend = None

    def prompt(self):
        """Waits for the prompt; answers where the cursor is, as a terminal does when asked."""
        while self.child.expect_exact([PROMPT, '\x1b[6n']) == 1:
            self.child.send('\x1b[1;5R')

    def rest(self):
        """What the command prints until it ends, in lines."""
        try:
            self.child.expect(pexpect.EOF, timeout=LIMIT + ENDED)
        except pexpect.TIMEOUT:
            pass
        return CONTROL.sub('?', self.child.before.replace('\r', '')).splitlines()

    def says(self, keys, words):
        """Types keys; these words must come, and then the prompt."""
        self.child.send(keys)
        self.child.expect_exact(words)
        self.prompt()
        return True

    def becomes(self, new, old):
        """Whether the terminal's size changes: the news may arrive after the question."""
        for _ in range(20):
            self.child.send('busybox stty size\r')
            found = self.child.expect_exact([new, old])
            self.prompt()
            if found == 0:
                return True
        return False


def converse(tap, shell):
    shell.child.expect_exact('ends the machine')
    shell.child.send('echo a""head\r')
    shell.prompt()
    shell.child.expect_exact('ahead\r\n')
    tap.point(True, 'what is typed during the boot is for the shell')
    shell.prompt()
    tap.point(shell.says('busybox stty size\r', '31 97\r\n'), 'the guest knows the size at the start')
    shell.child.setwinsize(44, 133)
    tap.point(shell.becomes('44 133\r\n', '31 97\r\n'), 'the guest is told of a new size')
    # The child prints the word, so that it has the terminal when the key is typed.
    shell.child.send('sh -c "echo be\'\'fore; exec sleep 1000"\r')
    shell.child.expect_exact('before\r\n')
    tap.point(shell.says(INTERRUPT, '^C'), '^C ends the program, not the shell')
    tap.point(shell.says('echo fi""rst\r', 'first\r\n'), 'the shell reads on')
    tap.point(shell.says(UP + '\r', 'first\r\n'), 'the last line comes back from the history')
    shell.child.send('vi /tmp/file\r')
    shell.child.expect_exact('/tmp/file')
    shell.child.send('ityped text' + ESCAPE)
    shell.child.expect_exact('typed text')
    tap.point(shell.says(':wq\r', '1L'), 'vi writes a file')
    tap.point(shell.says('cat /tmp/file\r', 'typed text\r\n'), 'the file has what was typed')
    shell.child.send('busybox top\r')
    shell.child.expect_exact('busybox')
    shell.child.expect_exact('Mem:')
    tap.point(shell.says('q', ''), 'top runs and ends by q')
    shell.child.send(END)
    shell.child.expect_exact('umbra: verdict: exit')
    shell.child.expect(pexpect.EOF)
    shell.child.close()
    tap.point(shell.child.exitstatus == 0, '^D ends the shell and the machine')


def machines(driver):
    """The processes of emulators and gdb that a process has started: {pid: name}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:  # any process may end in between, and any bytes may be a name
            stat = pathlib.Path('/proc', pid, 'stat').read_text(errors='replace')
        except OSError:
            continue
        name, _, rest = stat.partition('(')[2].rpartition(')')
        if name in EMULATORS and rest.split()[0] != 'Z' and int(rest.split()[1]) == driver:
            found[int(pid)] = name
    return found


def wait_for(seconds, test):
    """The first true value of test(), or its last one."""
    end = time.monotonic() + seconds
    while not (value := test()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def ended(args, scratch, command, emulator, number):
    """Ends a command by a signal; returns what is left of it: words, or None."""
    script, *options = command
    if script == 'run.py':
        options += ['--log', f'{scratch}/log']
    temporary = pathlib.Path(scratch, 'temporary')
    temporary.mkdir()
    with subprocess.Popen([sys.executable, BOOT / script, '--kernel', args.kernel, '--initrd', args.initrd,
                           *options, '--', '/bin/busybox', 'sh'], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, TMPDIR=str(temporary))) as driver:
        try:
            started = wait_for(STARTED, lambda: emulator in machines(driver.pid).values() and machines(driver.pid))
        finally:
            driver.send_signal(number)
        try:
            driver.wait(ENDED)
        except subprocess.TimeoutExpired:
            driver.kill()
            shutil.rmtree(temporary)
            return f'the command goes on after {ENDED} s'
    if not started:
        return f'{emulator} was not started'
    left = {pid: name for pid, name in started.items()
            if not wait_for(GONE, lambda pid=pid: not os.path.exists(f'/proc/{pid}'))}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    files = [] if number == signal.SIGKILL else [path.name for path in temporary.iterdir()]
    shutil.rmtree(temporary)
    return f'left: {left} {files}' if left or files else None


def descendants(ancestor):
    """The processes that a process has started, and those that they have started: {pid: name}."""
    children = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):
            stat = pathlib.Path('/proc', pid, 'stat').read_text(errors='replace')
            name, _, rest = stat.partition('(')[2].rpartition(')')
            children.setdefault(int(rest.split()[1]), {})[int(pid)] = name
    found, left = {}, [ancestor]
    while left:
        following = children.get(left.pop(), {})
        found.update(following)
        left += following
    return found


def check_test_ends(tap, args):
    """A test that is ended ends what it has started: a debugger, with its machine and gdb."""
    with subprocess.Popen(['nohup', sys.executable, BOOT / 'tests/test_debug_terminal.py', '--gdb',
                           '--kernel', args.kernel, '--initrd', args.initrd], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as test:
        wait_for(STARTED, lambda: 'gdb' in descendants(test.pid).values())
        started = descendants(test.pid)
        test.terminate()
    left = {pid: name for pid, name in started.items()
            if not wait_for(GONE, lambda pid=pid: not os.path.exists(f'/proc/{pid}'))}
    for pid in left:
        with contextlib.suppress(ProcessLookupError):  # it ended with the one before
            os.kill(pid, signal.SIGKILL)
    good = 'gdb' in started.values() and not left
    tap.point(good, 'nothing is left of a test of the debugger after SIGTERM')
    if not good:
        tap.comment(f'started: {started}, left: {left}')


def check_together(tap, args, log):
    """Runs at the same time do not disturb each other, as those of `./umbra run`, which name one log."""
    started = [subprocess.Popen([sys.executable, BOOT / 'run.py', '--kernel', args.kernel, '--initrd', args.initrd,
                                 '--log', str(log), *more, '--', '/bin/busybox', 'true'], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace')
               for more in ([], ['--qemu'])]
    said = [child.communicate()[1] for child in started]
    tap.point([child.returncode for child in started] == [0, 0], 'two runs at once')
    tap.point(pathlib.Path(log).exists(), 'the messages of a machine are kept')
    for text in filter(None, said):
        tap.comment(text[:300])


def check_ends(tap, args, scratch):
    for command, emulator, number in ENDS:
        if shutil.which(emulator) is None and emulator == 'gdb':
            continue
        left = ended(args, scratch, command, emulator, number)
        tap.point(left is None, f'no machine is left of {" ".join(command)} after {number.name}')
        if left:
            tap.comment(left)


def check_no_kernel(tap, args, log):
    """A machine without a kernel waits in GRUB, which says so on no screen: the key must end it."""
    command = [str(BOOT / 'run.py'), '--kernel', __file__, '--initrd', args.initrd, '--log', str(log),
               *(['--qemu'] if args.machine == 'qemu' else [])]
    child = pexpect.spawn(sys.executable, command, encoding='utf-8', codec_errors='replace', timeout=ENDED)
    child.expect_exact('ends the machine')
    child.send('typed' + QUIT)
    found = child.expect([r'the kernel did not start\s*$', pexpect.TIMEOUT, pexpect.EOF])
    child.expect([pexpect.EOF, pexpect.TIMEOUT])
    child.close(force=True)
    tap.point(found == 0 and child.exitstatus == 130,
              f'^] ends a machine without a kernel, which is said: {child.exitstatus}')


UPTIME = r'(\d+\.\d+) \d+\.\d+'
STOPPED, RUNNING = 0.03, 0.004  # seconds


def check_clock(tap, args, log):
    """The guest's clock against ours, after a boot with the processor gone for most of the time, as on a busy
    machine."""
    child = pexpect.spawn(sys.executable, [
        str(BOOT / 'run.py'), '--kernel', args.kernel, '--initrd', args.initrd, '--log', str(log),
        '--limit', str(LIMIT), '--qemu', '--',
        '/bin/busybox', 'sh', '-c', 'cat /proc/uptime; sleep 5; cat /proc/uptime'], timeout=60)
    emulators = list(wait_for(STARTED, lambda: machines(child.pid)))
    stops = 0
    while child.expect([UPTIME, pexpect.TIMEOUT, pexpect.EOF], timeout=RUNNING) == 1:
        for pid in emulators:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED)
        for pid in emulators:
            os.kill(pid, signal.SIGCONT)
        stops += 1
    guest, ours = [], []
    while child.match is not pexpect.EOF and len(guest) < 2:
        ours.append(time.monotonic())
        guest.append(float(child.match[1]))
        child.expect([UPTIME, pexpect.EOF])
    child.close(force=True)
    good = len(guest) == 2 and stops > 10 and 0.8 < (guest[1] - guest[0]) / (ours[1] - ours[0]) < 1.25
    tap.point(good, 'the clock keeps its speed after a boot with stops')
    if not good:
        tap.comment(f'{stops} stops, guest {guest}, here {ours}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd', required=True)
    parser.add_argument('--machine', choices=('bochs', 'qemu'), default='qemu')
    args = parser.parse_args()
    if pexpect is None:
        raise tools.ToolError(tools.missing('python3-pexpect'))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup(1) has commands ignore it
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix='umbra-terminal.') as scratch:
        shell = Shell(args, pathlib.Path(scratch, 'log'))
        try:
            converse(tap, shell)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            tap.point(False, 'what comes next')
            tap.comment(repr(shell.child.before[-300:]) + ' ' + type(error).__name__)
            for line in shell.rest():
                tap.comment(line)
        finally:
            shell.child.close(force=True)
        check_together(tap, args, pathlib.Path(scratch, 'log'))
        check_no_kernel(tap, args, pathlib.Path(scratch, 'log'))
        check_ends(tap, args, scratch)
        if shutil.which('gdb'):
            check_test_ends(tap, args)
        check_clock(tap, args, pathlib.Path(scratch, 'log'))
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
