"""The node on the bench, as host_tests/node has it."""

from host_tests.node.conftest import broker, node, web_server  # noqa: F401
