#!/usr/bin/env python3
"""Tests of the messages of the command and its tools about missing or wrong things; in TAP.

    test_tools.py SOURCE-ROOT

Nothing is built or booted: each case takes a program or a device away, or gives a wrong option.
"""
import contextlib
import errno
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / 'boot'))
sys.path.insert(0, str(ROOT / '.ci'))

import count  # noqa: E402
import iso  # noqa: E402
import machine  # noqa: E402
import tools  # noqa: E402
from bochs import debugger  # noqa: E402
from guest_tap import Tap  # noqa: E402

COMMANDS = ('run', 'test', 'debug', 'tutorial', 'lab', 'fuzz', 'bench', 'map', 'prove', 'doctor',
            'completion', 'clean')
WRONG = (
    (['run', '--nonsense'], 'no option --nonsense'),
    (['run', '--nonsense=1'], 'no option --nonsense'),
    (['run', '--limit'], '--limit needs a value'),
    (['test', '--nonsense'], 'no option --nonsense'),
    (['test', 'unit', '--nonsense'], 'no option --nonsense'),
    (['debug', '--nonsense'], 'no option --nonsense'),
    (['debug', '--', '/bin/hello'], 'debug needs a terminal'),
    (['fuzz', '--nonsense'], 'no option --nonsense'),
    (['fuzz', '-runs=1'], 'no option -runs'),
    (['bench', 'nonsense'], 'no part nonsense'),
    (['map', '--qemu'], 'no option --qemu'),
    (['tutorial', '--nonsense'], 'no option --nonsense'),
    (['tutorial', 'x'], 'there is no chapter x'),
    (['tutorial', '1', '9'], 'there is no chapter 9'),
    (['tutorial', '--check', 'x'], 'there is no chapter x'),
    (['lab', '1', '2'], 'lab takes one number'),
    (['prove', '--nonsense'], 'no option --nonsense'),
    (['doctor', '--nonsense'], 'no option --nonsense'),
    (['completion', 'fish'], "'bash' or 'zsh'"),
    (['clean', '--nonsense'], 'no option --nonsense'),
    (['clean', 'all'], 'no arguments'),
    (['run', '--with'], '--with needs a value'),
    (['help', 'nonsense'], "unknown command 'nonsense'"),
    (['help', 'r.n'], "unknown command 'r.n'"),
    (['nonsense'], "unknown command 'nonsense'"),
)


@contextlib.contextmanager
def changed(holder, name, value):
    """Replaces an attribute for a while."""
    before = getattr(holder, name)
    setattr(holder, name, value)
    try:
        yield
    finally:
        setattr(holder, name, before)


def complaint(action):
    """What the ToolError of an action says; None if there is none."""
    try:
        action()
    except tools.ToolError as error:
        return str(error)
    return None


def umbra(arguments, path):
    """Calls a copy of the command whose PATH has only the programs of `path`. A step that installs,
    configures or builds would fail with a different message."""
    return subprocess.run([path / 'sh', path / 'umbra', *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env={'PATH': str(path)}, check=False)


def test_command(tap):
    with tempfile.TemporaryDirectory(prefix='umbra tools.') as folder:
        path = pathlib.Path(folder)
        for name in ('sh', 'dirname', 'cat', 'sed', 'head'):
            path.joinpath(name).symlink_to(f'/bin/{name}')
        for name in ('umbra', 'boot', 'meson.build'):
            path.joinpath(name).symlink_to(ROOT / name)
        for name in COMMANDS:
            for option in ('--help', '-h'):
                done = umbra([name, option], path)
                good = done.returncode == 0 and done.stdout.startswith(f'usage: umbra {name}')
                tap.point(good and not done.stderr, f'umbra {name} {option} prints its usage')
                tap.point('\nexamples:\n' in done.stdout and '\nexit status:' in done.stdout,
                          f'umbra {name} {option} has examples and the exit status')
        done = umbra(['--version'], path)
        version = re.search(r"version: '([0-9.]+)'", (ROOT / 'meson.build').read_text())[1]
        tap.point(done.stdout == f'umbra {version}\n', 'umbra --version')
        done = umbra(['run', './program', '--help'], path)
        tap.point('usage' not in done.stdout, 'an option after the program belongs to the program')
        for arguments, words in WRONG:
            done = umbra(arguments, path)
            lines = done.stderr.splitlines()
            good = done.returncode == 2 and len(lines) == 1 and words in lines[0]
            tap.point(good, f'umbra {" ".join(arguments)}: one line, {words}')
            if not good:
                tap.comment(f'status {done.returncode}, {done.stderr!r}')
        tap.point(not path.joinpath('build').exists(), 'none of this makes a build folder')


def test_nothing_to_build(tap):
    """Of named tests, which need a build."""
    function = re.search(r'^need_nothing\(\) \{.*?^\}\n', (ROOT / 'umbra').read_text(), re.M | re.S)[0]
    with tempfile.TemporaryDirectory() as folder:
        tests = pathlib.Path(folder, 'meson-info/intro-tests.json')
        tests.parent.mkdir()
        tests.write_text('[{"name": "a script", "depends": []}, {"name": "program", "depends": ["x"]}]')
        for words, wanted in ((['a script'], True), (['--repeat', '2', 'umbra:a script'], True), (['program'], False),
                              (['a script', 'program'], False), (['a script', 'pro*'], False), ([], False)):
            command = ['sh', '-c', f'build=$0 python=python3\n{function}need_nothing "$@"', folder, *words]
            tap.point((subprocess.run(command, check=False).returncode == 0) == wanted,
                      f'{" ".join(words) or "no name"}: {"nothing" if wanted else "something"} is built')


def test_usage_names_every_option(tap):
    """The options of the Python programs are those that the command knows and explains."""
    for name in ('run', 'debug', 'map'):
        text = subprocess.run([sys.executable, ROOT / 'boot' / f'{name}.py', '--help'],
                              capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r'--[a-z]+', text)) - {'--help'}
        usage = subprocess.run(['sh', ROOT / 'umbra', name, '--help'], capture_output=True,
                               text=True, check=True).stdout
        told = set(re.findall(r'--[a-z]+', usage))
        tap.point(options and options == told, f'umbra {name} --help has the options of {name}.py')
        if options != told:
            tap.comment(f'only one of them has {sorted(options ^ told)}')


def test_completion(tap):
    """It offers the commands that there are and the options of the help texts."""
    script = ROOT / 'boot/completion/umbra.bash'

    def offered(*words):
        line = ' '.join(f"'{word}'" for word in words)
        text = subprocess.run(['bash', '-c', f'. "$0"; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}'
                               ' - 1)); _umbra; printf "%s\\n" "${COMPREPLY[@]}"', script],
                              capture_output=True, text=True, check=True).stdout
        return set(text.split())

    commands = {word for word in offered('umbra', '') if not word.startswith('-')}
    tap.point(commands == {*COMMANDS, 'help'}, 'bash completes the commands')
    zsh = (ROOT / 'boot/completion/umbra.zsh').read_text()
    tap.point({*re.findall(r"^        '([a-z]+):", zsh, re.M)} == {*COMMANDS, 'help'},
              'zsh completes the commands')
    for name in ('run', 'debug', 'map'):
        told = set(re.findall(r'--[a-z]+', help_of(name)))
        options = offered('umbra', name, '--') - {'--', '--help'}
        tap.point(options == told, f'bash completes the options of {name}')
    for name, known in sorted(known_options().items()):
        missing = known - offered('umbra', name, '--')
        tap.point(not missing, f'bash completes all that umbra {name} takes {missing or ""}'.rstrip())
        part = re.search(rf'^    {name}\)(.*?)(?:;;$)', zsh, re.M | re.S)[1]
        part += zsh if '$common' in part or '$tests' in part else ''
        missing = {word for word in known if f'{word}[' not in part}
        tap.point(not missing, f'and so does zsh {missing or ""}'.rstrip())


def help_of(name):
    """The part of the help texts about a command."""
    text = (ROOT / 'boot/help.txt').read_text()
    return re.search(rf'^== {name}\n(.*?)(?=^== |\Z)', text, re.M | re.S)[1]


def known_options():
    """{command: its long options}, by the function options_of() of the script umbra."""
    text = (ROOT / 'umbra').read_text()
    body = text[text.index('options_of() {'):]
    body = body[:body.index('\n}\n')]
    found = {name: set(re.findall(r' (--[a-z-]+)', part))
             for name, part in re.findall(r'^    (\w+)\)\n(.*?);;', body, re.M | re.S)}
    return {**found, 'prove': found['test'] - {'--suite', '--no-suite'}}


def test_doctor(tap):
    """Each of its lines is a good or a bad one, and it changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        for name in ('umbra', 'boot', 'meson.build'):
            path.joinpath(name).symlink_to(ROOT / name)
        done = subprocess.run([path / 'umbra', 'doctor'], stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True)
        lines = done.stdout.splitlines()
        tap.point(done.returncode in (0, 1) and not done.stderr and len(lines) > 8 and
                  all(line[:4] in ('ok  ', 'no  ') for line in lines), 'doctor reports in lines')
        tap.point(not path.joinpath('build').exists(), 'doctor builds nothing')
        bare = path / 'bare'
        bare.mkdir()
        for name in ('sh', 'dirname', 'df', 'awk', 'nproc', 'id'):
            bare.joinpath(name).symlink_to(shutil.which(name))
        bare.joinpath('uname').write_text('#!/bin/sh\necho aarch64\n')
        bare.joinpath('uname').chmod(0o755)
        done = subprocess.run(['/bin/sh', path / 'umbra', 'doctor'], stdin=subprocess.DEVNULL,
                              check=False, capture_output=True, text=True, env={'PATH': str(bare)})
        tap.point(done.returncode == 1 and 'no  machine: aarch64' in done.stdout,
                  'doctor names a machine that cannot work')
        for name in ('df', 'awk', 'nproc'):
            bare.joinpath(name).unlink()
        done = subprocess.run(['/bin/sh', path / 'umbra', 'doctor'], stdin=subprocess.DEVNULL,
                              check=False, capture_output=True, text=True, env={'PATH': str(bare)})
        tap.point('no  Bochs: there is no bochs-bin' in done.stdout, 'nor does it promise what cannot be installed')
        tap.point(not done.stderr and 'ports:' in done.stdout, 'doctor comes to its end without its own tools')


def test_missing_programs(tap):
    with tempfile.TemporaryDirectory() as empty, changed(os, 'environ',
                                                         dict(os.environ, PATH=empty)):
        kernel = __file__
        cases = {
            'nm': lambda: tools.run(['nm', kernel]),
            'readelf': lambda: tools.run(['readelf', kernel]),
            'grub-mkrescue': lambda: iso.make(pathlib.Path(empty, 'x'), kernel, None, []),
            'bochs-bin': lambda: machine.Bochs('image', os.devnull),
            'qemu-system-x86_64': lambda: machine.Qemu('image', os.devnull),
        }
        for name, action in cases.items():
            said = complaint(action)
            wanted = f'{name} is not installed (Debian package {tools.PACKAGES[name]})'
            tap.point(said == wanted, f'without it: {wanted}')
            if said != wanted:
                tap.comment(f'said: {said}')
    with changed(debugger, 'pexpect', None):
        said = complaint(lambda: debugger.Debugger('image'))
        tap.point(said == tools.missing('python3-pexpect'), f'without pexpect: {said}')


def test_failing_program(tap):
    said = complaint(lambda: tools.run(['sh', '-c', 'echo the reason >&2; exit 3']))
    tap.point(said == 'sh failed with status 3: the reason', f'a program that fails: {said}')
    tap.point(tools.run(['sh', '-c', 'echo fine']) == 'fine\n', 'a program that succeeds')


ENDS = (  # what a script does, its status, what it says
    ('raise tools.ToolError("no luck")', 2, 'umbra: no luck\n'),
    ('open("/nowhere/file")', 2, 'umbra: /nowhere/file: No such file or directory\n'),
    ('raise KeyError("other")', 2, "umbra: 'other'\n"),
    ('os.kill(os.getpid(), 2)', 130, ''),
    ('os.write(1, b"x") and os.write(1, b"x")', 141, ''),
    ('sys.exit(7)', 7, ''),
)


def test_one_sentence(tap):
    """How scripts end that the command starts: by a sentence or silently, never by a traceback."""
    for action, status, wanted in ENDS:
        reader, writer = os.pipe()
        os.close(reader)
        text = ('import os, signal, sys, tools\nsignal.signal(2, signal.SIG_DFL)\n'
                f'with tools.one_sentence(KeyError):\n    {action}')
        done = subprocess.run([sys.executable, '-c', text], cwd=ROOT / 'boot', stdout=writer, stderr=subprocess.PIPE,
                              text=True, check=False)
        os.close(writer)
        found = done.returncode, done.stderr
        tap.point(found == (status, wanted), f'{action}: {found}')
    done = subprocess.run(['sh', '-c', f'{sys.executable} -c "import tools\nwith tools.one_sentence(): print(1)" >&-'],
                          cwd=ROOT / 'boot', stderr=subprocess.PIPE, text=True, check=False)
    tap.point((done.returncode, done.stderr) == (0, ''), f'a closed output: {done}')
    done = subprocess.run([sys.executable, '-c', 'import tools\nwith tools.one_sentence(): print("\\xe9")'],
                          cwd=ROOT / 'boot', capture_output=True, env=dict(os.environ, PYTHONIOENCODING='ascii'),
                          check=False)
    tap.point((done.returncode, done.stdout) == (0, b'\\xe9\n'), f'what the locale cannot print: {done}')
    done = subprocess.run([sys.executable, '-c', 'import os, tools; tools.tap_main(lambda: os.kill(os.getpid(), 2))'],
                          cwd=ROOT / 'boot', capture_output=True, text=True, check=False)
    tap.point((done.returncode, done.stderr) == (130, ''), f'^C ends a test: {done}')
    bare = [path.name for path in sorted(ROOT.joinpath('boot').glob('*.py')) if '__main__' in (text := path.read_text())
            and not re.search(r'tools\.(tap_main|one_sentence)\(|^def run_meson', text, re.M)]
    tap.point(not bare, f'all scripts end so {bare or ""}'.rstrip())


def no_terminal(*_, **__):
    raise OSError(2, 'out of pty devices')


def test_missing_devices(tap):
    wanted = 'no pseudo-terminal can be opened, is /dev/pts mounted? (out of pty devices)'
    with changed(os, 'openpty', no_terminal):
        said = complaint(tools.open_terminal)
        tap.point(said == wanted, f'without /dev/pts: {said}')
    if debugger.pexpect and not complaint(lambda: tools.need('bochs-bin', *machine.BOCHS_FILES)):
        with changed(debugger.pexpect, 'spawn', no_terminal):
            said = complaint(lambda: debugger.Debugger('image'))
            tap.point(said == wanted, f'the debugger without /dev/pts: {said}')
    said = complaint(lambda: tools.need_kvm('/nowhere/kvm'))
    tap.point('there is no /nowhere/kvm' in said, f'without /dev/kvm: {said}')


def test_kvm_guest(tap):
    """KVM counts if a guest runs, not if QEMU starts."""
    with (tempfile.TemporaryDirectory() as folder, changed(tools, 'need_kvm', lambda: None),
          changed(os, 'environ', dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}'))):
        if not complaint(lambda: tools.need('qemu-system-x86_64')):
            done = machine.run_probe('-accel', 'tcg', seconds=60)
            tap.point(done.returncode == machine.PROBE_STATUS, f'the guest comes to its end: {done.returncode}')
        qemu = pathlib.Path(folder, 'qemu-system-x86_64')
        for text, wanted in ((f'exit {machine.PROBE_STATUS}', None), ('exec sleep 9', 'as slowly as an emulator'),
                             ('echo no luck >&2; exit 1', 'a guest does not start (no luck)'),
                             ('exit 0', 'a guest does not start (status 0)')):
            qemu.write_text(f'#!/bin/sh\n{text}\n')
            qemu.chmod(0o755)
            said = complaint(lambda: machine.need_kvm_guest(seconds=1))
            tap.point(said is None if wanted is None else wanted in (said or ''), f'KVM, QEMU does {text}: {said}')


def test_start_of_scripts(tap):
    """A script ends silently by ^C while Python still starts, and takes no module of the current folder."""
    text = ROOT.joinpath('umbra').read_text()
    start = re.search(r"as_program='(.*?)'\n", text, re.S)[1]
    slow = start.replace('import site\n', 'import _signal as s; s.raise_signal(s.SIGINT)\nimport site\n')
    with tempfile.TemporaryDirectory() as folder:
        for name in ('site', 'os', 'runpy', 'signal'):
            pathlib.Path(folder, f'{name}.py').write_text('print("not this one")\n')
        done = [subprocess.run([sys.executable, '-S', '-c', words, ROOT / 'x'], cwd=folder, check=False,
                               capture_output=True, text=True)
                for words in (slow, start + '\nimport signal; print(sys.argv, sys.path[0])')]
    tap.point((done[0].returncode, done[0].stderr) == (-signal.SIGINT, ''), f'^C at the start: {done[0].stderr}')
    tap.point(done[1].stdout == f"['{ROOT}/x'] {ROOT}\n", f'modules of the current folder: {done[1].stdout}')


def test_file_names(tap):
    """A copy that fails names both files: either may be the one that is wrong."""
    said = tools.sentence(OSError(errno.ENOSPC, 'No space left on device', 'from', None, 'to'))
    tap.point(said == 'from -> to: No space left on device', f'a copy that fails: {said}')


@contextlib.contextmanager
def stand_ins(meson, ninja=':'):
    """A folder with the command, and the environment for it, in which stand-ins take the places of what it calls:
    nothing is installed, configured or built. `meson` is a text in Python, `ninja` one for the shell."""
    with tempfile.TemporaryDirectory() as folder:
        bin_folder = pathlib.Path(folder, 'bin')
        bin_folder.mkdir()
        for name, text in (('dpkg-query', "printf '%s=installed ' \"$@\""), ('ninja', ninja)):
            bin_folder.joinpath(name).write_text(f'#!/bin/sh\n{text}\n')
        bin_folder.joinpath('meson').write_text(f'#!{sys.executable}\n{meson}\n')
        for path in bin_folder.iterdir():
            path.chmod(0o755)
        for name in ('umbra', 'boot', '.ci'):
            pathlib.Path(folder, name).symlink_to(ROOT / name)
        build = pathlib.Path(folder, 'build')
        build.mkdir()
        build.joinpath('build.ninja').touch()
        build.joinpath('umbra-packages').write_text('some\ntests\n')
        yield folder, dict(os.environ, PATH=f'{bin_folder}:{os.environ["PATH"]}')


def test_test_names(tap):
    """A name that no test has is refused before anything is built, also among others."""
    known = 'print("umbra:unit / one\\numbra:unit+proof / the other")'
    with stand_ins(known, 'echo "$3" >>calls') as (folder, environ):
        for words, wanted in ((['prove', 'wrong'], 'no test wrong'), (['test', 'one', 'wrong'], 'no test wrong'),
                              (['test', 'unit', '--repeat', '2', 'other'], 'no test other'),
                              (['test', '--repeat', '2', 'umbra:one', 'the other', '-v'], 'no test ran')):
            done = subprocess.run(['./umbra', *words], cwd=folder, env=environ, check=False, capture_output=True,
                                  text=True)
            tap.point(done.returncode == 2 and wanted in done.stderr, f'umbra {" ".join(words)}: {done.stderr.strip()}')
        calls = pathlib.Path(folder, 'calls').read_text().split()
        tap.point({*calls} == {'build.ninja'}, f'nothing is built for them but the list of what is built: {calls}')


BUSY = """case " $* " in
*' -n '*) echo '[1/1] a step' ;;
*' -t '*) ;;
*) mkdir busy || exit 1; sleep 1; rmdir busy ;;
esac"""


def test_two_at_once(tap):
    """Two commands that have something to build wait for each other."""
    if not shutil.which('flock'):
        tap.point(True, 'two commands at once # SKIP no flock')
        return
    with stand_ins('', BUSY) as (folder, environ):
        started = [subprocess.Popen(['./umbra', 'run', '--', '/bin/x'], cwd=folder, env=environ, text=True,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for _ in range(2)]
        said = [child.communicate()[1] for child in started]
    tap.point(all('umbra: built in' in text for text in said), f'two commands at once: {said}')


def test_streams(tap):
    """Standard streams that are closed, and output that nobody reads."""
    with stand_ins('import sys\nfor _ in range(100000):\n    print(*sys.argv[1:])') as (folder, environ):
        shell = f'cd "{folder}" && ./umbra test --list'
        done = subprocess.run(['bash', '-c', f'{shell} | head -n 1; exit ${{PIPESTATUS[0]}}'], env=environ, check=False,
                              capture_output=True, text=True)
        tap.point(done.returncode == 141 and not done.stderr, f'a list that nobody reads: {done.stderr}')
        with open('/dev/full', 'w', encoding='utf-8') as full:
            done = subprocess.run(['sh', '-c', shell], env=environ, check=False, stdout=full, stderr=subprocess.PIPE,
                                  text=True)
        wanted = 'umbra: standard output: No space left on device\n'
        tap.point((done.returncode, done.stderr) == (2, wanted), f'a list on a full disk: {done.stderr}')
        for closed in ('<&-', '>&-', '2>&-', '<&- >&- 2>&-'):
            for words in ('help', 'completion bash', 'lab list', 'test --list'):
                done = subprocess.run(['sh', '-c', f'cd "{folder}" && ./umbra {words} {closed}'], env=environ,
                                      check=False, capture_output=True, text=True)
                tap.point(done.returncode == 0 and not done.stderr, f'umbra {words} {closed}: {done.stderr}')


def test_memory(tap):
    """Amounts of memory with which a machine would not come to the kernel."""
    if complaint(lambda: tools.need('bochs-bin', *machine.BOCHS_FILES)):
        tap.point(True, 'amounts of memory # SKIP no Bochs')
        return
    for megabytes, wanted in ((4, 'at least 8 MB'), (4096, 'at most 2048 MB')):
        said = complaint(lambda amount=megabytes: machine.bochs_folder('image', amount, '', 1, '', False))
        tap.point(wanted in said, f'{megabytes} MB: {said}')
    said = complaint(lambda: machine.Qemu('image', os.devnull, 1)) or ''
    tap.point('at least 8 MB' in said or 'not installed' in said, f'QEMU with 1 MB: {said}')


def test_other_python(tap):
    """A python3 without Debian's packages that comes first in PATH."""
    if not os.access('/usr/bin/python3', os.X_OK):
        tap.point(True, 'another python3 # SKIP there is no /usr/bin/python3')
        return
    with tempfile.TemporaryDirectory() as folder:
        other = pathlib.Path(folder, 'python3')
        other.write_text('#!/bin/sh\necho the other one; exit 3\n')
        other.chmod(0o755)
        done = subprocess.run([ROOT / 'umbra', 'lab'], capture_output=True, text=True, check=False,
                              env=dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}'))
    tap.point(done.returncode == 0 and 'the other one' not in done.stdout, 'another python3 in PATH is not used')


# name, what a test printed, its result, what is skipped for what reason
SKIPS: tuple[tuple[str, str, str, list[tuple[str, str]]], ...] = (
    ('a whole TAP test', '1..0 # SKIP no tool\n', 'SKIP', [('', 'no tool')]),
    ('a point', 'ok 1 - a\nok 2 - b # SKIP root only\n1..2\n', 'OK', [('b', 'root only')]),
    ('status 77', 'skipped: no device\n', 'SKIP', [('', 'no device')]),
    ('a part of a test', 'fine\nskipped: a part\n', 'OK', [('', 'a part')]),
    ('status 77, in other words', 'x: no namespaces\n', 'SKIP', [('', 'x: no namespaces')]),
    ('no reason', '', 'SKIP', [('', count.NO_REASON)]),
    ('nothing skipped', 'ok 1 - a\n1..1\n', 'OK', []),
)


def test_skips(tap):
    for what, text, result, wanted in SKIPS:
        test = {'name': 'umbra:unit / x', 'stdout': text, 'result': result, 'returncode': 77}
        tap.point(count.reasons(test) == wanted, f'what was skipped and why: {what}')
    test = {'name': 'umbra:unit / x', 'stdout': 'skipped: y is not installed (Debian package z)\n',
            'result': 'SKIP', 'returncode': 77}
    found, _ = count.count_test(test, {})
    tap.point((found.failed, found.skipped) == (1, 0), 'a missing tool is a failure for the count')


def main():
    tap = Tap()
    for name, test in sorted(globals().items()):
        if name.startswith('test_'):
            test(tap)
    tap.finish()
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
