"""The program that a command starts in the guest: a file of this machine, or a path in the archive.

`run PROGRAM ARGS` takes a file of this machine and packs it with all that it needs;
`run -- PROGRAM ARGS` takes a path in the archive.

Each packed file keeps its path, so that paths that a program has built in, $ORIGIN and the folders of the
dynamic linker are right in the guest too.  What a file needs is read by the `elfparse` command:
its interpreter (or that of a script), its libraries, and where it looks for them (ld.so(8)).
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import stat
import sys

import cpio
import iso
import tools

# Where the dynamic linkers look last (ld.so(8), Debian's order; musl's ldso/dynlink.c).
GLIBC_FOLDERS = ('/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64',
                 '/lib', '/usr/lib')
MUSL_FOLDERS = ('/lib', '/usr/local/lib', '/usr/lib', '/usr/lib/x86_64-linux-musl')
# Which of them the linker in the guest knows by itself; it is told of the others.
BUILT_IN = {'/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib', '/usr/lib'}
CONFIGURED = '/etc/ld.so.conf.d'
ELF_MAGIC = b'\x7fELF'


class PackError(tools.ToolError):
    """A program cannot be packed; the text says which file is missing, and who needs it."""


class UnreadableError(PackError):
    """A file or folder may not be read."""


@dataclasses.dataclass
class Needs:
    """What elfparse says of a file."""
    interpreter: str = ''
    needed: list = dataclasses.field(default_factory=list)
    rpath: list = dataclasses.field(default_factory=list)
    runpath: list = dataclasses.field(default_factory=list)


def needs_of(elfparse, path):
    """Asks elfparse; raises PackError with its reason if the file is not one that Linux runs, and
    yet executable.  Without that right it is data: an object file, a program of another machine."""
    tools.need(elfparse)
    found = tools.run([elfparse, '--json', path], allowed=(0, 1))
    verdict = json.loads(found)[0]
    if not verdict['accepted'] and not os.access(path, os.X_OK):
        return Needs()
    if not verdict['accepted']:
        raise PackError(f'{path}: {verdict["errors"][0]["text"]}')
    folders = {name: [folder for text in verdict.get(name, []) for folder in text.split(':')]
               for name in ('rpath', 'runpath')}
    return Needs(verdict['interpreter'], verdict.get('needed', []), **folders)


def configured_folders(folder=CONFIGURED):
    """The folders that /etc/ld.so.conf.d names."""
    for file in sorted(pathlib.Path(folder).glob('*.conf')):
        for line in file.read_text(errors='replace').splitlines():
            if line.startswith('/'):
                yield line.strip()


def beginning(path):
    """The bytes of a file by which Linux knows how to run it."""
    try:
        with open(path, 'rb') as file:
            return file.read(256)
    except OSError as error:
        raise UnreadableError(f'{path}: {error.strerror}') from error


def names_in(folder):
    """The sorted names in a folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise UnreadableError(f'{folder}: {error.strerror}') from error


class Pack:
    """The files for the guest: `entries` maps each path to a mode and a source or content."""

    def __init__(self, elfparse):
        self._elfparse = elfparse
        self.entries = {}
        self.library_path = []  # folders that the guest's linker must be told of
        self.doubts = []  # files of folders that are packed although something they need is missing
        self.left_out = []  # what is in folders and cannot be packed
        self._done = set()
        self._configured = list(configured_folders())

    def add_program(self, path):
        """Adds a program with all it needs; returns its path in the guest."""
        place = os.path.abspath(path)
        if not os.path.isfile(path):
            raise PackError(f'{path}: {tools.why_not_file(path)} (a path in the archive goes after --)')
        if not os.access(path, os.X_OK):
            raise PackError(f'{path} is not executable')
        if not beginning(path).startswith((ELF_MAGIC, b'#!')):
            raise PackError(f'{path} is neither an ELF file nor a script, which begins with #!')
        self._add_started(place)
        return place

    def add(self, path, place=None):
        """Adds a file or a folder with all below it; `place` is its path in the guest.

        A file that is named must be readable and have all that it needs. A symbolic link stays one, and what it
        leads to is added at its own path; if there is a place, that is packed there. In a folder links stay as they
        are, files that cannot run are doubts, and what is not readable is left out.
        """
        path = os.path.abspath(path)
        if os.path.islink(path) and os.path.exists(path) and place is None:
            path = self._add_link(path)
        place = os.path.normpath('/' + (place or path).lstrip('/'))
        if os.path.isdir(path):
            names = names_in(path)
            self._put(place, stat.S_IFDIR | os.stat(path).st_mode & 0o7777)
            for name in names:
                self._add_in_folder(os.path.join(path, name), os.path.join(place, name))
        elif os.path.isfile(path):
            self._add_with_needs(path, place)
        else:
            raise PackError(f'{path}: {tools.why_not_file(path)}')

    def _add_in_folder(self, path, place):
        try:
            if os.path.islink(path):
                self._put(place, stat.S_IFLNK | 0o777, os.fsencode(os.readlink(path)))
            elif os.path.isdir(path) or os.path.isfile(path):
                self.add(path, place)
            else:
                self.left_out.append(f'{path}: it is a FIFO, a socket or a device')
        except UnreadableError as error:
            self.left_out.append(str(error))
        except PackError as error:
            self.doubts.append(str(error))

    def _add_started(self, path):
        """Adds a program that the kernel starts. A symbolic link stays one: the linker's $ORIGIN and the program
        itself (/proc/self/exe) find other files by the folder that the link leads to."""
        self._add_with_needs(self._add_link(path) if os.path.islink(path) else path)

    def _add_link(self, path):
        """Adds a symbolic link; returns where it leads to."""
        real = os.path.realpath(path)
        self._put(path, stat.S_IFLNK | 0o777, os.fsencode(real))
        return real

    def _put(self, place, mode, content=None):
        """Adds an entry and the folders above it."""
        parent = os.path.dirname(place)
        if parent not in ('/', '') and parent not in self.entries:
            rights = os.stat(parent).st_mode & 0o7777 if os.path.isdir(parent) else 0o755
            self._put(parent, stat.S_IFDIR | rights)
        if place != '/':
            self.entries.setdefault(place, (mode, content))

    def _add_with_needs(self, path, place=None, rpath=()):
        """Adds a file at its own place and once all that it needs."""
        start = beginning(path)
        self._put(place or path, stat.S_IFREG | os.stat(path).st_mode & 0o7777, pathlib.Path(path))
        if path in self._done:
            return
        self._done.add(path)
        if start.startswith(ELF_MAGIC):
            self._add_elf_needs(path, needs_of(self._elfparse, path), rpath)
        elif start.startswith(b'#!') and os.access(path, os.X_OK):
            self._add_script_needs(path, start)

    def _add_script_needs(self, path, start):
        words = start[2:].split(b'\n')[0].decode(errors='replace').split(None, 1)
        if not words:
            raise PackError(f'{path} names no interpreter after #!')
        check_interpreter(path, words[0])
        self._add_started(words[0])
        name = env_program(words[1]) if os.path.basename(words[0]) == 'env' and len(words) > 1 else None
        if name:
            program = shutil.which(name)
            if program is None:
                raise PackError(f'{path} needs {name}, which is not in PATH')
            self._add_started(os.path.abspath(program))

    def _add_elf_needs(self, path, needs, rpath):
        musl = 'ld-musl' in needs.interpreter
        if needs.interpreter:
            check_interpreter(path, needs.interpreter)
            self._add_with_needs(needs.interpreter)
        origin = os.path.dirname(path)
        own = [expand(folder, origin) for folder in needs.runpath or needs.rpath]
        inherited = [] if needs.runpath else [*own, *rpath]
        for name in needs.needed:
            if musl and name.startswith(('libc.so', 'libc.musl')):
                continue  # the interpreter is the library
            library = self._find(name, own if needs.runpath else inherited, musl)
            if library is None:
                raise PackError(f'{path} needs the library {name}, which is in none of its folders: '
                                'set LD_LIBRARY_PATH')
            self._add_with_needs(library, rpath=inherited)

    def _find(self, name, own, musl):
        """The path of a library; remembers a folder that the guest's linker does not know."""
        if '/' in name:
            return os.path.abspath(name) if os.path.isfile(name) else None
        told = [folder for folder in os.environ.get('LD_LIBRARY_PATH', '').split(':') if folder]
        usual = MUSL_FOLDERS if musl else GLIBC_FOLDERS
        for folder in [*own, *told, *usual, *self._configured]:
            path = os.path.join(folder, name)
            if not is_library(path):
                continue
            if folder not in own and folder not in BUILT_IN and folder not in self.library_path:
                self.library_path.append(os.path.abspath(folder))
            return os.path.abspath(path)
        return None

    def size(self):
        """Bytes of the files, without the archive's headers."""
        return sum(source.stat().st_size for _, source in self.entries.values()
                   if isinstance(source, pathlib.Path))

    def write(self, out):
        """Writes the archive to a binary file."""
        for place, (mode, content) in sorted(self.entries.items()):
            if isinstance(content, pathlib.Path):
                content = content.read_bytes()
            out.write(cpio.entry(place, content or b'', mode))
        out.write(cpio.end())


def check_interpreter(path, interpreter):
    if not os.path.isfile(interpreter):
        raise PackError(f'{path} needs the interpreter {interpreter}, which is not there')
    if not os.access(interpreter, os.X_OK):
        raise PackError(f'{path} needs the interpreter {interpreter}, which is not executable')


def expand(folder, origin):
    """A folder of DT_RUNPATH with its names replaced (ld.so(8), "Dynamic string tokens")."""
    for name, value in (('ORIGIN', origin), ('LIB', 'lib/x86_64-linux-gnu'),
                        ('PLATFORM', 'x86_64')):
        folder = folder.replace('${' + name + '}', value).replace('$' + name, value)
    return folder


def env_program(words):
    """The program that env(1) starts for the words of a script's first line after its own name, or None. Linux
    passes them as one argument, which the option -S splits."""
    match = re.match(r'(?:-[iv0]*S|--split-string[= ])\s*', words)
    try:
        parts = shlex.split(words[match.end():]) if match else [words.strip()]
    except ValueError:  # a quote is open
        return None
    return next((part for part in parts if not part.startswith('-') and '=' not in part), None)


def is_library(path):
    """Whether it is an x86-64 ELF file: the linker passes over those of other machines."""
    try:
        with open(path, 'rb') as file:
            head = file.read(20)
    except OSError:
        return False
    return head[:5] == ELF_MAGIC + b'\x02' and head[18:20] == b'\x3e\x00'


MEGABYTE = 1 << 20
GRUB_MEGABYTES_PER_SECOND = 4      # what GRUB loads under Bochs
BOCHS_NOTICE, BOCHS_LIMIT = 32, 128  # MB of an archive: the time is announced, Bochs is refused
LINE_LIMIT, WORDS_LIMIT = 1024, 64  # bytes and arguments that go on the kernel's command line
ARGUMENTS_PLACE = '/.arguments'    # other arguments: a file that the kernel reads and removes (init_args)
ARGUMENT_LIMIT, ARGUMENTS_LIMIT = 128 << 10, (2 << 20) - (8 << 10)  # bytes (kernel/exec/args.h, less variables)


@dataclasses.dataclass(frozen=True)
class Guest:
    """`words` for the kernel's command line; `extra`, an archive to be unpacked after the initrd, or
    None; `path`, the program in the guest, or None for the archive's own init."""
    words: list
    extra: pathlib.Path
    path: str

    def extra_megabytes(self):
        return -(-self.extra.stat().st_size // MEGABYTE) if self.extra else 0


def split(argv, valued):
    """Splits a command's arguments into (options, the program's words, whether it is a file of
    this machine). `valued` are the options that take the next word as their value."""
    at = 0
    while at < len(argv):
        if argv[at] == '--':
            return argv[:at], argv[at + 1:], False
        if not argv[at].startswith('-') or argv[at] == '-':
            return argv[:at], argv[at:], True
        at += 2 if argv[at] in valued else 1
    return argv, [], False


def add_options(parser):
    """The options about the program that run, debug and map share."""
    parser.add_argument('--with', dest='with_paths', action='append', default=[],
                        metavar='PATH[=PLACE]', help='a file or folder to pack too')
    parser.add_argument('--append', default='', metavar='WORDS',
                        help="words for the kernel's command line")


def parse(parser, argv, valued):
    """The arguments of a command that boots a program: its own options, which `valued` are split
    by, and those that all share; `program` are the program's words, `is_ours` as of split()."""
    parser.add_argument('--kernel', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--elfparse', default='elfparse', help=argparse.SUPPRESS)
    parser.add_argument('--initrd', required=True, metavar='FILE', help='another cpio archive')
    add_options(parser)
    options, words, is_ours = split(argv, {'--kernel', '--elfparse', '--initrd', '--with',
                                           '--append', *valued})
    args = parser.parse_args(options)
    args.program, args.is_ours = words, is_ours
    return args


def is_large(initrd):
    """Whether GRUB needs long to load the archive."""
    return bool(initrd) and pathlib.Path(initrd).stat().st_size > BOCHS_NOTICE * MEGABYTE


def memory_for(initrd, guest, default):
    """The memory in MB of a machine: the default, and room for what is packed and for a large archive."""
    megabytes = guest.extra_megabytes()
    if is_large(initrd):
        megabytes += -(-pathlib.Path(initrd).stat().st_size // MEGABYTE)
    return default + megabytes + megabytes // 8


def checked_arguments(arguments):
    """The arguments as bytes; raises ImageError if no program can get them."""
    strings = [os.fsencode(text) + b'\0' for text in arguments]
    if any(len(text) > ARGUMENT_LIMIT for text in strings):
        raise iso.ImageError(f'an argument is too long: with its NUL, a program gets {ARGUMENT_LIMIT} bytes')
    size = sum(len(text) + 8 for text in strings)
    if size > ARGUMENTS_LIMIT:
        raise iso.ImageError(f'the arguments take {size} bytes with 8 for each pointer; '
                             f'a program gets {ARGUMENTS_LIMIT}')
    return strings


def pass_arguments(arguments, files):
    """The words of the kernel's command line that give the program these arguments. What GRUB cannot pass
    (an empty word, other bytes than printable ASCII, a long list) goes into a file of the archive."""
    strings = checked_arguments(arguments)
    plain = all(text and text.isascii() and text.isprintable() for text in arguments)
    if plain and sum(len(text) for text in strings) <= LINE_LIMIT and len(strings) <= WORDS_LIMIT:
        return ['--', *arguments] if arguments else []
    files.entries[ARGUMENTS_PLACE] = stat.S_IFREG | 0o400, b''.join(strings)
    return [f'init_args={ARGUMENTS_PLACE}']


def load(words, is_ours, with_paths, elfparse, scratch):
    """Packs what comes from this machine into a file in `scratch`, and makes the command line. A
    path of `with_paths` may be followed by =PLACE, its path in the guest."""
    if words and not words[0]:
        raise iso.ImageError('the name of the program is empty')
    files = Pack(elfparse)
    path = words[0] if words else None
    if is_ours and words:
        path = files.add_program(path)
    for item in with_paths:
        source, _, place = item.partition('=')
        files.add(source, place or None)
    for what, paths in (('packed, but cannot run', files.doubts), ('not packed', files.left_out)):
        others = f' (and {len(paths) - 1} more)' if len(paths) > 1 else ''
        if paths:
            print(f'umbra: {what}: {paths[0]}{others}', file=sys.stderr)
    arguments = pass_arguments(words[1:], files)
    extra = None
    if files.entries:
        extra = pathlib.Path(scratch, 'program.cpio')
        with open(extra, 'wb') as out:
            files.write(out)
    kernel_words = [f'init={path}'] if path else []
    if is_ours:
        kernel_words.append('init_killable')
    if files.library_path:
        kernel_words.append('LD_LIBRARY_PATH=' + ':'.join(files.library_path))
    return Guest(kernel_words + arguments, extra, path)


def unpacked(initrd, scratch):
    """The path of the archive with all its parts uncompressed."""
    if not initrd or not pathlib.Path(initrd).is_file():
        return initrd
    data = pathlib.Path(initrd).read_bytes()
    try:
        plain = cpio.unpack(data)
    except cpio.UnpackError as error:
        raise iso.ImageError(str(error)) from error
    if plain is data:
        return initrd
    copy = pathlib.Path(scratch, 'unpacked.cpio')
    copy.write_bytes(plain)
    return str(copy)


def joined(initrd, guest, scratch):
    """The archive with the guest's own after it, for a loader that takes one: a path or None."""
    if guest.extra is None:
        return initrd or None
    whole = pathlib.Path(scratch, 'joined.cpio')
    with open(whole, 'wb') as out:
        for part in [initrd, guest.extra]:
            if part:
                out.write(pathlib.Path(part).read_bytes())
                out.write(bytes(-out.tell() % 4))
    return whole


def for_qemu(initrd, guest, scratch):
    """(the archive that GRUB loads, the one that QEMU passes itself), each a path or None."""
    if is_large(initrd):
        return None, joined(initrd, guest, scratch)
    return initrd or None, guest.extra


def files_of(initrd, guest):
    """The regular files of both archives, by path: what cpio.files() returns."""
    found = {}
    for part in [initrd, guest.extra]:
        if part:
            found.update(cpio.files(pathlib.Path(part).read_bytes()))
    return found


def bochs_notice(size, other='--qemu'):
    """What to say about an archive of `size` bytes under Bochs, or None; refuses a large one. `other` is the
    option for a machine that loads it faster, or ''."""
    megabytes = -(-size // MEGABYTE)
    if megabytes > BOCHS_LIMIT:
        raise iso.ImageError(f'an archive of {megabytes} MB is too large for Bochs, where GRUB loads '
                             f'{GRUB_MEGABYTES_PER_SECOND} MB a second' + (f'; use {other}' if other else ''))
    if megabytes > BOCHS_NOTICE:
        return (f'GRUB needs about {megabytes // GRUB_MEGABYTES_PER_SECOND} s to load an archive of '
                f'{megabytes} MB' + (f'; {other} is faster' if other else ''))
    return None


def for_bochs(initrd, guest, scratch, other):
    """As for_qemu(): GRUB loads both archives. Says how long it takes if they are large."""
    whole = joined(initrd, guest, scratch)
    notice = bochs_notice(pathlib.Path(whole).stat().st_size, other) if whole else None
    if notice:
        print(f'umbra: {notice}', file=sys.stderr)
    return whole, None


def window_words(descriptor):
    """The word that tells the guest how large the window is, if the descriptor is a terminal."""
    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(descriptor)
        return [f'window={rows}x{columns}'] if rows and columns else []
    return []


def terminal_words(descriptor):
    """The words that tell the guest about the terminal: its kind and its window."""
    if not os.isatty(descriptor):
        return []
    words = window_words(descriptor)
    kind = os.environ.get('TERM', '')
    return words + ([f'TERM={kind}'] if kind.isprintable() and kind else [])
