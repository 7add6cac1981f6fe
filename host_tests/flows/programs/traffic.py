"""Two TCP connections, 64 KiB each way on each, while MQTT messages arrive."""

import asyncio
from binascii import crc32

SIZE = 65536
PIECE = 1400


def piece(seed, at):
    return bytes([(seed * 7 + (at + i) * 31 + ((at + i) >> 8)) & 255 for i in range(PIECE)])


async def send(sock, seed):
    for at in range(0, SIZE, PIECE):
        await sock.sendall(piece(seed, at)[: min(PIECE, SIZE - at)])


async def receive(sock, seed):
    total = crc = 0
    while total < SIZE:
        data = await sock.recv(2048)
        crc = crc32(data, crc)
        total += len(data)
    want = 0
    for at in range(0, SIZE, PIECE):
        want = crc32(piece(seed, at)[: min(PIECE, SIZE - at)], want)
    print("socket", seed, total, crc == want)


async def listen(mqtt, count):
    numbers = []
    while len(numbers) < count:
        message = await mqtt.wait_msg()
        numbers.append(int(message.payload))
    print("messages", numbers == list(range(count)), mqtt.lost)


async def flow(modem, settings):
    mqtt = modem.mqtt("traffic", *settings["broker"])
    await mqtt.connect()
    await mqtt.subscribe("traffic")
    print("listening")
    async with modem.pdp("CMNET"):
        socks = []
        for _ in range(2):
            socks.append(await modem.tcp(*settings["tcp"], rxbuf=8192))  # noqa: PERF401
        jobs = [listen(mqtt, settings["messages"])]
        for seed, sock in enumerate(socks):
            jobs += [send(sock, seed), receive(sock, seed)]
        await asyncio.gather(*jobs)
        for sock in socks:
            sock.close()
            await sock.wait_closed()
    await mqtt.disconnect()
    print("lost", modem.stats["overflows"], modem.stats["short payloads"])
