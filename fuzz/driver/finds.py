"""Finds: replayed, minimised, told apart by their stacks, and recorded.

A find is a folder: `input` (minimised), `original`, `report.txt` (symbolised), `record.json`. Below finds/ are those
that each of ten replays shows, below unstable/ the others.
"""
import json
import os
import shlex
import shutil
import subprocess
import threading
import time

from . import report, state, table

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
        return report.Crash(text), text
    text = done.stdout.decode(errors='replace')
    return (report.Crash(text, done.returncode) if done.returncode else None), text


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
    crash = crashes[0] if crashes else report.Crash(facts.pop('log', ''), 0)
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
    state.write_json(record_path, record)
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
