# The least that publishes by the module's MQTT: what the driver's heap is compared with, and no
# driver for a field (costs.py). It has commands in order, their answers, URCs with callbacks, and
# MQTT with confirmation. It has nothing against late answers, restarts, lost settings and noise,
# no prompts and payloads, no start and sleep, no check of what is sent, and one error.
import asyncio
import time


class Modem:
    def __init__(self, uart):
        self.uart = uart
        self.buffer = bytearray(1344)
        self.used = 0
        self.callbacks = {}
        self.lock = asyncio.Lock()
        self.answered = asyncio.Event()
        self.lines = self.code = self.outcome = self.task = None

    async def read(self):
        view = memoryview(self.buffer)
        while True:
            n = self.uart.readinto(view[self.used :])
            if not n:
                await asyncio.sleep_ms(5)
                continue
            self.used += n
            begin = 0
            while True:
                end = self.buffer.find(b"\r", begin, self.used)
                if end < 0:
                    break
                self.take(str(view[begin:end], "utf-8").strip())
                begin = end + 1
            rest = bytes(view[begin : self.used])
            self.buffer[: len(rest)] = rest
            self.used = len(rest)

    def take(self, line):
        if not line:
            return
        if self.lines is not None:
            if line in ("0", "OK", "4", "ERROR") or line.startswith("+CM"):
                self.code = line
                self.answered.set()
                return
            if self.outcome and line.startswith(self.outcome):
                self.lines.append(line)
                self.answered.set()
                return
        name = line.split(":")[0]
        if name in self.callbacks:
            self.callbacks[name](line)
        elif self.lines is not None:
            self.lines.append(line)

    def on(self, name, callback):
        self.callbacks[name] = callback

    async def command(self, text, outcome=None, wait_ms=5000):
        async with self.lock:
            if self.task is None:
                self.task = asyncio.create_task(self.read())
            self.code = None
            self.lines = lines = []
            self.outcome = outcome
            self.uart.write(b"AT" + text.encode() + b"\r")
            begin = time.ticks_ms()
            while self.code is None or (outcome and not lines):
                self.answered.clear()
                left = wait_ms - time.ticks_diff(time.ticks_ms(), begin)
                await asyncio.wait_for_ms(self.answered.wait(), left)
                if self.code not in (None, "0", "OK"):
                    break
            self.lines = None
            if self.code not in ("0", "OK") or (outcome and not lines[-1].endswith("1")):
                raise OSError("AT%s: %s" % (text, self.code))
            return lines

    async def registered(self):
        lines = await self.command("+CEREG?")
        return lines[0].split(",")[1] in ("1", "5")

    def mqtt(self, client_id, host, port=1883):
        return Session(self, client_id, host, port)

    def close(self):
        if self.task is not None:
            self.task.cancel()


class Session:
    def __init__(self, modem, client_id, host, port):
        self.modem = modem
        self.client_id = client_id
        self.host = host
        self.port = port

    async def connect(self):
        run = self.modem.command
        await run('+LSMQTTCFG="clientid","%s"' % self.client_id)
        await run('+LSMQTTCFG="session",1')
        await run("+LSMQTTCALL=1", "+MQTTCALL", 75000)
        await run('+LSMQTTOPEN="%s",%d,60' % (self.host, self.port), "+MQTTOPEN", 75000)

    async def publish(self, topic, payload, qos=1):
        run = self.modem.command
        await run('+LSMQTTCFG="topic","%s"' % topic)
        await run('+LSMQTTCFG="message",1,"%s"' % payload.hex())
        await run('+LSMQTTCFG="qos",%d' % qos)
        await run("+LSMQTTPUB=1", "+MQTTPUB", 75000)

    async def disconnect(self):
        await self.modem.command("+LSMQTTCLOSE=1", "+MQTTCLOSE", 20000)
        await self.modem.command("+LSMQTTCALL=0")
