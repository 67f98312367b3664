"""Limits per minute that we keep by ourselves, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """What an account may do in a minute; None is no limit.

    Providers count differently: Cohere inputs, OpenAI and Voyage requests and tokens.
    """

    requests: float | None = None
    inputs: float | None = None
    """Texts."""
    tokens: float | None = None
