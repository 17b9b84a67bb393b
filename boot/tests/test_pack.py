#!/usr/bin/env python3
"""Packs programs that are compiled here and compares the archive with what they need; with --kernel
also runs them in QEMU. Reports in TAP.

    test_pack.py --elfparse FILE [--kernel ELF --initrd FILE]
"""
import argparse
import contextlib
import hashlib
import io
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

BOOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BOOT))

import cpio  # noqa: E402
import machine  # noqa: E402
import program  # noqa: E402
import tools  # noqa: E402
from guest_tap import Tap  # noqa: E402

MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int answer(void);
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "abort") == 0)
        abort();
    printf("%d arguments, %s\n", argc - 1, argc > 1 ? argv[argc - 1] : "none");
    return answer();
}
"""
ANSWER = 'int answer(void) { return 42; }\n'
ECHO = r"""
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++, putchar('\n'))
        for (const char *p = argv[i]; *p; p++)
            printf("%02x", (unsigned char)*p);
    return argc > 255 ? 255 : argc;
}
"""
# Arguments that GRUB passes, those that it cannot pass, and lists that are too long for it.
ARGUMENTS = (
    ['plain', 'two words', '--', '--qemu', 'a=b', '"', "'", '\\', '$HOME', 'a\\"b', '`x`', '*', '# x', '{a}', ';'],
    ['', ' ', '--', '', '-', '=', 'NAME=value', 'quotes"\'', 'back\\slash\\', 'é ü 漢字', ''],
    ['\n', '\t\r\x01\x1b[0m', os.fsdecode(bytes(range(1, 256))), os.fsdecode(b'\xff\xfe')],
    [str(number) for number in range(20000)],
    ['x' * (program.ARGUMENT_LIMIT - 1), 'y' * 100000],
)
# Files with the right to execute that are no programs: name, text, what is said.
REFUSED = (
    ('empty', '', 'neither an ELF file nor a script'),
    ('text', 'echo hello\n', 'neither an ELF file nor a script'),
    ('nameless', '#! \n', 'names no interpreter after #!'),
    ('interpreter-away', '#!/nowhere/sh\n', 'needs the interpreter /nowhere/sh, which is not there'),
    ('interpreter-data', '#!/etc/passwd\n', 'needs the interpreter /etc/passwd, which is not executable'),
    ('env-away', '#!/usr/bin/env -S nowhere -x\n', 'needs nowhere, which is not in PATH'),
)
INTERPRETER = '/lib64/ld-linux-x86-64.so.2'
LARGE = 48 << 20


def compile_all(folder):
    """Programs of each kind; `far` finds its library beside it, `lost` finds it nowhere."""
    folder.joinpath('main.c').write_text(MAIN)
    folder.joinpath('answer.c').write_text(ANSWER)
    for name in ('lib', 'elsewhere', 'bin'):
        folder.joinpath(name).mkdir()

    def gcc(*words):
        tools.run(['gcc', *words], cwd=folder)

    gcc('-shared', '-fPIC', '-o', 'lib/libanswer.so', 'answer.c')
    gcc('-o', 'pie', 'main.c', 'answer.c')
    gcc('-no-pie', '-o', 'fixed', 'main.c', 'answer.c')
    gcc('-static', '-o', 'static', 'main.c', 'answer.c')
    gcc('-static-pie', '-o', 'static-pie', 'main.c', 'answer.c')
    gcc('-o', 'bin/far', 'main.c', '-Llib', '-lanswer', '-Wl,-rpath,$ORIGIN/../lib')
    folder.joinpath('near').symlink_to('bin/far')
    gcc('-o', 'lost', 'main.c', '-Llib', '-lanswer')
    folder.joinpath('echo.c').write_text(ECHO)
    gcc('-static', '-o', 'echo', 'echo.c')
    folder.joinpath('script').write_text('#!/bin/sh\necho script $1; exit 7\n')
    folder.joinpath('script').chmod(0o755)


def packed(elfparse, path):
    files = program.Pack(elfparse)
    files.add_program(path)
    return files


def refusal(action):
    try:
        action()
    except tools.ToolError as error:
        return str(error)
    return ''


def test_closure(tap, elfparse, folder):
    """What is packed, by the kind of the program."""
    for name, interpreted in (('pie', True), ('fixed', True), ('static', False),
                              ('static-pie', False)):
        regular = {place for place, (mode, _) in packed(elfparse, folder / name).entries.items()
                   if stat.S_ISREG(mode)}
        has = INTERPRETER in regular and any(place.endswith('/libc.so.6') for place in regular)
        tap.point(str(folder / name) in regular and has == interpreted and
                  (interpreted or len(regular) == 1), f'{name}: interpreter and libc or nothing')
    far = packed(elfparse, folder / 'bin/far')
    tap.point(any(place.endswith('lib/libanswer.so') for place in far.entries),
              'a library beside the program, by DT_RUNPATH')
    near = packed(elfparse, folder / 'near')
    mode, content = near.entries[str(folder / 'near')]
    tap.point(stat.S_ISLNK(mode) and content == os.fsencode(folder / 'bin/far')
              and {*far.entries} < {*near.entries}, 'a symbolic link stays one: $ORIGIN is where it leads to')
    tap.point(all(stat.S_ISDIR(far.entries[os.path.dirname(place)][0]) for place in far.entries
                  if place.count('/') > 1), 'the folders of all files are in the archive')
    tap.point(not far.library_path, 'the linker finds it by itself')
    script = packed(elfparse, folder / 'script')
    tap.point('/bin/sh' in script.entries, "a script's interpreter")
    said = refusal(lambda: packed(elfparse, folder / 'lost'))
    tap.point('lost needs the library libanswer.so' in said, 'a missing library is named')
    os.environ['LD_LIBRARY_PATH'] = str(folder / 'lib')
    found = packed(elfparse, folder / 'lost')
    tap.point(found.library_path == [str(folder / 'lib')], 'the linker is told of LD_LIBRARY_PATH')
    del os.environ['LD_LIBRARY_PATH']
    tap.point('no such file' in refusal(lambda: packed(elfparse, folder / 'none')),
              'a program that is not there')
    tap.point('not executable' in refusal(lambda: packed(elfparse, folder / 'main.c')),
              'a file that is not executable')
    for name, text, wanted in REFUSED:
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
        said = refusal(lambda file=path: packed(elfparse, file))
        tap.point(wanted in said, f'{name}: {said}'.replace('#', ' '))
    for path, wanted in ((f'{folder}/pie/', 'Not a directory'), (str(folder), 'not a file'),
                         ('/dev/null', 'not a file')):
        said = refusal(lambda name=path: packed(elfparse, name))
        tap.point(wanted in said, f'{path}: {said}')
    foreign = folder / 'foreign'
    foreign.write_bytes(b'\x7fELF' + bytes(60))
    foreign.chmod(0o755)
    tap.point(str(foreign) in refusal(lambda: packed(elfparse, foreign)),
              'a file that elfparse refuses')


def test_env(tap):
    """The program of a script's first line with env(1)."""
    for words, wanted in (('perl', 'perl'), ('perl -w', 'perl -w'), ('-S perl -w', 'perl'), ('-Sperl', 'perl'),
                          ('-iS A=b "perl" -w', 'perl'), ('--split-string=perl -w', 'perl'), ('-S', None),
                          ('-S "perl', None), ('-i', None)):
        found = program.env_program(words)
        tap.point(found == wanted, f'env {words}: {found}')


def test_left_out(tap, elfparse, folder):
    """What no archive can have is left out of a folder, and said."""
    special = folder / 'special'
    special.mkdir()
    os.mkfifo(special / 'fifo')
    special.joinpath('closed').mkdir()
    special.joinpath('data').write_text('data')
    os.symlink(b'\xff', os.fsencode(special / 'link'))
    said = io.StringIO()

    def closed(path):
        if path.endswith('closed'):
            raise PermissionError(13, 'Permission denied')
        return os_listdir(path)
    os_listdir, program.os.listdir = os.listdir, closed
    try:
        with contextlib.redirect_stderr(said):
            guest = program.load([], False, [str(special)], elfparse, folder)
    finally:
        program.os.listdir = os_listdir
    files = cpio.files(guest.extra.read_bytes())
    tap.point(files.get(f'{special}/data') == b'data' and f'{special}/fifo' not in files, 'a folder with a FIFO')
    tap.point(f'not packed: {special}/closed: Permission denied (and 1 more)' in said.getvalue(),
              f'what is left out is said: {said.getvalue()}')
    if os.geteuid() != 0:
        special.joinpath('secret').touch(mode=0)
        tap.point('Permission denied' in refusal(lambda: program.load([], False, [f'{special}/secret'], elfparse,
                                                                      folder)), 'a file that may not be read')


def test_doubts(tap, elfparse, folder):
    """A folder may have files that cannot run: they are packed, and one of them is named."""
    mixed = folder / 'mixed'
    mixed.mkdir()
    mixed.joinpath('script').write_text('#!/nowhere/interpreter\n')
    mixed.joinpath('script').chmod(0o755)
    mixed.joinpath('module').write_text('#!nowhere/interpreter\n')
    mixed.joinpath('broken').write_bytes(b'\x7fELF' + bytes(60))
    mixed.joinpath('broken').chmod(0o755)
    mixed.joinpath('data').write_bytes(b'\x7fELF' + bytes(60))
    files = program.Pack(elfparse)
    files.add(str(mixed))
    tap.point(all(f'{mixed}/{name}' in files.entries for name in ('script', 'module', 'broken', 'data')),
              'files of a folder are packed although they cannot run')
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        program.load([], False, [str(mixed)], elfparse, folder)
    tap.point(f'{mixed}/broken: ' in said.getvalue() and '(and 1 more)' in said.getvalue(),
              'what is wrong is said once')
    said = refusal(lambda: program.Pack(elfparse).add(str(mixed / 'script')))
    tap.point('/nowhere/interpreter' in said, 'a file that is named itself must be able to run')


def test_paths(tap, elfparse, folder):
    """--with: files, folders, links, other places."""
    folder.joinpath('elsewhere/inner').mkdir()
    folder.joinpath('elsewhere/inner/data').write_text('data')
    folder.joinpath('elsewhere/link').symlink_to('inner/data')
    guest = program.load([], False, [f'{folder}/elsewhere=/there', f'{folder}/main.c'], elfparse,
                         folder)
    content = guest.extra.read_bytes()
    files = cpio.files(content)
    tap.point(files.get('/there/inner/data') == b'data', 'a folder at another place')
    tap.point(files.get(f'{folder}/main.c') == MAIN.encode(), 'a file keeps its place')
    tap.point(b'there/link\0' in content, 'a symbolic link')
    for name, target in (('alias', f'{folder}/elsewhere/inner'), ('second', 'main.c')):
        folder.joinpath(name).symlink_to(target)
    content = program.load([], False, [f'{folder}/alias', f'{folder}/second', f'{folder}/second=/copy'], elfparse,
                           folder).extra.read_bytes()
    files = cpio.files(content)
    tap.point(files.get(f'{folder}/elsewhere/inner/data') == b'data' and f'{folder}/alias/data' not in files and
              f'{folder}/elsewhere/inner'.encode() in content, 'a link to a folder, and the folder')
    tap.point(files.get(f'{folder}/main.c') == MAIN.encode() and files.get(f'{folder}/second') != MAIN.encode(),
              'a link to a file, and the file')
    tap.point(files.get('/copy') == MAIN.encode(), 'what a link leads to, at another place')
    tap.point(not guest.words and guest.path is None, 'the first process is that of the archive')
    tap.point('no such file' in refusal(
        lambda: program.load([], False, ['/no/such'], elfparse, folder)), 'a path that is not there')
    whole = program.joined(guest.extra, guest, folder).read_bytes()
    tap.point(cpio.files(whole + cpio.entry('/z', b'last')) ==
              dict(files, **{'/z': b'last'}), 'archives one after the other are read')


def test_words(tap, elfparse, folder):
    """The program's words, and sizes for Bochs."""
    for argv, expected in (
            (['--qemu', './a', '-x', '--'], (['--qemu'], ['./a', '-x', '--'], True)),
            (['--with', 'a', '--', '/b', '--help'], (['--with', 'a'], ['/b', '--help'], False)),
            (['--append=x', '--limit', '3'], (['--append=x', '--limit', '3'], [], False)),
            ([], ([], [], False))):
        tap.point(program.split(argv, ('--with', '--limit')) == expected, f'the words {argv}')
    guest = program.load([str(folder / 'static'), 'x y'], True, [], elfparse, folder)
    tap.point(guest.words == [f'init={folder}/static', 'init_killable', '--', 'x y'],
              'the command line of a program of this machine')
    for arguments in (*ARGUMENTS[1:], [''], ['\t'], ['é'], ['x' * 1024], ['x'] * 65):
        guest = program.load(['/echo', *arguments], False, [], elfparse, folder)
        listed = cpio.files(guest.extra.read_bytes())[program.ARGUMENTS_PLACE]
        tap.point(guest.words == ['init=/echo', f'init_args={program.ARGUMENTS_PLACE}'] and
                  listed == b''.join(os.fsencode(text) + b'\0' for text in arguments),
                  f'a file for {len(arguments)} arguments, {arguments[0][:8]!r}')
    for arguments in (['x' * program.ARGUMENT_LIMIT], ['x' * 99992] * 21, [''] * (230 << 10)):
        said = refusal(lambda words=arguments: program.load(['/echo', *words], False, [], elfparse, folder))
        tap.point('a program gets' in said, f'{len(arguments)} arguments are too long')
    megabyte = program.MEGABYTE
    tap.point(program.bochs_notice(32 * megabyte) is None, '32 MB are nothing special')
    tap.point('33 MB' in program.bochs_notice(32 * megabyte + 1), 'more is announced')
    tap.point('128 MB' in program.bochs_notice(128 * megabyte), '128 MB are announced')
    large = folder / 'large'
    with open(large, 'wb') as file:
        file.truncate(32 * megabyte + 1)
    none = program.Guest([], None, None)
    tap.point(program.for_qemu(str(large), none, folder) == (None, str(large)), 'QEMU passes a large one itself')
    tap.point(program.memory_for(str(large), none, 100) == 100 + 33 + 4, 'and gets memory for it')
    os.truncate(large, 32 * megabyte)
    tap.point(program.for_qemu(str(large), none, folder) == (str(large), None), 'a small one comes from GRUB')
    tap.point('use --gdb' in refusal(lambda: program.bochs_notice(129 * megabyte, '--gdb')),
              'debug has another option than run')
    tap.point('use --qemu' in refusal(lambda: program.bochs_notice(128 * megabyte + 1)),
              'more is refused for Bochs')


def test_network(tap):
    """Bochs is started without a network, or the user is warned."""
    def isolated(status):
        caches = machine.isolation, machine.tied
        for cached in caches:
            cached.cache_clear()
        before, said = subprocess.run, io.StringIO()
        subprocess.run = lambda *_, **__: subprocess.CompletedProcess([], status)
        try:
            with contextlib.redirect_stderr(said):
                return machine.bochs_command()[0], said.getvalue()
        finally:
            subprocess.run = before
            for cached in caches:
                cached.cache_clear()
    tap.point(isolated(0) == ('unshare', ''), 'Bochs has no network where unshare is allowed')
    word, said = isolated(1)
    tap.point(word == 'bochs-bin' and 'from the network' in said, 'else there is a warning')


def run(args, *words, cwd=None):
    """The exit status and the output of `run --qemu`, with a limit that no run here needs."""
    kernel, initrd, elfparse = map(os.path.abspath, (args.kernel, args.initrd, args.elfparse))
    done = subprocess.run([*machine.tied('TERM'), sys.executable, BOOT / 'run.py', '--kernel', kernel,
                           '--initrd', initrd, '--log', os.devnull, '--elfparse', elfparse, '--qemu',
                           '--limit', '60', *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def test_runs(tap, args, folder):
    for name in ('static-pie', 'bin/far', 'near'):
        status, text = run(args, str(folder / name), 'one', '--two')
        tap.point(status == 42 and '2 arguments, --two\n' in text, f'{name} runs')
        if status != 42:
            tap.comment(text[-300:])
    large = folder / 'large, here'
    large.write_bytes(cpio.entry('/large', bytes(33 << 20)) + pathlib.Path(args.initrd).read_bytes())
    status, text = run(args, '--initrd', large.name, '--', '/bin/hello', cwd=folder)
    tap.point(status == 0 and 'opt/umbra/initrd' in text, 'a large archive from QEMU, by a relative path with a comma')
    if status != 0:
        tap.comment(text[-300:])
    for arguments in (ARGUMENTS[0], sum(ARGUMENTS, [])):
        wanted = subprocess.run([folder / 'echo', *arguments], stdout=subprocess.PIPE, check=False)
        status, text = run(args, str(folder / 'echo'), *arguments)
        same = wanted.stdout.decode() in text and status == wanted.returncode
        tap.point(same, f'{len(arguments)} arguments arrive as on this machine')
        if not same:
            tap.comment(repr(text[-300:]))
    status, _ = run(args, str(folder / 'static'), 'abort')
    tap.point(status == 134, 'abort() ends the first process by its signal')
    large = folder / 'large'
    large.write_bytes(bytes(range(256)) * (LARGE // 256))
    digest = hashlib.md5(large.read_bytes()).hexdigest()
    status, text = run(args, '--with', f'{large}=/large', '--', '/bin/busybox', 'md5sum', '/large')
    tap.point(status == 0 and digest in text, f'{LARGE >> 20} MB arrive unchanged')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--elfparse', required=True)
    parser.add_argument('--kernel')
    parser.add_argument('--initrd')
    args = parser.parse_args()
    tools.need('gcc', 'readelf')
    tap = Tap()
    os.environ.pop('LD_LIBRARY_PATH', None)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='umbra-pack.'))
    try:
        compile_all(folder)
        if args.kernel:
            test_runs(tap, args, folder)
        else:
            test_closure(tap, args.elfparse, folder)
            test_env(tap)
            test_left_out(tap, args.elfparse, folder)
            test_doubts(tap, args.elfparse, folder)
            test_paths(tap, args.elfparse, folder)
            test_words(tap, args.elfparse, folder)
            test_network(tap)
    finally:
        shutil.rmtree(folder)
    tap.finish()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    tools.tap_main(main)
