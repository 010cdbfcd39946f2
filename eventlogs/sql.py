"""Texts inside statements, where parameters can't stand (views, COPY, expressions made of columns)."""

from __future__ import annotations


def quoted(text: object) -> str:
    """SQL's literal for a text."""
    return "'" + str(text).replace("'", "''") + "'"
