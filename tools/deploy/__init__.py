"""From a checkout and a bare board to a reporting node: build, copy, image, flash, provision."""


class DeployError(Exception):
    """A step that cannot be done; the text says why and what to do."""
