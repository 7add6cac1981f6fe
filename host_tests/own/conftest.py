"""Boards to deploy to, as the deployment's own tests have them."""

from host_tests.deploy.conftest import boards

__all__ = ["boards"]
