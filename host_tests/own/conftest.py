"""Boards to deploy to, as the deployment's own tests have them; nodes, as the node's tests do."""

from host_tests.deploy.conftest import boards
from host_tests.node.conftest import broker, lines, node

__all__ = ["boards", "broker", "lines", "node"]
