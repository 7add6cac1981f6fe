"""A module that says what the manual's file says, and nothing that it does not."""

from host_tests import manual
from host_tests.support.streams import Module

# What the driver asks besides: no chapter prints these exchanges, standards do.
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
    'AT+LSMQTTCFG="session",1': b"0\r",
    'AT+LSMQTTCFG="message",0,""': b"0\r",
    "AT+LSMQTTCALL=0": b"0\r",
}


class ManualModule(Module):
    """Every command of the chapters must be heard in the manual's order.

    Settings of one run (`+LSMQTTCFG=...`) may come in any order, and questions, which the manual
    calls optional, may be left out.
    """

    def __init__(self, *chapters: str) -> None:
        super().__init__()
        self.expected: list[tuple[str, bytes]] = []
        for chapter in chapters:
            for step in manual.load(chapter).steps:
                if step.kind == manual.SENT:
                    self.expected.append((step.data.decode().rstrip("\r"), b""))
                elif step.kind in (manual.ANSWER, manual.LATER):
                    command, said = self.expected[-1]
                    self.expected[-1] = (command, said + step.data)

    def _hear(self, line: str) -> None:
        self.heard.append(line)
        index = self._find(line)
        if index is not None:
            self.say(self.expected.pop(index)[1])
        elif line in BESIDES:
            self.say(BESIDES[line])
        else:
            self._fail(self.expected[:1], line)

    def _find(self, line: str) -> int | None:
        for index, (command, _) in enumerate(self.expected):
            if command == line:
                return index
            if not (command.endswith("?") or _is_setting(command)):
                return None
        return None

    def check(self) -> None:
        assert self.mistake is None, self.mistake
        left = [command for command, _ in self.expected if not command.endswith("?")]
        assert not left, f"never heard: {left}"


def _is_setting(command: str) -> bool:
    return command.startswith("AT+LSMQTTCFG=")
