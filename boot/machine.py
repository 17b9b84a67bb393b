"""The machines that boot umbra: Bochs and QEMU, each as a process with a console and an ending.

Both provide the guest's first serial port as a pair of file descriptors.  This file also decides
how a machine ended, because each reports it differently: a run is good only if the guest switched
the power off itself, through the port that its machine has for that purpose.
"""
import contextlib
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tty

import tools

CPU_MODELS = ('core2_penryn_t9600', 'corei7_skylake_x', 'tigerlake')
DEFAULT_CPU = 'corei7_skylake_x'
DEFAULT_MEGABYTES = 128
LEAST_MEGABYTES = 8        # with less, GRUB waits for ever
BOCHS_MEGABYTES = 2048     # the most that Bochs 2.7 starts with
BACKEND_MEGABYTES = 2048   # above it QEMU gets memory that the host need not have
UEFI = '/usr/share/OVMF/OVMF_CODE_4M.fd'

# Bochs derives the time of day from the count of instructions.  With few instructions a second the
# waits of the firmware and of the serial line are short, and so is the boot.  Exact counts are
# measured at the second rate, which the baselines of other kernels use.
FAST_IPS = 20_000_000
COUNTING_IPS = 100_000_000

BOCHS_FILES = ('/usr/share/bochs/BIOS-bochs-latest', '/usr/share/vgabios/vgabios.bin')
BOCHS_CONFIG = """\
megs: {megabytes}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=boot.iso, status=inserted
boot: cdrom
cpu: model={cpu}, ips={ips}, reset_on_triple_fault=0
clock: sync=none, time0=1700000000, rtc_sync=0
display_library: rfb, options="timeout=0"
com1: {serial}
{more}port_e9_hack: enabled=1
magic_break: enabled={magic_break}
log: bochs.log
panic: action=fatal
error: action=report
"""


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a machine stopped: by the guest's own power-off, or for another `reason`. `by_guest` is false if
    the emulator failed, or was ended from outside."""
    powered_off: bool
    reason: str
    by_guest: bool = True


class MachineError(tools.ToolError):
    """The machine cannot be started; the text says why."""


def need_memory(megabytes):
    if megabytes < LEAST_MEGABYTES:
        raise MachineError(f'GRUB loads the kernel into at least {LEAST_MEGABYTES} MB of memory')


def bochs_folder(image, megabytes, cpu, ips, serial, magic_break, more=''):
    """A new folder that Bochs runs in: its names hold no character that its parser minds.
    `serial` is what the configuration says about the first serial port, `more` are more lines."""
    tools.need('bochs-bin', *BOCHS_FILES)
    need_memory(megabytes)
    if megabytes > BOCHS_MEGABYTES:
        raise MachineError(f'Bochs has at most {BOCHS_MEGABYTES} MB of memory; QEMU has more')
    folder = pathlib.Path(tempfile.mkdtemp(prefix='umbra-bochs.'))
    folder.joinpath('boot.iso').symlink_to(pathlib.Path(image).resolve())
    folder.joinpath('bochsrc').write_text(BOCHS_CONFIG.format(
        megabytes=megabytes, cpu=cpu, ips=ips, serial=serial, more=more,
        magic_break=int(magic_break)))
    return folder


@functools.cache
def isolation():
    """The words before a command that keep it off the network, if this user may do that; else none,
    and a warning: Bochs's screen is a VNC server that listens on all interfaces."""
    for words in (['unshare', '-rn'], ['unshare', '-n']):
        try:
            done = subprocess.run([*words, 'true'], stdin=subprocess.DEVNULL, check=False,
                                  capture_output=True)
        except OSError:
            break
        if done.returncode == 0:
            return words
    print("umbra: warning: 'unshare -rn' is not allowed here, so that Bochs's screen (VNC, port 5900 "
          'or the next) can be reached from the network', file=sys.stderr)
    return []


@functools.cache
def tied(how='KILL'):
    """The words before a command that end it, by the signal `how`, when the script that has started it ends
    in any way, by SIGKILL too. They are after those of isolation(), which would undo it."""
    words = ['setpriv', '--pdeathsig', how]
    with contextlib.suppress(OSError):
        if subprocess.run([*words, 'true'], stdin=subprocess.DEVNULL, check=False,
                          capture_output=True).returncode == 0:
            return words
    return []


def bochs_command(rc=None):
    """The command line, for the current folder being one of bochs_folder()."""
    return [*isolation(), *tied(), 'bochs-bin', '-q', '-unlock', '-f', 'bochsrc',
            *(['-rc', rc] if rc else [])]


def environment():
    """The environment for a machine: ours, without what `meson test` sets to find reads of
    uninitialised memory, which Bochs does not survive."""
    return {name: value for name, value in os.environ.items() if name != 'MALLOC_PERTURB_'}


class Machine:
    """A running machine.  `output` and `input` are its console's file descriptors."""

    window = None  # the descriptor for what the second serial port reads

    def __init__(self, command, folder, log, **streams):
        self.folder = folder
        self.log = log
        with open(log, 'wb') as sink:
            streams.setdefault('stdout', sink)
            try:
                self.process = subprocess.Popen(command, cwd=folder, stderr=sink,
                                                env=environment(), start_new_session=True,
                                                **streams)
            except OSError as error:
                raise tools.start_error(command, error) from error

    def running(self):
        return self.process.poll() is None

    def kill(self):
        """Ends the machine from outside, if its process is still there."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def resize(self, rows, columns):
        """Tells the guest that the window has another size, if the machine was made with `window`."""
        if self.window is not None:
            with contextlib.suppress(OSError):  # the machine is gone, or does not read
                os.write(self.window, f'{rows} {columns}\n'.encode())

    def close(self):
        """Ends the machine and removes its folder."""
        self.kill()
        for descriptor in {self.output, self.input, self.window} - {None}:
            os.close(descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def messages(self):
        """The messages of the emulator itself."""
        return pathlib.Path(self.log).read_text(errors='replace')


class Bochs(Machine):
    """Bochs without its debugger, which bochs.debugger drives."""

    def __init__(self, image, log, megabytes=DEFAULT_MEGABYTES, cpu=DEFAULT_CPU, ips=FAST_IPS,
                 window=False):
        self.output, self._guest_side = tools.open_terminal()
        self.input = self.output
        tty.setraw(self._guest_side)
        port = f'enabled=1, mode=term, dev={os.ttyname(self._guest_side)}'
        more = ''
        self._window_side = None
        if window:
            self.window, self._window_side = tools.open_terminal()
            tty.setraw(self._window_side)
            os.set_blocking(self.window, False)
            more = f'com2: enabled=1, mode=term, dev={os.ttyname(self._window_side)}\n'
        folder = bochs_folder(image, megabytes, cpu, ips, port, magic_break=False, more=more)
        folder.joinpath('go').write_text('c\n')
        super().__init__(bochs_command('go'), folder, log, stdin=subprocess.PIPE)  # of bochs.debugger.Interrupted

    def close(self):
        super().close()
        self.process.stdin.close()
        os.close(self._guest_side)
        if self._window_side is not None:
            os.close(self._window_side)

    def ending(self):
        """How it stopped, once it did."""
        said = self.messages()
        if 'shutdown requested' in said:
            return Ending(True, 'powered off')
        if '3rd (' in said:
            return Ending(False, 'triple fault')
        status = self.process.returncode
        if status < 0:
            return Ending(False, f'Bochs was ended by {signal_name(-status)}', by_guest=False)
        return Ending(False, f'Bochs stopped by itself with status {status}; it said last:\n'
                      + '\n'.join(said.splitlines()[-5:]), by_guest=False)


def signal_name(number):
    """SIGTERM and so on, or the number of a signal that has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'signal {number}'


def _memory(megabytes):
    """QEMU's options for much memory: it is not reserved, and the guest touches little of it."""
    if megabytes <= BACKEND_MEGABYTES:
        return []
    return ['-object', f'memory-backend-ram,id=memory,size={megabytes}M,reserve=off',
            '-machine', 'memory-backend=memory']


# 64 KiB that end with what a processor does first: 100 million steps of a loop, then the end by isa-debug-exit.
PROBE = bytes(0xfff0) + bytes.fromhex('66b900e1f505 6649 75fc b02a e6f4 f4 00')
PROBE_STATUS = 0x2a << 1 | 1
PROBE_SECONDS = 3  # a processor needs a twentieth of a second


def run_probe(*options, seconds=PROBE_SECONDS):
    """Runs PROBE as a machine's firmware under QEMU with these options; returns the finished process."""
    with tempfile.NamedTemporaryFile(prefix='umbra-probe.') as rom:
        rom.write(PROBE)
        rom.flush()
        return subprocess.run(
            ['qemu-system-x86_64', *options, '-m', '16', '-display', 'none', '-monitor', 'none', '-serial', 'none',
             '-net', 'none', '-no-reboot', '-bios', rom.name, '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', check=False, timeout=seconds)


def need_kvm_guest(seconds=PROBE_SECONDS):
    """Raises ToolError unless KVM runs a guest at the processor's speed. Without the processor's virtualisation it may
    emulate each instruction: a boot would take hours."""
    tools.need('qemu-system-x86_64')
    tools.need_kvm()
    try:
        done = run_probe('-accel', 'kvm', '-cpu', 'host', seconds=seconds)
    except subprocess.TimeoutExpired as error:
        raise tools.ToolError('/dev/kvm opens, but runs a guest as slowly as an emulator; '
                              'QEMU runs without it too') from error
    if done.returncode != PROBE_STATUS:
        said = done.stderr.strip().split('\n')[-1] or f'status {done.returncode}'
        raise tools.ToolError(f'/dev/kvm opens, but a guest does not start ({said}); QEMU runs without it too')


def _firmware(uefi):
    if not uefi:
        return []
    tools.need(UEFI)
    return ['-drive', f'if=pflash,unit=0,format=raw,readonly=on,file={UEFI}']


class Qemu(Machine):
    """QEMU with its own translator, or with KVM.  The processor has all that the translator
    knows, except the features of `without`.  `archive` is unpacked after the image's initrd: QEMU
    hands it over itself, which is much faster than GRUB.  `uefi`: the firmware is UEFI, for an image
    that was made for it.  With `stub`, the path of a socket for gdb, it waits for gdb before its
    first instruction. Its monitor is the socket MONITOR in its folder."""

    MONITOR = 'monitor'
    KVM_FAILED = re.compile(r'(?:KVM internal error|error: kvm run failed).*')
    ENDED = re.compile(r'terminating on signal (\d+)')

    def __init__(self, image, log, megabytes=DEFAULT_MEGABYTES, kvm=False, counting=False,
                 without=(), window=False, archive=None, stub=None, uefi=False, processors=1):
        tools.need('qemu-system-x86_64')
        need_memory(megabytes)
        self._kvm = kvm
        if kvm:
            need_kvm_guest()
        folder = pathlib.Path(tempfile.mkdtemp(prefix='umbra-qemu.'))
        if kvm:
            cpu = ['-accel', 'kvm', '-cpu', 'host']
        else:
            cpu = ['-accel', 'tcg', '-cpu', ','.join(['max', *(f'{name}=off' for name in without)])]
            if counting:
                cpu += ['-icount', 'shift=0,align=off,sleep=off']
        command = [*tied(), 'qemu-system-x86_64', *cpu, '-smp', str(processors), '-m', str(megabytes),
                   *_memory(megabytes), *_firmware(uefi), '-cdrom', str(pathlib.Path(image).resolve()), '-boot', 'd',
                   '-display', 'none', '-monitor', f'unix:{self.MONITOR},server=on,wait=off',
                   '-net', 'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04',
                   '-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console']
        if stub is not None:
            command += ['-S', '-gdb', f'unix:{stub},server=on,wait=off']
        if archive is not None:
            name = str(pathlib.Path(archive).resolve()).replace(',', ',,')  # as QEMU reads the value of an option
            command += ['-fw_cfg', f'name=opt/umbra/initrd,file={name}']
        if window:
            for name in ('window.in', 'window.out'):
                os.mkfifo(folder / name)
            self.window = os.open(folder / 'window.in', os.O_RDWR | os.O_NONBLOCK)
            command += ['-chardev', f'pipe,id=window,path={folder}/window',
                        '-serial', 'chardev:window']
        super().__init__(command, folder, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.output = os.dup(self.process.stdout.fileno())
        self.input = os.dup(self.process.stdin.fileno())
        self.process.stdout.close()
        self.process.stdin.close()

    def running(self):
        """Also false when KVM has failed: QEMU stops the machine then, and waits for ever."""
        return super().running() and not self._kvm_failed()

    def _kvm_failed(self):
        """What QEMU says about KVM, which runs a machine but not every instruction of it everywhere (in a
        virtual machine, for instance); else None."""
        return self.KVM_FAILED.search(self.messages()) if self._kvm else None

    def ending(self):
        """How it stopped: isa-debug-exit makes the status odd, a reset with -no-reboot gives 0."""
        kvm_failed = self._kvm_failed()
        if kvm_failed:
            return Ending(False, f'this machine cannot run the kernel by KVM; QEMU runs without it too '
                          f'({kvm_failed[0]})', by_guest=False)
        status = self.process.returncode
        said = self.messages().strip()
        if status > 0 and status % 2 == 1 and not said:
            return Ending(True, 'powered off')
        ended = self.ENDED.search(said)
        number = int(ended[1]) if ended else -status
        if number > 0:
            return Ending(False, f'QEMU was ended by {signal_name(number)}', by_guest=False)
        if status == 0:
            return Ending(False, 'the machine was reset (triple fault?)')
        return Ending(False, f'QEMU stopped with status {status}: {said or "no message"}', by_guest=False)
