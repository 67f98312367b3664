"""What the runtime needs of a home of connector configs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Protocol

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Mapping


@immutable
class Stored:
    """A connector's config as written, references to secrets unresolved; perhaps not valid."""

    values: Mapping[str, str]
    origin: str
    """Where it is, for messages."""
    problem: str = ""
    """Why what is there now cannot be read; ``values`` are then what was there before."""
    is_outdated: bool = False
    """Whether other workers have a newer generation of it: it does not run here."""


class Home(Protocol):
    """Configs by name. ``stored`` may be called from any thread."""

    def look(self) -> None:
        """Notice what has changed. Called often, by one thread; quick, and raises nothing."""
        ...

    def stored(self) -> Mapping[str, Stored]:
        """What was there at the last look; a mapping that does not change any more."""
        ...


class OpenHome(Home, Protocol):
    """A home that takes what comes by REST. Thread-safe."""

    def put(self, name: str, values: Mapping[str, str]) -> None:
        """Keep for good, also for all other workers that share the home; seen here on return.

        Raises:
            RetriableError: the home is away; it may be kept all the same, or later.
            FatalError: it cannot be kept.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget; nothing happens for unknown names. Raises as ``put``."""
        ...


def digest_of(values: Mapping[str, str]) -> str:
    """Equal for equal configs, whatever the file looks like."""
    text = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
