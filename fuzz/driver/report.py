"""What a target printed: the events of libFuzzer, and the report of a crash."""
import hashlib
import re

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
