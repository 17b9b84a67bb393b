#!/usr/bin/env python3
"""What `./umbra fuzz` runs; `./umbra fuzz --help` describes commands and options."""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time

from driver import campaign, commands, coverage, engines, table

sys.path.append(os.path.join(table.ROOT, 'boot'))
import tools  # noqa: E402

WORDS = {'replay': commands.replay, 'minimise': commands.minimise, 'merge': commands.merge,
         'status': commands.status, 'coverage': coverage.coverage, 'adopt': commands.adopt}
CRASHES_MAX = 10  # a target that fails on more inputs is not looked at further
UNITS = {'': 1, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}


def duration(text):
    match = re.fullmatch(r'(\d+)([smhd]?)', text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f'{text!r} is not a time such as 90, 10m or 8h')
    return int(match[1]) * UNITS[match[2]]


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number above 0')
    return int(text)


def parse(arguments):
    parser = argparse.ArgumentParser(prog='umbra fuzz', add_help=False, usage='see umbra fuzz --help',
                                     allow_abbrev=False)
    parser.add_argument('words', nargs='*')
    parser.add_argument('--time', type=duration)
    parser.add_argument('--runs', type=positive)
    parser.add_argument('--jobs', type=positive, default=os.cpu_count() or 1)
    parser.add_argument('--sanitizer', choices=sorted(engines.SANITIZE), default='address')
    parser.add_argument('--engine', choices=('libfuzzer', 'afl', 'replay'), default='libfuzzer')
    parser.add_argument('--corpus')
    parser.add_argument('--seed', type=positive, default=int(time.time()))
    parser.add_argument('--plain', action='store_true')
    parser.add_argument('--minimise', type=positive, default=20)
    parser.add_argument('--committed', action='store_true')
    parser.add_argument('--html')
    parser.add_argument('--reason')
    parser.add_argument('--name')
    parser.add_argument('--target')
    parser.add_argument('--engine-options', nargs=1, default=[], help=argparse.SUPPRESS)
    parser.add_argument('--table', default=os.path.join(table.FUZZ, 'targets.txt'))  # for the driver's tests
    parser.add_argument('--programs')  # a folder with the targets, for the driver's tests
    options = parser.parse_intermixed_args(arguments)
    options.command = options.words.pop(0) if options.words and options.words[0] in WORDS else None
    return options


def replay_corpora(options, targets, base):
    """The engine `replay`: every input of the committed and the user's corpora, once."""
    programs, bad = engines.Programs(options), 0
    environ = engines.environment()
    for target in table.choose(targets, options.words):
        kept = table.State(base, target)
        folders = [folder for folder in (kept.corpus, programs.seeds(target)) if folder and os.path.isdir(folder)]
        paths = [os.path.join(folder, name) for folder in folders for name in sorted(os.listdir(folder))]
        bad += replay_all(target, programs.path(target), paths, environ)
    return 1 if bad else 0


def replay_all(target, program, paths, environ):
    """Runs all inputs in one process, and after a crash those that are left in another one."""
    crashes = done = 0
    while done < len(paths) and crashes < CRASHES_MAX:
        result = subprocess.run([program] + paths[done:], env=environ, stdin=subprocess.DEVNULL, capture_output=True,
                                check=False)
        if result.returncode == 0:
            break
        text = (result.stdout + result.stderr).decode(errors='replace')
        started = max(1, text.count('\nRunning: ') + text.startswith('Running: '))
        done, crashes = done + started, crashes + 1
        print(f'{target.name}: {paths[done - 1]} crashed:\n{text[-4000:]}')
    ran = len(paths) if crashes < CRASHES_MAX else done
    print(f'{target.name}: {ran} of {len(paths)} inputs, {crashes} crashed', flush=True)
    return crashes


def make_shares(options, targets, base, say):
    programs, shares = engines.Programs(options), []
    chosen = table.choose(targets, options.words)
    if not options.programs and options.sanitizer != 'address':
        for target in [t for t in chosen if options.sanitizer not in t.sanitizers and len(chosen) > 1]:
            say(f'{target.name} is left out: it does not run with the sanitizer {options.sanitizer}')
            chosen.remove(target)
    if programs.is_for_tests():
        programs.make(chosen)
    for target in chosen:
        kept = table.State(base, target)
        kept.save()
        shares.append(campaign.Share(kept, programs.path(target), programs.seeds(target), options.runs))
    return shares


def fuzz(options, targets, base):
    shown = campaign.Screen(options.plain)
    run = campaign.Campaign(options, base, make_shares(options, targets, base, shown.say), shown.say)
    shown.campaign = run
    shown.say(f'seed {options.seed}, {options.jobs} jobs, corpora and finds below {base}')
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    slots = [threading.Thread(target=run.slot) for _ in range(options.jobs)]
    for slot in slots:
        slot.start()
    while any(slot.is_alive() for slot in slots):
        if stopping.wait(0.2) or shown.failed:
            shown.say('stopping')
            run.stop()
            break
        shown.draw()
    for slot in slots:
        slot.join()
    shown.draw()
    if shown.failed:
        raise shown.failed
    failed = [share.state.target.name for share in run.shares if share.failed]
    shown.say(f'{run.finds} new finds; all of them: umbra fuzz status' +
              (f'; given up: {" ".join(failed)}' if failed else ''))
    if not shown.plain:
        print('\n'.join(shown.messages[-1:]))
    return 1 if run.finds or failed else 0


def main():
    options = parse(sys.argv[1:])
    targets = table.read(options.table)
    base = table.base(options.corpus)
    if options.command:
        return WORDS[options.command](options, targets, base)
    if options.engine == 'replay':
        return replay_corpora(options, targets, base)
    return fuzz(options, targets, base)


if __name__ == '__main__':
    with tools.one_sentence(table.Error):
        sys.exit(main())
