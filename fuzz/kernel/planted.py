#!/usr/bin/env python3
"""planted.py ROOT PATCHES WORK COMPILER FLAG... -- SOURCE...

Plants each fault of the folder PATCHES in a copy of the sources below ROOT, builds fuzz_syscalls of it and
runs that from an empty corpus until it finds something, at most 600 s of processor time. Prints for each fault
whether, when and by what it was found. Fails if one was not, or if something is found when no fault is planted.

From the environment: PLANTED_FAULTS (names; `none` is the run without a fault), PLANTED_SECONDS, PLANTED_SEED."""
import concurrent.futures
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
        shutil.rmtree(folder, ignore_errors=True)
        for part in FOLDERS:
            shutil.copytree(os.path.join(root, part), os.path.join(folder, part),
                            ignore=shutil.ignore_patterns('corpus', '*.md'))
        self.flags = [flag.replace(root, folder) for flag in flags]
        self.sources = [os.path.relpath(os.path.realpath(source), root) for source in sources]

    def object_of(self, source):
        return os.path.join(self.folder, source.replace('/', '-') + '.o')

    def compile(self, source):
        flags = [flag for flag in self.flags if not flag.startswith('-Wl,')]
        subprocess.run(flags + ['-MMD', '-c', os.path.join(self.folder, source), '-o', self.object_of(source)],
                       check=True)

    def depends(self, source, changed):
        """Whether the copy without a fault read one of the files for the object of a source."""
        with open(self.base.object_of(source)[:-1] + 'd', encoding='utf-8') as rule:
            words = rule.read().split()
        read = {os.path.relpath(os.path.realpath(word), os.path.realpath(self.base.folder)) for word in words}
        return bool(read & changed)

    def link(self, changed=None):
        new = [source for source in self.sources if not self.base or self.depends(source, changed)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.compile, new))
        objects = [(self if source in new else self.base).object_of(source) for source in self.sources]
        program = os.path.join(self.folder, 'fuzz_syscalls')
        subprocess.run(self.flags + objects + ['-o', program], check=True)
        return program


def plant(build, patch):
    """Applies the patch; returns which files it changes."""
    subprocess.run(['patch', '-s', '-p1', '--fuzz=0', '-d', build.folder, '-i', patch], check=True)
    with open(patch, encoding='utf-8') as lines:
        return {line[6:].strip() for line in lines if line.startswith('+++ b/')}


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


def run(program, work, seed, seconds):
    """Returns what was found (None: nothing), and the processor time."""
    corpus = os.path.join(work, 'corpus')
    shutil.rmtree(corpus, ignore_errors=True)
    os.makedirs(corpus)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, f'-seed={seed}', '-max_len=2048', '-len_control=0', '-timeout=60',
                           '-rss_limit_mb=4096', f'-artifact_prefix={work}/', corpus],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open(os.path.join(work, 'log'), 'wb') as log:
        log.write(done.stdout)
    is_time_over = done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    return None if is_time_over else finding(done.stdout), used


def main():
    root, patches, work, *rest = sys.argv[1:]
    flags, sources = rest[:rest.index('--')], rest[rest.index('--') + 1:]
    names = sorted(name[:-6] for name in os.listdir(patches) if name.endswith('.patch')) + ['none']
    names = os.environ.get('PLANTED_FAULTS', ' '.join(names)).split()
    seconds = int(os.environ.get('PLANTED_SECONDS', '600'))
    seed = int(os.environ.get('PLANTED_SEED', random.randrange(1, 1 << 31)))
    print(f'seed {seed}, at most {seconds} s of processor time each', flush=True)
    base = Build(root, os.path.join(work, 'none'), flags, sources)
    program, wrong = base.link(), []
    for name in names:
        folder = os.path.join(work, name)
        if name != 'none':
            build = Build(root, folder, flags, sources, base)
            program = build.link(plant(build, os.path.join(patches, name + '.patch')))
        found, used = run(program if name != 'none' else os.path.join(folder, 'fuzz_syscalls'), folder, seed, seconds)
        print(f'{name:20} {"not found" if found is None else "found"} {used:6.1f} s  {found or ""}', flush=True)
        if (found is None) != (name == 'none'):
            wrong.append(name)
    if wrong:
        sys.exit('wrong: ' + ' '.join(wrong))


main()
