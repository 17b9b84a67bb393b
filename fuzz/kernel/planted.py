#!/usr/bin/env python3
"""planted.py ROOT PATCHES WORK COMPILER FLAG... -- SOURCE...
planted.py --check ROOT PATCHES

The file PATCHES holds faults, each a patch after a line "=== NAME". --check says, as TAP, whether each
applies to the sources below ROOT. Otherwise plants each fault in a copy of these sources, builds fuzz_syscalls of
it and runs that from an empty corpus until it finds something, at most 600 s of processor time. Prints for each fault
whether it was found, after how much processor time and how many executions, and by what. Fails if one was not,
or if something is found when no fault is planted. Objects without a fault are kept for the next time.

From the environment: PLANTED_FAULTS (names; `none` is the run without a fault), PLANTED_SECONDS, PLANTED_SEED."""
import concurrent.futures
import filecmp
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys

FOLDERS = ('kernel', 'fuzz/kernel', 'libelfparse', 'libvfs')
CRASH = re.compile(rb'^.*(?:ERROR: (?:AddressSanitizer|libFuzzer).*|runtime error: .*)$', re.M)


class Build:
    """A copy of the sources, with its objects; one with a fault takes most of them from the copy without."""

    def __init__(self, root, folder, flags, sources, base=None):
        self.folder, self.base = folder, base
        self.flags = [flag.replace(root, folder) for flag in flags]
        if base or not self.has_flags():
            shutil.rmtree(folder, ignore_errors=True)
        for part in FOLDERS:
            shutil.copytree(os.path.join(root, part), os.path.join(folder, part), dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns('corpus', '*.md'), copy_function=copy_if_changed)
        with open(os.path.join(folder, 'flags'), 'w', encoding='utf-8') as out:
            out.write('\n'.join(self.flags))
        self.sources = [os.path.relpath(os.path.realpath(source), root) for source in sources]

    def has_flags(self):
        """Whether the objects in the folder were compiled with these flags."""
        try:
            with open(os.path.join(self.folder, 'flags'), encoding='utf-8') as old:
                return old.read() == '\n'.join(self.flags)
        except FileNotFoundError:
            return False

    def object_of(self, source):
        return os.path.join(self.folder, source.replace('/', '-') + '.o')

    def compile(self, source):
        flags = [flag for flag in self.flags if not flag.startswith('-Wl,')]
        subprocess.run(flags + ['-MMD', '-c', os.path.join(self.folder, source), '-o', self.object_of(source)],
                       check=True)

    def read_for(self, source):
        """The files in the copy that were read for the object of a source."""
        with open(self.object_of(source)[:-1] + 'd', encoding='utf-8') as rule:
            words = rule.read().split()
        return [word for word in words if word.startswith(self.folder + '/') and not word.endswith(':')]

    def is_current(self, source):
        try:
            compiled = os.path.getmtime(self.object_of(source))
            return all(os.path.getmtime(name) < compiled for name in self.read_for(source))
        except FileNotFoundError:
            return False

    def depends(self, source, changed):
        """Whether the copy without a fault read one of the files for the object of a source."""
        return any(os.path.relpath(os.path.realpath(name), os.path.realpath(self.base.folder)) in changed
                   for name in self.base.read_for(source))

    def link(self, changed=None):
        new = [source for source in self.sources
               if (self.depends(source, changed) if self.base else not self.is_current(source))]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.compile, new))
        objects = [(self.base if self.base and source not in new else self).object_of(source)
                   for source in self.sources]
        program = os.path.join(self.folder, 'fuzz_syscalls')
        subprocess.run(self.flags + objects + ['-o', program], check=True)
        return program


def copy_if_changed(source, target):
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copyfile(source, target)


def plant(build, patch):
    """Applies the patch; returns which files it changes."""
    subprocess.run(['patch', '-s', '-p1', '--fuzz=0', '-d', build.folder], input=patch, text=True, check=True)
    return {line[6:].strip() for line in patch.splitlines() if line.startswith('+++ b/')}


def read_patches(name):
    """The patches of the file by their names."""
    with open(name, encoding='utf-8') as file:
        parts = re.split(r'^=== ([\w-]+)\n', file.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def check(root, patches):
    """Whether each patch applies to the sources, as TAP."""
    print(f'1..{len(patches)}')
    for number, (name, patch) in enumerate(patches.items(), 1):
        done = subprocess.run(['git', '-C', root, 'apply', '--check'], input=patch, text=True, check=False,
                              stderr=subprocess.PIPE)
        print(''.join(f'# {line}\n' for line in done.stderr.splitlines()), end='')
        print(f'{"not " if done.returncode else ""}ok {number} - {name}')


def finding(output):
    """The line that says what was found: of a check of the harness the one before the crash."""
    crash = CRASH.search(output)
    if not crash:
        return output[-200:].decode(errors='replace')
    before = output[:crash.start()].decode(errors='replace').splitlines()
    text = crash.group(0).decode(errors='replace')
    if 'deadly signal' in text:
        said = [line for line in before if line and line[0] not in '#=\t ' and 'INFO' not in line]
        text = said[-1] if said else text
    return re.sub(r'^==\d+==\s*ERROR: |^/.*/(?=kernel/)', '', text)[:150]


def executions(output):
    """How many inputs were run: the last number that was printed."""
    final = re.findall(rb'^stat::number_of_executed_units: *(\d+)', output, re.M)
    return int((final or re.findall(rb'^#(\d+)\t', output, re.M) or [0])[-1])


def limit(seconds):
    """Of the fuzzer: its processor time, and it gives way to others."""
    os.setpriority(os.PRIO_PROCESS, 0, 15)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def run(program, work, seed, seconds):
    """Returns what was found (None: nothing), the processor time, and the executions."""
    corpus = os.path.join(work, 'corpus')
    shutil.rmtree(corpus, ignore_errors=True)
    os.makedirs(corpus)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, f'-seed={seed}', '-max_len=2048', '-len_control=0', '-timeout=60',
                           '-print_final_stats=1', '-rss_limit_mb=4096', f'-artifact_prefix={work}/', corpus],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          preexec_fn=lambda: limit(seconds))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open(os.path.join(work, 'log'), 'wb') as log:
        log.write(done.stdout)
    is_time_over = done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    return None if is_time_over else finding(done.stdout), used, executions(done.stdout)


def main():
    if sys.argv[1] == '--check':
        check(sys.argv[2], read_patches(sys.argv[3]))
        return
    root, patch_file, work, *rest = sys.argv[1:]
    patches = read_patches(patch_file)
    flags, sources = rest[:rest.index('--')], rest[rest.index('--') + 1:]
    names = sorted(patches) + ['none']
    names = os.environ.get('PLANTED_FAULTS', ' '.join(names)).split()
    root, work = os.path.realpath(root), os.path.realpath(work)
    seconds = int(os.environ.get('PLANTED_SECONDS', '600'))
    seed = int(os.environ.get('PLANTED_SEED', random.randrange(1, 1 << 31)))
    print(f'seed {seed}, at most {seconds} s of processor time each', flush=True)
    base = Build(root, os.path.join(work, 'none'), flags, sources)
    program, wrong = base.link(), []
    for name in names:
        folder = os.path.join(work, name)
        if name != 'none':
            build = Build(root, folder, flags, sources, base)
            program = build.link(plant(build, patches[name]))
        found, used, runs = run(program if name != 'none' else os.path.join(folder, 'fuzz_syscalls'), folder, seed,
                                seconds)
        print(f'{name:20} {"not found" if found is None else "found"} {used:6.1f} s {runs:7} runs  {found or ""}',
              flush=True)
        if (found is None) != (name == 'none'):
            wrong.append(name)
    if wrong:
        sys.exit('wrong: ' + ' '.join(wrong))


main()
