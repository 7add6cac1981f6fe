"""A modem over a scripted module that answers at once."""

from c1100 import C1100
from c1100.channel import COMMAND
from host_tests.support.streams import Module


def start(*steps, **options):
    """(module, modem); steps -- of Module, or a Module"""
    module = steps[0] if len(steps) == 1 and isinstance(steps[0], Module) else Module(*steps)
    modem = C1100(module, **options)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return module, modem


class Table(Module):
    """Answers every command, by the longest entry that it begins with; others with ``0``.

    answers -- beginning of a command -> what is said, as in Module's steps. A command that is
               answered with ``>`` takes as many raw bytes as it has announced; what is said to
               them is the entry of ">". May be changed while the module lives
    """

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.raw = None  # bytes to come behind a prompt
        self.received = b""

    def _raw_expected(self):
        return self.raw

    def _hear(self, line):
        self.heard.append(line)
        if isinstance(line, bytes):
            self.received, self.raw = line, None
            best = ">"
        else:
            best = ""
            for beginning in self.answers:
                if line.startswith(beginning) and len(beginning) > len(best):
                    best = beginning
        for item in self.answers.get(best, (b"0\r",)):
            after_ms, text = item if isinstance(item, tuple) else (0, item)
            if text == b">":
                self.raw = int(line.split("=")[1])
            self.say(text, after_ms)
