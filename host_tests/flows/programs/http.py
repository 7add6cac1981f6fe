"""HTTP against a real server (manual 3.7)."""

from c1100 import CommandError


async def flow(modem, settings):
    base = "http://%s:%d" % tuple(settings["http"])
    reply = await modem.http.get(base + "/index.html", headers={"X-Node": "7"})
    print("get", reply.status_code, reply.content)
    reply = await modem.http.get(base + "/bytes/3000")
    print("bytes", reply.content == bytes([n % 256 for n in range(3000)]))
    reply = await modem.http.get(base + "/redirect/2")
    print("redirect", reply.status_code)
    for status in (404, 500):
        reply = await modem.http.get(base + "/status/%d" % status)
        print("status", reply.status_code, reply.text)
    reply = await modem.http.post(base + "/echo", json={"t": 21.5})
    print("json", reply.json())
    body = b"\r\nOK\r\n0\r\x00\xff+++ "
    reply = await modem.http.post(base + "/echo", data=body)
    print("octets", reply.content == body)
    try:
        await modem.http.get("http://127.0.0.1:1/")
    except CommandError as error:
        print("refused", error)
    print("chunked", (await modem.http.get(base + "/chunked/")).text)
