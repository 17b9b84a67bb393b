"""The targets: what targets.txt says of each."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FUZZ = os.path.join(ROOT, 'fuzz')


class Error(Exception):
    """What the user is told, without a trace."""


class Target:
    """A line of targets.txt."""

    def __init__(self, name, corpus, dictionary, max_len, sanitizers, base):
        self.name, self.corpus = name, corpus
        self.dictionary = None if dictionary == '-' else os.path.join(base, dictionary)
        self.max_len = int(max_len)
        self.sanitizers = sanitizers
        self.list = None if corpus == '-' else os.path.join(base, 'corpus', corpus + '.txt')


def read(path=os.path.join(FUZZ, 'targets.txt')):
    """The targets by name, in the order of the table."""
    targets, base = {}, os.path.dirname(os.path.abspath(path))
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith('#'):
                continue
            if len(words) < 5:
                raise Error(f'{path}:{number}: a target has at least five columns')
            if words[0] in targets:
                raise Error(f'{path}:{number}: {words[0]} is there twice')
            targets[words[0]] = Target(*words[:4], words[4:], base)
    return targets


def choose(targets, names):
    """Those of the names, which may lack their prefix; all for no name and for `all`."""
    chosen = []
    for name in names:
        if name == 'all':
            return list(targets.values())
        full = name if name in targets else 'fuzz_' + name
        if full not in targets:
            raise Error(f"no fuzz target '{name}'; there are: " + ' '.join(targets))
        if targets[full] not in chosen:
            chosen.append(targets[full])
    return chosen or list(targets.values())
