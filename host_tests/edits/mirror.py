"""A module that speaks whatever a dialect says: what the table has, it understands and answers."""

import re
import types

from host_tests.support.streams import Module

URL = "http://h.example/p"


def nmea(text: str) -> bytes:
    total = 0
    for c in text:
        total ^= ord(c)
    return f"${text}*{total:02X}\r\n".encode()


FIX = nmea("GNRMC,092725.00,A,4717.11399,N,00833.91590,E,0.004,77.52,091224,,,A") + nmea(
    "GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,"
)
# Values of the information responses; {id} is the socket's number.
VALUES = {
    "SIGNAL": "22,99",
    "EPS_STATE": '4,1,"1A2B","01A2D101",9,0,0,"00000101","00100001"',
    "GPRS_STATE": '1,1,"00C3","0012",9',
    "OPERATOR": '0,2,"46000",9',
    "PSM_STATE": '1,"","","00100001","00000101"',
    "EDRX_STATE": '5,"0101"',
    "EDRX_GRANTED": '5,"0101","0101","0001"',
    "IP_CALL": '1,"10.0.0.7"',
    "IP_STATE": '1,"10.0.0.7"',
    "IP_FREE": "1,2,3,4",
    "IP_CLOSE": "{id},0,0,0",
    "IP_HEX_STATE": "1",
    "MQTT_SHOW": '"a/b",1,0,0,"text"',
    "CLOCK": '"24/05/13,10:00:00+08"',
    "RADIO_STATE": "1",
    "ATTACHED": "1",
    "HTTP_GET": "0,200,2",
    "HTTP_POST": "0,201,2",
}
BODY = b"ok"
MORE = {"i": "7", "d": "7", "s": '"x"', "?": "7", "r": "x"}


def pattern(send: str) -> re.Pattern[str]:
    parts = []
    for i, piece in enumerate(send.split("{")):
        field, _, rest = piece.rpartition("}")
        if i:
            name, kind = field.split(":")
            value = {"q": '"[^"]*"', "d": r"\d+", "h": '"[0-9a-fA-F]*"'}[kind[0]]
            parts.append(f"(?P<{name}>{value})")
        parts.append(re.escape(rest))
    return re.compile("".join(parts))


class Mirror(Module):
    """heard -- names of the forms, in order; pin -- the SIM asks for one"""

    def __init__(self, dialect: types.ModuleType, pin: bool = False) -> None:
        super().__init__()
        self.dialect = dialect
        self.pin = pin
        self.forms = [(name, form, pattern(form.send)) for name, form in dialect.forms().items()]
        # The longest text that is no field first: AT+CFUN=1,1 before AT+CFUN=<level>.
        self.forms.sort(key=lambda entry: -len(re.sub(r"{.*?}", "", entry[1].send)))
        self.names: list[str] = []
        self.unknown: list[str] = []
        self.waiting = b"unasked"  # for AT+LSIPREAD
        self.free: dict[str, int] = {}
        self.want: tuple | None = None  # (name, form, found) whose payload comes
        self.data = b""

    def write(self, data) -> int:
        if self.want is None:
            self._line += bytes(data)
            while b"\r" in self._line and self.want is None:
                line, _, self._line = self._line.partition(b"\r")
                self._hear(line.decode().removeprefix("+++").removeprefix("AT"))
            return len(data)
        self.data += bytes(data)
        name, form, found = self.want
        values = found.groupdict()
        length = int(values.get("length") or values.get("longest") or 0)
        end = self.data.find(b"+++")
        if len(self.data) >= length or end >= 0:
            self.want = None
            self.say(self._said(name, form, found))
        return len(data)

    def _hear(self, line: str) -> None:
        matches = ((name, form, wanted.fullmatch(line)) for name, form, wanted in self.forms)
        name, form, found = next((match for match in matches if match[2]), ("", None, None))
        if form is None:
            self.unknown.append(line)
            self.say(b"4\r")
            return
        self.names.append(name)
        if name in ("HTTP_URL", "HTTP_POST", "IP_TRANSPARENT"):
            self.want, self.data = (name, form, found), b""
            self.say(b"> " if form.prompt else b"")
        else:
            self.say(self._said(name, form, found))

    def _said(self, name: str, form, found) -> bytes:
        values = {key: value.strip('"') for key, value in found.groupdict().items()}
        said = []
        if form.answer:
            said.append(self._information(name, form, values))
        code = (self.dialect.ENDS.get(form.send) or self.dialect.ENDS.get(form.send[:1]) or "0")[0]
        done = code + "\r"
        if form.then == self.dialect.VERDICT:
            said += [form.then + ":OK\r", done]
        elif form.then:
            text = [values.get("id", "1")] + [MORE[c.lower()] for c in form.shape[1:]]
            text[-1] = str(self.dialect.SUCCEEDED[0])
            said += [done, f"{form.then.rstrip('?')}:{','.join(text)}\r\n"]
        else:
            said.append(done)
        said = [line.encode() for line in said]
        if name.startswith("HTTP_") and form.answer:
            said.insert(1, BODY + b"\r\n")
        if name == "IP_READ":  # what waits, and then nothing any more
            waiting, self.waiting = self.waiting, b""
            head = f"{self.dialect.IP_READ_DATA}:{values['id']},{len(waiting)},"
            said.insert(0, (head + waiting.hex() + "\r").encode())
        if name == "GNSS_LAST":
            said[0] = form.answer.encode() + b":" + FIX
        if name == "PIN_ENTER":
            self.pin = False
        return b"".join(said)

    def _information(self, name: str, form, values: dict[str, str]) -> str:
        own = {"#": "866207050000001", "*": "C1100 MGGT"}
        if form.answer[0] in own:
            return own[form.answer[0]] + "\r\n"
        if name in ("IMEI", "IMSI"):
            text = own["#"]
        elif name in ("MODEL", "REVISION"):
            text = own["*"]
        elif name == "PIN_STATE":
            text = "SIM PIN" if self.pin else "READY"
        elif name == "IP_SEND":
            used = self.free.get(values["id"], self.dialect.IP_ROOM) - len(values["data"]) // 2
            self.free[values["id"]] = used
            text = f"{values['id']},{used}"
        else:
            text = VALUES.get(name, "").format(**values)
        if name == "IP_PUSH":
            self.free.clear()
        told = len([word for word in text.split(",") if text])
        if form.shape not in ("", "r"):
            text += "".join("," + MORE[letter.lower()] for letter in form.shape[told:])
        return f"{form.answer}: {text}\r\n"
