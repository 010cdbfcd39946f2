"""What can go wrong through a user's input: one sentence each, and the exit code it ends in."""

from __future__ import annotations


class TwinError(Exception):
    """A fault the user can mend; its text is one sentence that says where, what was expected, what to do."""

    exit_code = 1


class UsageError(TwinError):
    """The command was called with something that can't be meant (exit code 2)."""

    exit_code = 2


class DataError(TwinError):
    """A file's content can't be used (exit code 3)."""

    exit_code = 3


class InfeasibleError(TwinError):
    """Nothing can be planned, or nothing that keeps to what was asked for (exit code 5)."""

    exit_code = 5
