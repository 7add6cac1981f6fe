"""A module that answers by a table, in any order and as often as it is asked.

    module = Answering({"AT+CSQ": b"+CSQ: 22,99\r\n0\r"})
    module.answers["AT+COPS?"] = [b"4\r", b"+COPS: 0\r\n0\r"]   # once, then always the last

What is not in the table is answered ERROR and kept in ``unknown``.
"""

import time

from host_tests.support.streams import Module

OK = b"0\r"
ERROR = b"4\r"
SILENCE = b""

# A module in the network, as it answers what the driver asks of it.
REGISTERED = {
    "AT": OK,
    "ATV0": OK,
    "ATE0": OK,
    "AT+CMEE=1": OK,
    "AT+CPIN?": b"+CPIN: READY\r\n0\r",
    "AT+CSQ": b"+CSQ: 22,99\r\n0\r",
    "AT+CEREG=1": OK,
    "AT+CEREG=4": OK,
    "AT+CGREG=1": OK,
    "AT+COPS?": b'+COPS: 0,2,"46000",9\r\n0\r',
    "AT+CEREG?": b"+CEREG: 1,1\r\n0\r",
    "AT+CGREG?": b"+CGREG: 1,0\r\n0\r",
    "AT+CFUN?": b"+CFUN: 1\r\n0\r",
    "AT+CGATT?": b"+CGATT: 1\r\n0\r",
}


class Answering(Module):
    """answers -- command line -> bytes, or a list of them, one each time and the last for ever; or
    a callable that is given the line and returns bytes
    """

    def __init__(self, answers):
        Module.__init__(self)
        self.answers = dict(answers)
        self.unknown = []

    def _raw_expected(self):
        return None

    def say(self, data, after_ms=0):
        """Say something so many ms from now, whatever is still to be said later."""
        due = time.ticks_add(time.ticks_ms(), after_ms)
        n = len(self._queue)
        while n and time.ticks_diff(self._queue[n - 1][0], due) > 0:
            n -= 1
        self._queue.insert(n, [due, data])
        self.said += len(data)

    def _hear(self, line):
        self.heard.append(line)
        said = self.answers.get(line)
        if said is None:
            self.unknown.append(line)
            said = ERROR
        elif isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        elif callable(said):
            said = said(line)
        if said:
            self.say(said)
