"""Finds: replayed, minimised, told apart by their stacks, and recorded.

A find is a folder: `input` (minimised), `original`, `report.txt` (symbolised), `record.json`. Below finds/ are those
that each of ten replays shows, below unstable/ the others.
"""
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import time

from . import table

EVENT = re.compile(r'^#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/\S+(?:.* exec/s: (\d+))?')
SANITIZER = re.compile(r'ERROR: (?:(\w+Sanitizer)|libFuzzer): ([\w-]+)')
RUNTIME = re.compile(r'runtime error: (.*)')
FRAME = re.compile(r'^\s+#\d+ 0x[0-9a-f]+ in (\S+) (.*)')
CHECK = re.compile(r'^(\S+\.[chS]:\d+: .*)')
PLUMBING = re.compile(r'(__asan|__ubsan|__msan|__lsan|__sanitizer|__interceptor|___interceptor|fuzzer::|__libc|__GI_|'
                      r'__pthread|_start$|main$|abort$|raise$|gsignal$|malloc$|free$|calloc$|realloc$|'
                      r'mem(cpy|set|move|cmp)$)')


class Event:
    """A line of libFuzzer: executions so far, what is new, edges, features, inputs, executions a second."""

    def __init__(self, match):
        self.executions, self.kind = int(match[1]), match[2]
        self.features = int(match[4])
        self.rate = int(match[6] or 0)


def event(line):
    match = EVENT.match(line)
    return Event(match) if match else None


def kind_of(text):
    """A word or a few for what happened; None if nothing did."""
    for pattern, group in ((RUNTIME, 1), (SANITIZER, 2)):
        match = pattern.search(text)
        if match:
            kind = re.sub(r'0x[0-9a-f]+|\d+', 'N', match[group])
            return re.sub(r'[^A-Za-z]+', '-', kind).strip('-')[:40]
    return None


def stack_of(text):
    """The functions of the first stack, innermost first, without those of the runtime and the engine."""
    frames = []
    for line in text.splitlines():
        match = FRAME.match(line)
        if match and not PLUMBING.match(match[1]):
            frames.append(match[1])
        elif frames and not match:
            break
    return frames


class Crash:
    """What tells one bug from another: its kind, the innermost three functions, and the check that failed."""

    def __init__(self, text, status=1):
        self.kind = kind_of(text) or (f'exit-{status}' if status > 0 else f'signal-{-status}')
        self.stack = stack_of(text)
        checks = [match[1] for match in map(CHECK.match, text.splitlines()) if match]
        checks = [check for check in checks if 'runtime error' not in check]
        self.check = checks[-1] if checks else ''

    def key(self):
        check = re.sub(r'\d+', 'N', self.check)
        digest = hashlib.sha1('\0'.join([self.kind, check] + self.stack[:3]).encode()).hexdigest()[:8]
        where = re.sub(r'[^A-Za-z0-9_]', '', self.stack[0]) if self.stack else 'unknown'
        return f'{self.kind}-{where}-{digest}'


REPLAYS = 10
LIMIT = 60  # seconds for one replay
lock = threading.Lock()


def run_once(program, path, environ, limit=LIMIT):
    """Runs a target over one input; the crash or None, and what it printed."""
    try:
        done = subprocess.run([program, '-timeout=25', '-rss_limit_mb=2560', path], env=environ,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=limit, check=False, cwd=os.path.dirname(path))
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b'').decode(errors='replace') + 'ERROR: libFuzzer: timeout of the replay\n'
        return Crash(text), text
    text = done.stdout.decode(errors='replace')
    return (Crash(text, done.returncode) if done.returncode else None), text


def shrink(program, path, wanted, environ, seconds):
    """A smaller input with the same crash, by the engine's own minimiser; None if there is none."""
    small = path + '.small'
    command = [program, '-minimize_crash=1', f'-max_total_time={seconds}', f'-exact_artifact_path={small}', path]
    try:
        subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=seconds + LIMIT, check=False, cwd=os.path.dirname(path))
    except subprocess.TimeoutExpired:
        pass
    if not os.path.exists(small) or os.path.getsize(small) >= os.path.getsize(path):
        return None
    crash, _ = run_once(program, small, environ)
    return small if crash and crash.key() == wanted.key() else None


def triage(base, target, program, path, environ, facts, seconds=20):
    """Files an input that a run left. Returns what to say about it, and how many times it was found."""
    crash, text = run_once(program, path, environ)
    if crash and os.path.exists(os.path.join(base, 'finds', crash.key())):
        with lock:
            return file_find(base, target, path, None, crash, text, facts, True)
    crashes = [crash] if crash else []
    for _ in range(REPLAYS - 1):
        crash, printed = run_once(program, path, environ)
        if crash:
            crashes.append(crash)
            text = text or printed
    keys = {crash.key() for crash in crashes}
    stable = len(crashes) == REPLAYS and len(keys) == 1
    crash = crashes[0] if crashes else Crash(facts.pop('log', ''), 0)
    small = None
    if stable and not os.path.exists(os.path.join(base, 'finds', crash.key())):
        small = shrink(program, path, crash, environ, seconds)
    with lock:
        facts['replays'] = f'{len(crashes)}/{REPLAYS}'
        return file_find(base, target, path, small, crash, text, facts, stable)


def file_find(base, target, path, small, crash, text, facts, stable):
    folder = os.path.join(base, 'finds' if stable else 'unstable', crash.key())
    record_path = os.path.join(folder, 'record.json')
    is_new = not os.path.exists(record_path)
    now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    if is_new:
        os.makedirs(folder, exist_ok=True)
        shutil.copy(path, os.path.join(folder, 'original'))
        shutil.copy(small or path, os.path.join(folder, 'input'))
        with open(os.path.join(folder, 'report.txt'), 'w', encoding='utf-8') as out:
            out.write(text)
        record = dict(facts, target=target.name, targets=[], kind=crash.kind, stack=crash.stack[:12],
                      check=crash.check, first=now, count=0)
    else:
        record = read_record(folder)
    record['last'], record['count'] = now, record['count'] + 1
    record['targets'] = sorted({*record['targets'], target.name})
    table.write_json(record_path, record)
    for name in (path, path + '.small'):
        if os.path.exists(name):
            os.remove(name)
    return describe(folder, record), record['count']


def read_record(folder):
    with open(os.path.join(folder, 'record.json'), encoding='utf-8') as text:
        return json.load(text)


def describe(folder, record):
    where = ' < '.join(record['stack'][:3]) or record['check'] or 'no stack'
    return f'{record["target"]}: {record["kind"]} in {where} ({record["replays"]}, {record["count"]} times) {folder}'


def all_finds(base):
    """Folder and record of every find, the stable ones first."""
    found = []
    for kind in ('finds', 'unstable'):
        top = os.path.join(base, kind)
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            if os.path.exists(os.path.join(top, name, 'record.json')):
                found.append((os.path.join(top, name), read_record(os.path.join(top, name))))
    return found


def target_of(path, targets, wanted):
    """The target that a file is for: as said, by its record, or by a target's name in its path."""
    if not os.path.exists(path):
        raise table.Error(f'{path}: no such file')
    if wanted:
        return table.choose(targets, [wanted])[0]
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.exists(os.path.join(folder, 'record.json')):
        return table.choose(targets, [read_record(folder)['target']])[0]
    named = [name for name in targets if name in os.path.abspath(path).split(os.sep)]
    if len(named) != 1:
        raise table.Error(f'which target is {path} for? Say --target NAME')
    return targets[named[0]]


def shell(words):
    return shlex.join(words)
