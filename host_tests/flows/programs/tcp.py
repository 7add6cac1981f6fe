"""TCP and UDP against echo servers: by our own calls, and by asyncio's streams (manual 3.3.1)."""

import asyncio

DATA = bytes(range(256)) * 8


async def flow(modem, settings):
    async with modem.pdp("CMNET") as context:
        print("address", context.address)
        sock = await modem.tcp(*settings["tcp"])
        await sock.sendall(DATA[:1000])
        got = b""
        while len(got) < 1000:
            got += await sock.recv(1000)
        print("tcp", got == DATA[:1000])
        sock.close()
        await sock.wait_closed()

        sock = await modem.tcp(*settings["tcp"])
        reader, writer = asyncio.StreamReader(sock), asyncio.StreamWriter(sock, {})
        writer.write(b"a line\n" + DATA)
        await writer.drain()
        print("line", await reader.readline())
        print("streams", await reader.readexactly(len(DATA)) == DATA)
        async with modem.passthrough(sock) as pipe:
            await pipe.write(DATA)
        print("transparent", await reader.readexactly(len(DATA)) == DATA)
        sock.close()
        await sock.wait_closed()

        sock = await modem.udp(*settings["udp"])
        for size in (1, 700, 3):
            sock.write(DATA[:size])
            await sock.drain()
            print("datagram", await sock.recv(1000) == DATA[:size])
        sock.close()
        await sock.wait_closed()
    print("lost", modem.stats["overflows"], modem.stats["short payloads"])
