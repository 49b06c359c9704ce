"""What goes wrong on the wire."""

from lerobot.core.errors import LeRobotError


class WireError(LeRobotError, ValueError):
    """A message is no message, or says something that cannot be."""


class RefusedError(LeRobotError):
    """The other end refused, in its own words."""
