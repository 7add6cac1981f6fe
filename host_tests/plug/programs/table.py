"""Connects as each case says, and tells how that ended."""

from c1100 import C1100Error, tls


async def flow(modem, settings):
    async with modem.pdp("CMNET"):
        for case in settings["cases"]:
            print("case", case.pop("name"), "|", await tried(modem, case))


async def tried(modem, case):
    try:
        async with await modem.tls(**case) as sock:
            await sock.sendall(b"secret")
            return repr(await sock.recv(100, 30))
    except tls.CertificateRefused as error:
        return "%s | %s" % (error.why, error)
    except C1100Error as error:
        return "%s | %s" % (type(error).__name__, error)
