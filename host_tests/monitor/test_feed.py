"""What the monitor says of its connection: that it listens, when it does, and not before."""

import pytest

from host_tests.broker_stand_in import SlowBroker
from host_tests.patience import LIMIT_S, until
from tools.broker import Address
from tools.monitor import cli
from tools.monitor.feed import Feed
from tools.monitor.model import TOPICS, Fleet

GRANTED, REFUSED = 1, 0x80


def test_it_is_connected_when_the_broker_has_its_subscription():
    with SlowBroker() as broker, Feed(Fleet(), broker.address) as feed:
        assert broker.subscribed.wait(LIMIT_S)
        assert (feed.state, feed._settled.is_set()) == ("connecting", False)
        broker.acknowledge.set()
        until(lambda: feed.state == "connected")
        assert feed._settled.is_set()
        assert not feed.refused


@pytest.mark.parametrize(
    "grants",
    [(REFUSED,) * 3, (GRANTED, GRANTED, REFUSED), (REFUSED, GRANTED, GRANTED), (0, 1, 2)],
)
@pytest.mark.parametrize("user", ["", "o"])
def test_a_topic_that_is_refused_is_said(grants, user):
    who = f"user {user}" if user else "us without a name (--user)"
    with SlowBroker(*grants) as broker, Feed(Fleet(), broker.address, user) as feed:
        broker.acknowledge.set()
        until(feed._settled.is_set)
        refused = [topic for topic, code in zip(TOPICS, grants, strict=True) if code == REFUSED]
        what = ", ".join(f"{topic}: Unspecified error" for topic in refused)
        assert feed.refused == (len(refused) == len(TOPICS))
        if refused:
            assert feed.state == f"the broker at {broker.address} refused {who}: {what}"
        else:
            assert feed.state == "connected"


def test_who_may_hear_nothing_is_told_so_at_once(capsys):
    with SlowBroker(*(REFUSED,) * 3) as broker:
        broker.acknowledge.set()
        address: Address = broker.address
        parser = cli.argparse.ArgumentParser()
        cli.add_arguments(parser)
        options = ["--broker", str(address), "--web", "0", "--no-terminal"]
        assert cli.run(parser.parse_args(options)) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        f"monitor: the broker at {address} refused us without a name (--user): "
    )
    assert said.count("\n") == 1
