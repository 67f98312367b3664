"""The half of Cohere's client that embeds: ``V2Client``, without the models of its other calls.

They are 78 modules of pydantic models for chats, reranking and parsing, which take 45 ms of CPU at
every start. While the client is loaded they are stood in for by modules whose every name is
``Any``; afterwards whoever imports one of them gets it. The other calls of the client that was
loaded here answer with plain dictionaries; nobody makes any.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHERS: Final = (
    "cohere.types.chat_messages",
    "cohere.types.citation_options",
    "cohere.types.parse_document",
    "cohere.types.parse_output_format",
    "cohere.types.parse_response",
    "cohere.types.rerank_relevant_spans",
    "cohere.types.response_format_v2",
    "cohere.types.thinking",
    "cohere.types.tool_v2",
    "cohere.v2.types.v2chat_request_documents_item",
    "cohere.v2.types.v2chat_request_safety_mode",
    "cohere.v2.types.v2chat_request_tool_choice",
    "cohere.v2.types.v2chat_response",
    "cohere.v2.types.v2chat_stream_request_documents_item",
    "cohere.v2.types.v2chat_stream_request_safety_mode",
    "cohere.v2.types.v2chat_stream_request_tool_choice",
    "cohere.v2.types.v2chat_stream_response",
    "cohere.v2.types.v2rerank_response",
)
"""What ``cohere.v2.client`` loads for annotations of calls that are not made here."""


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return Any


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _StandIn(name) for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


with _without(_OTHERS):
    from cohere.v2.client import V2Client

__all__ = ["V2Client"]
