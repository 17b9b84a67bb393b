"""The program that a command starts in the guest: a file of this machine, or a path in the archive.

`run PROGRAM ARGS` takes a file of this machine and packs it with all that it needs (pack.py);
`run -- PROGRAM ARGS` takes a path in the archive.
"""
import argparse
import dataclasses
import os
import pathlib
import stat
import sys

import cpio
import iso
import pack

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


def memory_for(guest, default):
    """The memory in MB of a machine: the default, and room for what is packed."""
    megabytes = guest.extra_megabytes()
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
    files = pack.Pack(elfparse)
    path = words[0] if words else None
    if is_ours and words:
        path = files.add_program(path)
    for item in with_paths:
        source, _, place = item.partition('=')
        files.add(source, place or None)
    if files.doubts:
        others = f' (and {len(files.doubts) - 1} more)' if len(files.doubts) > 1 else ''
        print(f'umbra: packed, but cannot run: {files.doubts[0]}{others}', file=sys.stderr)
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


def joined_for_bochs(initrd, guest, scratch, other):
    """The archives in one file, as of joined(); says how long it takes to load if it is large."""
    whole = joined(initrd, guest, scratch)
    notice = bochs_notice(pathlib.Path(whole).stat().st_size, other) if whole else None
    if notice:
        print(f'umbra: {notice}', file=sys.stderr)
    return whole


def terminal_words(descriptor):
    """The words that tell the guest about the terminal: its kind and its window."""
    try:
        columns, rows = os.get_terminal_size(descriptor)
    except OSError:
        return []
    words = [f'window={rows}x{columns}'] if rows and columns else []
    kind = os.environ.get('TERM', '')
    return words + ([f'TERM={kind}'] if kind.isprintable() and kind else [])
