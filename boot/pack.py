"""Packs a program of this machine with all that it needs into an archive for the guest.

Each file keeps its path, so that paths that a program has built in, $ORIGIN and the folders of the
dynamic linker are right in the guest too.  What a file needs is read by the `elfparse` command:
its interpreter (or that of a script), its libraries, and where it looks for them (ld.so(8)).
"""
import dataclasses
import json
import os
import pathlib
import shutil
import stat

import cpio
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


class Pack:
    """The files for the guest: `entries` maps each path to a mode and a source or content."""

    def __init__(self, elfparse):
        self._elfparse = elfparse
        self.entries = {}
        self.library_path = []  # folders that the guest's linker must be told of
        self.doubts = []  # files of folders that are packed although something they need is missing
        self._done = set()
        self._configured = list(configured_folders())

    def add_program(self, path):
        """Adds a program with all it needs; returns its path in the guest."""
        place = os.path.abspath(path)
        if not os.path.isfile(place):
            raise PackError(f'{path}: {"is not a file" if os.path.exists(place) else "no such file"}'
                            ' (a path in the archive goes after --)')
        if not os.access(place, os.X_OK):
            raise PackError(f'{path} is not executable')
        self._add_with_needs(place)
        return place

    def add(self, path, place=None):
        """Adds a file or a folder with all below it; `place` is its path in the guest.

        A file that is named must have all that it needs. In a folder, files that cannot run are doubts.
        """
        path = os.path.abspath(path)
        place = os.path.normpath('/' + (place or path).lstrip('/'))
        if os.path.isdir(path):
            self._put(place, stat.S_IFDIR | os.stat(path).st_mode & 0o7777)
            for name in sorted(os.listdir(path)):
                inner, where = os.path.join(path, name), os.path.join(place, name)
                if os.path.islink(inner):
                    self._put(where, stat.S_IFLNK | 0o777, os.readlink(inner).encode())
                elif os.path.isdir(inner):
                    self.add(inner, where)
                elif os.path.isfile(inner):
                    self._add_in_folder(inner, where)
        elif os.path.isfile(path):
            self._add_with_needs(path, place)
        else:
            raise PackError(f'{path}: no such file or folder')

    def _add_in_folder(self, path, place):
        try:
            self._add_with_needs(path, place)
        except PackError as error:
            self.doubts.append(str(error))

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
        self._put(place or path, stat.S_IFREG | os.stat(path).st_mode & 0o7777, pathlib.Path(path))
        if path in self._done:
            return
        self._done.add(path)
        with open(path, 'rb') as file:
            start = file.read(256)
        if start.startswith(ELF_MAGIC):
            self._add_elf_needs(path, needs_of(self._elfparse, path), rpath)
        elif start.startswith(b'#!') and os.access(path, os.X_OK):
            self._add_script_needs(path, start)

    def _add_script_needs(self, path, start):
        words = start[2:].split(b'\n')[0].decode(errors='replace').split(None, 1)
        if not words or not os.path.isfile(words[0]):
            raise PackError(f'{path} needs the interpreter {" ".join(words) or "(none)"}, '
                            'which is not there')
        self._add_with_needs(words[0])
        if os.path.basename(words[0]) == 'env' and len(words) > 1:
            program = shutil.which(words[1])
            if program is None:
                raise PackError(f'{path} needs {words[1]}, which is not in PATH')
            self._add_with_needs(program)

    def _add_elf_needs(self, path, needs, rpath):
        musl = 'ld-musl' in needs.interpreter
        if needs.interpreter:
            if not os.path.isfile(needs.interpreter):
                raise PackError(f'{path} needs the interpreter {needs.interpreter}, '
                                'which is not there')
            self._add_with_needs(needs.interpreter)
        origin = os.path.dirname(os.path.realpath(path))
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


def expand(folder, origin):
    """A folder of DT_RUNPATH with its names replaced (ld.so(8), "Dynamic string tokens")."""
    for name, value in (('ORIGIN', origin), ('LIB', 'lib/x86_64-linux-gnu'),
                        ('PLATFORM', 'x86_64')):
        folder = folder.replace('${' + name + '}', value).replace('$' + name, value)
    return folder


def is_library(path):
    """Whether it is an x86-64 ELF file: the linker passes over those of other machines."""
    try:
        with open(path, 'rb') as file:
            head = file.read(20)
    except OSError:
        return False
    return head[:5] == ELF_MAGIC + b'\x02' and head[18:20] == b'\x3e\x00'
