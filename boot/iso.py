#!/usr/bin/env python3
"""Makes the boot image: GRUB 2, the kernel, one module (the initrd) and a command line.

    iso.py --kernel ELF --output ISO [--initrd FILE] [--uefi] [WORD...]

The image boots by BIOS; with --uefi, by UEFI too.

A word may contain any character that GRUB can pass on, because the GRUB script quotes it.  GRUB
then quotes it in its own way (a backslash before \\ ' ", a word with a space in "..."), which the
kernel undoes.  GRUB cannot pass an empty word or a control character; they are refused here.
"""
import argparse
import pathlib
import shutil
import tempfile

import tools

GRUB_FOLDER, GRUB_EFI_FOLDER = '/usr/lib/grub/i386-pc', '/usr/lib/grub/x86_64-efi'
GRUB_MODULES = 'multiboot2 serial terminal iso9660 part_msdos boot normal'
TEMPLATE = """\
# No menu: the commands run at once.  GRUB writes to the serial port only if something goes wrong,
# so that the console begins with the kernel's first line; and it leaves the screen in text mode.
set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
multiboot2 /boot/umbra.elf @WORDS@
@MODULE@
boot
"""
INITRD_PATH = '/boot/initrd.cpio'


class ImageError(tools.ToolError):
    """The image cannot be made; the text says why."""


def quote(word):
    """Quotes the word as one literal word of a GRUB script."""
    if word == '':
        raise ImageError('an empty word cannot be passed to the kernel: GRUB drops it')
    if not word.isprintable():
        raise ImageError(f'{word!r} cannot be passed to the kernel: it has a byte or character that is not printable')
    return "'" + word.replace("'", "'\\''") + "'"


def menu(words, initrd):
    """The text of grub.cfg; `initrd` says whether there is a module line."""
    module = f'module2 --nounzip {INITRD_PATH} initrd' if initrd else ''
    return (TEMPLATE
            .replace('@WORDS@', ' '.join(quote(word) for word in words))
            .replace('@MODULE@', module))


def _place(source, target):
    if not pathlib.Path(source).is_file():
        raise ImageError(f'{source}: {tools.why_not_file(source)}')
    shutil.copyfile(source, target)


def firmware_options(uefi):
    """The options of grub-mkrescue for BIOS alone, or for both: then it takes all that is installed."""
    tools.need(f'{GRUB_FOLDER}/modinfo.sh')
    if uefi:
        tools.need(f'{GRUB_EFI_FOLDER}/modinfo.sh')
        return [f'--install-modules={GRUB_MODULES}']
    return ['-d', GRUB_FOLDER, f'--install-modules={GRUB_MODULES} biosdisk']


def make(output, kernel, initrd, words, uefi=False):
    """Writes the image to `output`; an old one is replaced only by a complete one."""
    output = pathlib.Path(output).resolve()
    text = menu(words, initrd is not None)
    with tempfile.TemporaryDirectory(prefix='umbra-iso.') as scratch:
        root = pathlib.Path(scratch, 'root')
        root.joinpath('boot/grub').mkdir(parents=True)
        _place(kernel, root / 'boot/umbra.elf')
        if initrd is not None:
            _place(initrd, root / INITRD_PATH.lstrip('/'))
        root.joinpath('boot/grub/grub.cfg').write_text(text)
        tools.need('grub-mkrescue', 'xorriso', 'mformat')
        command = ['grub-mkrescue', *firmware_options(uefi), '--compress=no', '--fonts=',
                   '--locales=', '--themes=', '-o', 'image.iso', 'root']
        tools.run(command, cwd=scratch)
        partial = output.with_name(output.name + '.partial')
        shutil.copyfile(pathlib.Path(scratch, 'image.iso'), partial)
        partial.replace(output)


def main():
    parser = argparse.ArgumentParser(description='Make the boot image.')
    parser.add_argument('--kernel', required=True)
    parser.add_argument('--initrd')
    parser.add_argument('--output', required=True)
    parser.add_argument('--uefi', action='store_true', help='for UEFI too')
    parser.add_argument('words', nargs='*', help="the kernel's command line")
    args = parser.parse_args()
    make(args.output, args.kernel, args.initrd, args.words, args.uefi)


if __name__ == '__main__':
    with tools.one_sentence():
        main()
