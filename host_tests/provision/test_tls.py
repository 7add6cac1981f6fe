"""The files of tls.*, onto a node: checked first, and only for the owner's eyes."""

import pytest

from host_tests.certificates import DER, Authority, authority
from host_tests.provision.test_provision import provision

CA = authority()
OWN = CA.issue("n1")
WRONG = {  # what is wrong: the files that are other than they should be, and what is said
    "missing": ({"ca.pem": None}, "tls.ca: "),
    "no certificate": ({"ca.pem": b"hello"}, "tls.ca: it is no certificate"),
    "a key": ({"ca.pem": OWN.key_pem.encode()}, "tls.ca: it is no certificate"),
    "cut": ({"ca.pem": CA.pem[:200].encode()}, "tls.ca: it is no certificate"),
    "expired": (
        {"ca.pem": Authority(end="2022-01-01").pem.encode()},
        "tls.ca: the certificate has expired on 2022-01-01",
    ),
    "own expired": (
        {"n1.pem": CA.issue("n1", end="2022-01-01").pem.encode()},
        "tls.cert: the certificate has expired",
    ),
    "no key": ({"n1.key": b"hello"}, "tls.key: it is no key"),
    "another's key": (
        {"n1.key": CA.issue("n1").key_pem.encode()},
        "tls.key: it does not belong to tls.cert",
    ),
    "no key at all": ({"n1.key": None}, "tls.key: "),
}
SETTINGS = (
    "--id", "n1", "--broker", "b.example", "--set", "uplink.first=mqtts", "--set", "tls.ca=ca.pem",
    "--set", "tls.cert=n1.pem", "--set", "tls.key=n1.key",
)  # fmt: skip


def given(folder, **other: bytes | None):
    folder.mkdir()
    files = {"ca.pem": CA.pem.encode(), "n1.pem": OWN.der, "n1.key": OWN.key_bytes(DER)}
    for name, content in (files | other).items():
        if content is not None:
            (folder / name).write_bytes(content)
    return folder


def test_they_are_written_for_the_owner_alone(tmp_path):
    out = tmp_path / "out"
    assert provision("--folder", out, "--tls", given(tmp_path / "in"), *SETTINGS) == 0
    for name in ("ca.pem", "n1.pem", "n1.key"):
        assert (out / name).read_bytes() == (tmp_path / "in" / name).read_bytes()
        assert (out / name).stat().st_mode & 0o777 == 0o600
    assert provision("--folder", out) == 0  # again: they are there


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_and_nothing_is_written(tmp_path, capsys, name):
    other, said = WRONG[name]
    folder = given(tmp_path / "in", **other)
    assert provision("--folder", tmp_path / "out", "--tls", folder, *SETTINGS) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
