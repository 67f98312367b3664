"""The settings of texts and metadata."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worker.config.section import Section


class DocumentSettings(Section):
    """How a row becomes text and metadata; the texts are parsed by the document step."""

    fields: str | None = Field(
        None,
        alias="document.fields",
        description="Columns of the text, such as `Product: name, Category: category, "
        "description`: one line each, with its label; empty ones are left out.",
    )
    template: str | None = Field(
        None,
        alias="document.template",
        description="Jinja2 template (sandboxed) of the text, instead of `document.fields`.",
    )
    when: str | None = Field(
        None,
        alias="document.when",
        description="Jinja2 expression; a row for which it is false is not in the index, and "
        "leaves it when it turns false.",
    )
    chunk_tokens: int = Field(
        0,
        alias="document.chunk.tokens",
        ge=0,
        description="Tokens that a chunk has at most: a text becomes one or more points, cut "
        "between paragraphs or sentences where it can be. 0 leaves texts whole.",
    )
    chunk_overlap: int = Field(
        0,
        alias="document.chunk.overlap",
        ge=0,
        description="Tokens that a chunk repeats of the one before it, at most.",
    )
    overlong: Literal["chunk", "truncate", "fail"] | None = Field(
        None,
        alias="document.overlong",
        description="A text over the model's limit: it is cut into chunks (the default with "
        "`document.chunk.tokens`), its beginning is embedded (the default without), or the row "
        "fails.",
    )
    metadata_fields: str = Field(
        "",
        alias="metadata.fields",
        description="Columns kept as metadata: `column` or `column as name`, comma-separated. "
        "`source_table` and `updated_at` are always there.",
    )
    metadata_text: bool = Field(
        False,  # noqa: FBT003 - a default, no switch
        alias="metadata.text",
        description="Whether the text, or the chunk's, is kept as metadata called `text`.",
    )

    @property
    def beyond_limit(self) -> Literal["truncate", "fail"]:
        """What becomes of a text, or of a chunk, that the model finds too long."""
        return "fail" if self.overlong == "fail" else "truncate"

    @property
    def has_text(self) -> bool:
        """Whether the metadata called ``text`` is no column's; in chunks it is always theirs."""
        return self.metadata_text or self.chunk_tokens > 0
