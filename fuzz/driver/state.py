"""What runs leave behind: corpora, totals and finds, in the user's state folder and never below build/."""
import json
import os
import time

from . import table


def base(option):
    """The folder of all targets: --corpus DIR, or umbra/fuzz in the state folder of the XDG specification."""
    if option:
        folder = os.path.abspath(option)
    else:
        home = os.environ.get('XDG_STATE_HOME') or os.path.join(os.path.expanduser('~'), '.local', 'state')
        folder = os.path.join(home, 'umbra', 'fuzz')
    build = os.path.join(table.ROOT, 'build')
    if os.path.commonpath([os.path.realpath(folder), os.path.realpath(build)]) == os.path.realpath(build):
        raise table.Error(f'{folder} is below build/, which `./umbra clean` removes')
    return folder


def write_json(path, value):
    """Replaces a file at once, so that one who is stopped leaves the old one."""
    with open(path + '.new', 'w', encoding='utf-8') as out:
        json.dump(value, out, indent=1, sort_keys=True)
        out.write('\n')
    os.replace(path + '.new', path)


class State:
    """A target's totals over all runs, and its corpus."""

    def __init__(self, folder, target):
        self.target = target
        self.folder = os.path.join(folder, target.name)
        self.corpus = os.path.join(self.folder, 'corpus')
        self.path = os.path.join(self.folder, 'state.json')
        self.executions, self.seconds, self.features = 0, 0.0, 0
        self.rate, self.last_new, self.finds = 0, 0, 0
        self.load()

    def load(self):
        try:
            with open(self.path, encoding='utf-8') as text:
                for key, value in json.load(text).items():
                    setattr(self, key, value)
        except FileNotFoundError:
            pass

    def save(self):
        os.makedirs(self.corpus, exist_ok=True)
        write_json(self.path, {key: getattr(self, key) for key in
                               ('executions', 'seconds', 'features', 'rate', 'last_new', 'finds')})

    def corpus_size(self):
        return len(os.listdir(self.corpus)) if os.path.isdir(self.corpus) else 0


def age(then):
    """How long ago, in the largest unit that fits."""
    if not then:
        return '-'
    seconds = max(0, int(time.time() - then))
    for unit, length in (('d', 86400), ('h', 3600), ('m', 60)):
        if seconds >= length:
            return f'{seconds // length}{unit}'
    return f'{seconds}s'


HEAD = f'{"target":21} {"executions":>14} {"rate/s":>8} {"features":>8} {"corpus":>7} {"last new":>8} {"finds":>5}'


def row(state, running=''):
    return (f'{state.target.name:21} {state.executions:14,} {state.rate:8,.0f} {state.features:8} '
            f'{state.corpus_size():7} {age(state.last_new):>8} {state.finds:5} {running}').rstrip()
