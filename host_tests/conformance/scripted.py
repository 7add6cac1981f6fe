"""A module that says what the manual's file says, and nothing that it does not."""

from host_tests import manual
from host_tests.support.streams import Module

# What the driver asks besides: no chapter prints these exchanges, or another one does.
BESIDES = {
    "AT": b"0\r",
    "ATV0": b"0\r",
    "ATE0": b"0\r",
    "AT+CMEE=1": b"0\r",
    "AT+CPIN?": b"+CPIN: READY\r\n0\r",
    "AT+CSQ": b"+CSQ: 22,99\r\n0\r",
    "AT+CEREG=1": b"0\r",
    "AT+CGREG=1": b"0\r",
    "AT+COPS?": b'+COPS: 0,2,"46000",0\r\n0\r',
    "AT+CEREG?": b"+CEREG: 1,1\r\n0\r",
    "AT+CGREG?": b"+CGREG: 1,1\r\n0\r",
    "AT+LSIPCALL?": b"+LSIPCALL: 1, 10.32.226.112\r\n0\r",
    "AT+LSIPOPEN?": b"+LSIPOPEN:1,2,3,4\r\n0\r",
    "AT+LSIPHEX=1": b"0\r",
    'AT+LSHTTPCFG="CONTENTTYPE",2': b"0\r",
    'AT+LSMQTTCFG="QOS",0': b"0\r",
    'AT+LSMQTTCFG="SESSION",1': b"0\r",
    'AT+LSMQTTCFG="MESSAGE",0,""': b"0\r",
    "AT+LSMQTTCALL=0": b"0\r",
}
# Settings of one run may come in any order, and one that is right already may be left out.
SETTINGS = ("AT+LSMQTTCFG=", "AT+LSHTTPHEADERINFO=", "AT+LSHTTPCFG=", "AT+LSIPHEX=", "AT+CEREG=")
# Misprinted in the manual beside the right form, or shown to the virtual module only.
NOT_SENT = ("AT+CDGCONT=", "AT+CEDRXS=2")


def plain(command: str) -> str:
    """A command line as the module takes it: blanks and case do not count, nor `:` for `=`."""
    head, quote, rest = command.partition('"')
    head = head.replace(" ", "").upper().replace(":", "=")
    key, quoted, values = rest.partition('"')
    return head + quote + (key.upper() if head in SETTINGS else key) + quoted + values


class ManualModule(Module):
    """Every command of the chapters must be heard in the manual's order.

    Questions, which the manual calls optional, may be left out. What follows a prompt must be
    heard byte by byte.
    """

    def __init__(self, *chapters: str, change=lambda data: data) -> None:
        super().__init__()
        self.expected: list[list] = []  # [command line or raw bytes, what is said to it]
        self._raw = b""
        for chapter in chapters:
            for step in manual.load(chapter).steps:
                data = change(step.data)
                if step.kind == manual.SENT and step.data.endswith(b"\r"):
                    self.expected.append([plain(data.decode().rstrip("\r")), b""])
                elif step.kind == manual.SENT:
                    self.expected.append([data, b""])
                elif step.kind in (manual.ANSWER, manual.BODY, manual.LATER):
                    self.expected[-1][1] += data

    def write(self, data) -> int:
        if not (self.expected and isinstance(self.expected[0][0], bytes)):
            return super().write(data)
        want, said = self.expected[0]
        self._raw += bytes(data)
        if len(self._raw) >= len(want):
            if self._raw != want:
                self._fail(want, self._raw)
            self._raw = b""
            del self.expected[0]
            self.say(said)
        return len(data)

    def _hear(self, line: str) -> None:
        self.heard.append(line)
        line = plain(line)
        index = self._find(line)
        if index is not None:
            said = self.expected.pop(index)[1]
            if said.strip(b"\r\n") == b">":  # what was skipped must not come after the prompt
                del self.expected[:index]
            self.say(said)
        elif line in BESIDES:
            self.say(BESIDES[line])
        else:
            self._fail(self.expected[:1], line)

    def _find(self, line: str) -> int | None:
        for index, (command, _) in enumerate(self.expected):
            if command == line:
                return index
            if isinstance(command, bytes) or not _may_be_left_out(command):
                return None
        return None

    def check(self) -> None:
        assert self.mistake is None, self.mistake
        left = [
            command
            for command, _ in self.expected
            if isinstance(command, bytes) or not _may_be_left_out(command)
        ]
        assert not left, f"never heard: {left}"


def _may_be_left_out(command: str) -> bool:
    return command.endswith("?") or command.startswith((*SETTINGS, *NOT_SENT))
