"""What a run shows: one screen with a line a target on a terminal, lines one after the other elsewhere."""
import shutil
import sys
import threading
import time

from . import state


class Screen:
    """Redraws at most once a second; keeps the latest messages below the table."""

    def __init__(self, plain):
        self.plain = plain or not sys.stdout.isatty()
        self.messages, self.lock, self.campaign, self.drawn = [], threading.Lock(), None, 0
        if self.plain:
            print(state.HEAD, flush=True)

    def say(self, text, routine=False):
        with self.lock:
            if self.plain:
                print(text, flush=True)
            elif not routine:
                self.messages.append(time.strftime('%H:%M:%S ') + text)
                del self.messages[:-8]

    def draw(self):
        if self.plain or not self.campaign:
            return
        columns, lines = shutil.get_terminal_size()
        with self.campaign.lock:
            rows = [state.HEAD] + [state.row(live(share, self.campaign), mark(share)) for share in self.campaign.shares]
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


class Live(state.State):
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
