"""A run: slots that fuzz one target after the other, a slice of time each, those more that make progress.

It shows one screen with a line a target on a terminal, lines one after the other elsewhere."""
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import engines, finds, table

INTERRUPTED = 72  # libFuzzer's status after SIGINT
GRACE = 10  # seconds to end after SIGINT


class Share:
    """What a target got in this run."""

    def __init__(self, kept, program, seeds, runs):
        self.state, self.program, self.seeds = kept, program, seeds
        self.seconds, self.progress, self.running, self.slices = 0.0, 1.0, 0, 0
        self.runs_left = runs
        self.failed = None

    def due(self):
        """Who has had least of what it should have comes next."""
        return (self.seconds + 20.0 * self.running) / (1 + 4 * self.progress)

    def is_done(self):
        return self.failed is not None or (self.runs_left is not None and self.runs_left <= 0)


class Slice:
    """One process: the command, its events, and the inputs that it left."""

    def __init__(self, share, number, options, seconds):
        self.share, self.seed = share, (options.seed + number) % (1 << 31) or 1
        self.work = os.path.join(share.state.folder, 'work', str(number))
        self.process, self.lines, self.executions, self.features, self.rate = None, [], 0, 0, 0
        self.new, self.started = 0, time.monotonic()
        self.command = self.libfuzzer(options, seconds) if options.engine != 'afl' else self.afl(seconds)

    def libfuzzer(self, options, seconds):
        target = self.share.state.target
        words = [self.share.program, f'-seed={self.seed}', f'-max_len={target.max_len}', f'-max_total_time={seconds}',
                 f'-artifact_prefix={self.work}/', '-print_final_stats=1', '-timeout=25', '-rss_limit_mb=2560']
        if self.share.runs_left is not None:
            words.append(f'-runs={self.share.runs_left}')
        if target.dictionary:
            words.append('-dict=' + target.dictionary)
        words += options.engine_options
        return words + [self.share.state.corpus] + ([self.share.seeds] if self.share.seeds else [])

    def afl(self, seconds):
        target, seeds = self.share.state.target, os.path.join(self.work, 'seeds')
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(seeds)
        for folder in filter(None, (self.share.seeds, self.share.state.corpus)):
            for name in os.listdir(folder):
                if 0 < os.path.getsize(os.path.join(folder, name)) <= target.max_len:
                    shutil.copy(os.path.join(folder, name), os.path.join(seeds, name))
        words = ['afl-fuzz', '-i', seeds, '-o', os.path.join(self.work, 'out'), '-V', str(seconds), '-m', 'none',
                 '-s', str(self.seed), '-G', str(target.max_len)]
        if target.dictionary:
            words += ['-x', target.dictionary]
        if self.share.runs_left is not None:
            words += ['-E', str(self.share.runs_left)]
        return words + ['--', self.share.program]

    def start(self, environ):
        os.makedirs(self.work, exist_ok=True)
        if self.command[0] == 'afl-fuzz':
            environ = dict(environ, AFL_NO_UI='1', AFL_SKIP_CPUFREQ='1', AFL_NO_AFFINITY='1',
                           AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES='1')
        self.process = subprocess.Popen(self.command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True, cwd=self.work)

    def follow(self):
        """Reads until the process ends."""
        for raw in self.process.stdout:
            line = raw.decode(errors='replace')
            self.lines.append(line)
            del self.lines[:-4000]
            event = finds.event(line)
            if event:
                self.note(event)
            elif line.startswith('stat::number_of_executed_units:'):
                self.executions = int(line.split(':')[-1])
        self.process.wait()
        if self.command[0] == 'afl-fuzz':
            self.collect_afl()

    def note(self, event):
        self.executions, self.rate = max(self.executions, event.executions), event.rate or self.rate
        if event.kind == 'INITED':
            self.features = event.features
        elif event.features > self.features > 0:
            self.new += event.features - self.features
            self.features = event.features
            self.share.state.last_new = int(time.time())

    def collect_afl(self):
        """AFL++'s figures; its queue goes to the corpus, its crashes to where libFuzzer leaves its own."""
        out = os.path.join(self.work, 'out', 'default')
        try:
            with open(os.path.join(out, 'fuzzer_stats'), encoding='utf-8') as text:
                stats = dict(map(str.strip, line.split(':', 1)) for line in text if ':' in line)
        except FileNotFoundError:
            return
        self.executions, self.features = int(stats['execs_done']), int(stats['edges_found'])
        self.rate = int(float(stats['execs_per_sec']))
        self.share.state.last_new = int(stats['last_find']) or self.share.state.last_new
        for folder, to, prefix in (('queue', self.share.state.corpus, ''), ('crashes', self.work, 'crash-'),
                                   ('hangs', self.work, 'timeout-')):
            for name in sorted(os.listdir(os.path.join(out, folder))):
                if not name.startswith('id:') or ',orig:' in name:
                    continue
                self.new += folder == 'queue'
                with open(os.path.join(out, folder, name), 'rb') as file:
                    data = file.read()
                with open(os.path.join(to, prefix + engines.corpus_lists.name_of(data)), 'wb') as kept:
                    kept.write(data)

    def artifacts(self):
        return sorted(os.path.join(self.work, name) for name in os.listdir(self.work)
                      if name.startswith(('crash-', 'leak-', 'timeout-', 'oom-')) and not name.endswith('.small'))

    def interrupt(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()


def find_file(folder, data):
    """The path of the file in the folder that has these bytes, or None."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.getsize(path) == len(data):
            with open(path, 'rb') as file:
                if file.read() == data:
                    return path
    return None


def set_aside(share, path):
    """An input that fails leaves the corpus, where every later slice would stop at it. Returns whether it is a
    committed one, which stays, so that no later slice would come further."""
    with open(path, 'rb') as file:
        data = file.read()
    kept = find_file(share.state.corpus, data)
    if kept:
        os.remove(kept)
    return bool(share.seeds and find_file(share.seeds, data))


class Campaign:
    """The slots, and what they share."""

    def __init__(self, options, base, shares, say):
        self.options, self.base, self.shares, self.say = options, base, shares, say
        self.lock, self.stopped, self.slices, self.number = threading.Lock(), False, [], 0
        self.environ = engines.environment()
        self.facts = {'commit': engines.commit(), 'sanitizer': options.sanitizer, 'engine': options.engine}
        self.facts['compiler'] = ('as built' if options.programs else
                                  engines.compiler_version(engines.compilers(options.engine, options.sanitizer)))
        self.end = time.monotonic() + options.time if options.time else None
        self.finds = 0

    def slice_seconds(self):
        """So that each target has several slices in a run, of five minutes at most."""
        if not self.end:
            return 300 if self.options.time is None and self.options.runs else 120
        share = self.options.time * self.options.jobs / len(self.shares) / 3
        return int(max(1, min(300, share, self.end - time.monotonic() + 1)))

    def take(self):
        """The next slice, or None if there is nothing to do."""
        with self.lock:
            open_ones = [share for share in self.shares if not share.is_done()
                         and not (share.runs_left is not None and share.running)]
            if self.stopped or not open_ones or (self.end and time.monotonic() >= self.end):
                return None
            share = min(open_ones, key=Share.due)
            share.running += 1
            self.number += 1
            piece = Slice(share, self.number, self.options, self.slice_seconds())
            self.slices.append(piece)
            return piece

    def run(self, piece):
        piece.start(self.environ)
        if self.stopped:
            piece.interrupt()
        piece.follow()
        self.account(piece)
        self.look_at(piece)

    def slot(self):
        piece = self.take()
        while piece:
            try:
                self.run(piece)
            except OSError as error:  # the disk is full, or another build has removed the program
                piece.kill()
                piece.share.failed = f'cannot go on: {error}'
                self.say(f'{piece.share.state.target.name} is given up, it {piece.share.failed}')
            shutil.rmtree(piece.work, ignore_errors=True)
            with self.lock:
                piece.share.running -= 1
                self.slices.remove(piece)
            piece = self.take()

    def account(self, piece):
        used = time.monotonic() - piece.started
        share, kept = piece.share, piece.share.state
        with self.lock:
            share.seconds += used
            share.slices += 1
            share.progress = (share.progress + min(1.0, 200.0 * piece.new / max(1, piece.features))) / 2
            kept.executions += piece.executions
            kept.seconds += used
            kept.features = max(kept.features, piece.features) if piece.features else kept.features
            kept.rate = piece.rate or (piece.executions / used if used > 0 else 0)
            if share.runs_left is not None:
                share.runs_left -= max(piece.executions, 0 if piece.artifacts() else share.runs_left)
            kept.save()

    def look_at(self, piece):
        """Files what a slice found. A target that fails without an input is given up."""
        share, target = piece.share, piece.share.state.target
        status, found = piece.process.returncode, piece.artifacts()
        facts = dict(self.facts, seed=piece.seed, command=finds.shell(piece.command), log=''.join(piece.lines))
        for path in found:
            if set_aside(share, path):
                share.failed = 'fails on a committed input'
            text, count = finds.triage(self.base, target, share.program, path, self.environ, dict(facts),
                                       self.options.minimise)
            with self.lock:
                self.finds += count == 1
                share.state.finds += count == 1
                share.state.save()
            if count & (count - 1) == 0:  # 1, 2, 4, 8 ...: a find that comes with every slice leaves room for others
                self.say(('NEW FIND ' if count == 1 else 'again ') + text)
        if not found and status not in (0, INTERRUPTED) and not self.stopped:
            share.failed = f'ended with {status}'
            self.say(f'{target.name} is given up, it {share.failed}: ' + ' | '.join(map(str.strip, piece.lines[-3:])))
        elif share.failed:
            self.say(f'{target.name} is given up, it {share.failed}')
        else:
            self.say(table.row(share.state), routine=True)

    def stop(self):
        """Lets every process end by itself, which takes it a moment; kills those that do not."""
        with self.lock:
            self.stopped = True
            pieces = list(self.slices)
        for piece in pieces:
            piece.interrupt()
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and any(p.process and p.process.poll() is None for p in pieces):
            time.sleep(0.05)
        for piece in pieces:
            piece.kill()


class Screen:
    """Redraws at most once a second; keeps the latest messages below the table."""

    def __init__(self, plain):
        self.plain = plain or not sys.stdout.isatty()
        self.messages, self.lock, self.campaign, self.drawn = [], threading.Lock(), None, 0
        self.failed = None  # why nothing can be printed any more
        if self.plain:
            print(table.HEAD, flush=True)

    def say(self, text, routine=False):
        with self.lock:
            if self.plain:
                try:
                    print(text, flush=True)
                except OSError as error:  # in a slot's thread; the main one ends the run
                    self.failed = error
            elif not routine:
                self.messages.append(time.strftime('%H:%M:%S ') + text)
                del self.messages[:-8]

    def draw(self):
        if self.plain or not self.campaign:
            return
        columns, lines = shutil.get_terminal_size()
        with self.campaign.lock:
            rows = [table.HEAD] + [table.row(live(share, self.campaign), mark(share)) for share in self.campaign.shares]
        with self.lock:
            rows += [''] + self.messages
        rows = [text[:columns - 1] for text in rows[:lines - 1]]
        if self.drawn:
            sys.stdout.write(f'\x1b[{self.drawn}A')
        sys.stdout.write(''.join(f'\x1b[2K{text}\n' for text in rows) + '\x1b[J')
        sys.stdout.flush()
        self.drawn = len(rows)


def mark(share):
    return share.failed or ('*' * share.running)


class Live(table.State):
    """A target's totals with what its running slices have done so far."""

    def __init__(self, kept):  # pylint: disable=super-init-not-called
        self.__dict__.update(kept.__dict__)


def live(share, campaign):
    shown = Live(share.state)
    for piece in campaign.slices:
        if piece.share is share:
            shown.executions += piece.executions
            shown.rate = piece.rate or shown.rate
            shown.features = max(shown.features, piece.features)
    return shown
