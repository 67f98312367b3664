"""The base of every component's settings: flat keys as aliases, strict about unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator


class Section(BaseModel):
    """Settings of one component.

    Each field's alias is its key in the connector JSON; title and description feed the validation
    errors, the JSON schema and the generated documentation.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Nothing: any value may have come from ``${env:…}``, so none is shown."""
        return iter(())
