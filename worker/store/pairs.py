"""Settings that list names with a type each, such as ``category text, price numeric``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@immutable
class Pairs:
    """What a store takes there, as a validator that runs before pydantic's."""

    kinds: Sequence[str]
    """The types."""
    is_free: Callable[[str], bool]
    """Whether a user may give something this name."""
    example: str
    rule: str = ""
    """Of the names, in words."""

    def __call__(self, given: object) -> object:
        """Names and types; what is no text is for pydantic.

        Raises:
            ValueError: they are no pairs, or a name comes twice.
        """
        if not isinstance(given, str):
            return given
        parts = [part.strip().rpartition(" ") for part in given.split(",") if part.strip()]
        pairs = tuple((name.strip(), kind.lower()) for name, _, kind in parts)
        if not all(self.is_free(name) and kind in self.kinds for name, kind in pairs):
            names = f", and {self.rule}" if self.rule else ""
            raise ValueError(
                f"`name type` pairs like `{self.example}`; types are {', '.join(self.kinds)}{names}"
            )
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("each name once")
        return pairs
