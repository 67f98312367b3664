"""Settings of stores that make their index: what it is to be like."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from worker.config.section import Section
from worker.errors import FatalError
from worker.store.place import NOWHERE, Place
from worker.store.port import MissingIndexError

if TYPE_CHECKING:
    from collections.abc import Iterator


MADE_ANEW: Final = (
    "a start with store.create=true makes an empty one, which is filled by reading the topics "
    "again (docs/stores.md, An index that is gone)"
)
"""What to do about an index that was there before."""


class Creation(Section):
    """Whether a missing index is made, and what an index has to be like."""

    create: bool = Field(
        default=False,
        alias="store.create",
        description="Whether the index is made if it is missing, for the model's dimensions.",
    )
    dimensions: int | None = Field(
        default=None,
        alias="store.dimensions",
        ge=1,
        description="Length of the vectors, for a start that fails where the model makes others; "
        "by default the model says it.",
    )
    metric: Literal["cosine", "dotproduct", "euclidean"] = Field(
        default="cosine",
        alias="store.metric",
        description="What a search compares by, of an index that is made.",
    )

    @property
    def place(self) -> Place:
        """What calls go to."""
        return NOWHERE

    def expect(self, dimensions: int) -> None:
        """Compare what the model makes with ``store.dimensions``.

        Raises:
            FatalError: it is something else.
        """
        if self.dimensions not in {None, dimensions}:
            raise FatalError(
                f"store.dimensions is {self.dimensions}, and the model makes {dimensions}: change "
                "one of them"
            )

    @contextmanager
    def expecting(self, dimensions: int) -> Iterator[None]:
        """``expect``, and a look at the index, which says how long vectors have to be.

        Raises:
            FatalError: ``store.dimensions`` is something else.
            MissingIndexError: there is no index.
        """
        self.expect(dimensions)
        try:
            yield
        except MissingIndexError as error:
            raise self.missing(error.index, error.said, dimensions) from error.__cause__

    def missing(self, index: str, said: str, dimensions: int | None = None) -> MissingIndexError:
        """What to do about an index that does not exist, of which ``said`` is a sentence."""
        wanted = dimensions or self.dimensions
        size = f"{wanted} dimensions" if wanted else "the model's dimensions"
        if not self.create:
            advice = f"Make it with {size} (docs/stores.md), or set store.create=true"
            return MissingIndexError(index, said, coming="", advice=advice)
        coming = f"{index} will be made by the first run ({size}, {self.metric})"
        return MissingIndexError(index, said, coming=coming, advice="The first run makes it")

    def expect_namespace(self, namespace: str) -> None:
        """Whether the store can have a namespace of this name.

        Raises:
            ConfigError: it cannot.
        """
