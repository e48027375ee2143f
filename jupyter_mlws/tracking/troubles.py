"""What can go wrong between a spool and MLflow."""

from __future__ import annotations


class Unreachable(Exception):
    """MLflow cannot take anything just now; nothing is lost by it."""


class Busy(Unreachable):
    """Somebody else ships just now."""


class Refused(Exception):
    """MLflow does not take a record; the text is its own."""


class Failed(Exception):
    """MLflow failed over a record; another time it may not."""


class NotTogether(Exception):
    """Records cannot be written together: one of them is not as it should be, or MLflow itself must judge."""
