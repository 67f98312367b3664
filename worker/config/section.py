"""The base of every component's settings: flat keys as aliases, strict about unknown ones."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


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
