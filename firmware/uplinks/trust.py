"""Whom a node trusts over TLS, and who it is."""

import c1100.tls


def trusted(settings: dict):
    """A tls.Context by the files that tls.* names. Raises BadArgument."""
    return c1100.tls.Context(
        settings["tls.ca"], settings["tls.cert"] or None, settings["tls.key"] or None
    )
