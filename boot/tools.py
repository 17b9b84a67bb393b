"""The programs and files of other packages that the scripts use, and the message that names the
Debian package of a missing one."""
import contextlib
import io
import os
import runpy
import shutil
import signal
import subprocess
import sys

# Debian package of each program or file that a script here names.
PACKAGES = {
    'addr2line': 'binutils',
    'ar': 'binutils',
    'bash': 'bash',
    'bochs-bin': 'bochs',
    'cpio': 'cpio',
    'gcc': 'gcc',
    'gdb': 'gdb',
    'grub-mkrescue': 'grub-common',
    'make': 'make',
    'meson': 'meson',
    'mformat': 'mtools',
    'musl-gcc': 'musl-tools',
    'ninja': 'ninja-build',
    'nm': 'binutils',
    'objdump': 'binutils',
    'python3-pexpect': 'python3-pexpect',
    'python3-pyelftools': 'python3-pyelftools',
    'qemu-system-x86_64': 'qemu-system-x86',
    'readelf': 'binutils',
    'xorriso': 'xorriso',
    '/usr/lib/grub/i386-pc/modinfo.sh': 'grub-pc-bin',
    '/usr/lib/grub/x86_64-efi/modinfo.sh': 'grub-efi-amd64-bin',
    '/usr/share/OVMF/OVMF_CODE_4M.fd': 'ovmf',
    '/usr/share/bochs/BIOS-bochs-latest': 'bochsbios',
    '/usr/share/vgabios/vgabios.bin': 'vgabios',
}


class ToolError(Exception):
    """A program or a device is missing, or the program failed; the text says which and why."""


def missing(name):
    """The message about a missing program or file."""
    package = PACKAGES.get(os.fspath(name))
    return f'{name} is not installed' + (f' (Debian package {package})' if package else '')


def need(*names):
    """Raises ToolError unless all these programs, and files where a name is a path, are there."""
    for name in names:
        if not (os.path.exists(name) if os.path.isabs(name) else shutil.which(name)):
            raise ToolError(missing(name))


def why_not_file(path):
    """Why a path is not that of a file."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return 'no such file'
    except (OSError, ValueError) as error:
        return getattr(error, 'strerror', None) or str(error)
    return 'not a file'


def start_error(command, error):
    """The ToolError for a command that could not be started with this OSError."""
    name = os.fspath(command[0])
    if isinstance(error, FileNotFoundError) and not os.path.exists(name):
        return ToolError(missing(name))
    return ToolError(f'{name} cannot be started: {error.strerror or error}')


def run(command, allowed=(0,), **options):
    """Runs a program and returns what it printed; raises ToolError if it is missing or fails, which
    is a status that is not allowed."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, **options)
    except OSError as error:
        raise start_error(command, error) from error
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout).strip() or 'it printed nothing'
        raise ToolError(f'{command[0]} failed with status {done.returncode}: {said}')
    return done.stdout


def open_terminal():
    """A new pseudo-terminal, as os.openpty() returns it."""
    try:
        return os.openpty()
    except OSError as error:
        raise ToolError(no_terminal(error)) from error


def no_terminal(error):
    """The message about a pseudo-terminal that could not be opened."""
    reason = getattr(error, 'strerror', None) or error
    return f'no pseudo-terminal can be opened, is /dev/pts mounted? ({reason})'


def need_kvm(path='/dev/kvm'):
    """Raises ToolError unless this machine lets us use KVM."""
    if not os.path.exists(path):
        raise ToolError(f'there is no {path}: this machine has no KVM; QEMU runs without it too')
    if not os.access(path, os.R_OK | os.W_OK):
        raise ToolError(f'{path} may not be used by this user: become a member of the group kvm')
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:  # a container, or a kernel without KVM
        raise ToolError(f'{path} cannot be opened ({error.strerror}): this machine has no KVM; '
                        'QEMU runs without it too') from error


def end_by_signals():
    """Makes SIGTERM and SIGHUP end this script as an exception does, so that machines are ended, files
    removed, and the terminal is as before."""
    def end(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def sentence(error):
    """What an exception says, without the form that Python gives a system error."""
    if isinstance(error, OSError) and error.strerror:
        names = ' -> '.join(str(name) for name in (error.filename, error.filename2) if name)
        return f'{names}: {error.strerror}' if names else error.strerror
    return str(error)


@contextlib.contextmanager
def one_sentence(*errors):
    """Ends the script by one sentence where Python would print a traceback: with status 2 for ToolError,
    OSError and these exceptions; silently with 130 for ^C, and with 141 if nobody reads the output."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # as the command umbra starts scripts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.stdout is None:  # it is closed
        sys.stdout = open(os.devnull, 'w', encoding='utf-8')  # pylint: disable=consider-using-with
    if isinstance(sys.stdout, io.TextIOWrapper):  # characters that the locale does not have, and bytes that are none
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        give_output_up()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)
    except (ToolError, OSError, *errors) as error:
        print(f'umbra: {sentence(error)}', file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:  # a full disk: Python would try again at its end, and say so
            give_output_up()
        sys.exit(2)


def give_output_up():
    """What is still to be written to the standard output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def tap_main(main):
    """Ends the script with the result of main(), or with TAP's bail-out line if a tool is missing."""
    with one_sentence():
        try:
            sys.exit(main())
        except ToolError as error:
            print('Bail out! ' + ' '.join(str(error).split('\n')))
            sys.exit(1)


class LostOutput(io.TextIOWrapper):
    """A standard output for a program that does not expect it to fail (Meson): says so once, and ends the program."""
    status = 0

    def write(self, text):
        return self._or_end(super().write, text)

    def flush(self):
        return self._or_end(super().flush)

    def _or_end(self, action, *arguments):
        try:
            return action(*arguments)
        except OSError as error:
            give_output_up()
            print(f'umbra: standard output: {sentence(error)}', file=sys.stderr)
            LostOutput.status = 2
            if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
                sys.exit(2)
            os.kill(os.getpid(), signal.SIGTERM)  # ends its own processes first
            return None


def run_meson(script, *arguments):
    """Runs Meson in this process. A pipe that nobody reads ends it as it ends other programs, for which Python prints a
    traceback, and a full disk by a sentence."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout = LostOutput(sys.stdout.detach(), sys.stdout.encoding, sys.stdout.errors,
                            line_buffering=sys.stdout.line_buffering)
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)
    try:
        runpy.run_path(script, run_name='__main__')
    finally:
        sys.stdout.flush()
        if LostOutput.status:
            sys.exit(LostOutput.status)


if __name__ == '__main__':
    run_meson(*sys.argv[1:])
