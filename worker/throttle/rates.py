"""Limits per minute that we keep by ourselves, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Load(NamedTuple):
    """What a call takes of each limit; several of them are added up."""

    requests: int = 0
    inputs: int = 0
    tokens: int = 0


@immutable
class Rates:
    """What an account may do in a minute; None is no limit.

    Providers count differently: Cohere inputs, OpenAI and Voyage requests and tokens.
    """

    requests: float | None = None
    inputs: float | None = None
    """Texts."""
    tokens: float | None = None

    def times(self, share: float) -> Rates:
        """The same part of each limit."""
        return Rates(
            _part(self.requests, share), _part(self.inputs, share), _part(self.tokens, share)
        )


def lowest(rates: Iterable[Rates]) -> Rates:
    """The lowest limit of each unit."""
    known = list(rates)
    return Rates(
        _lowest(one.requests for one in known),
        _lowest(one.inputs for one in known),
        _lowest(one.tokens for one in known),
    )


def _part(limit: float | None, share: float) -> float | None:
    return None if limit is None else limit * share


def _lowest(limits: Iterable[float | None]) -> float | None:
    return min((limit for limit in limits if limit is not None), default=None)
