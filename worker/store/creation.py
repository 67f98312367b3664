"""Settings of stores that make their index: what it is to be like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worker.config.section import Section
from worker.errors import FatalError
from worker.store.place import NOWHERE, Place


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

    def expect_namespace(self, namespace: str) -> None:
        """Whether the store can have a namespace of this name.

        Raises:
            ConfigError: it cannot.
        """
