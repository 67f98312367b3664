"""The connectors that come with the product are valid."""

from __future__ import annotations

import pytest

from worker.config.describe import ROOT
from worker.config.load import load

EXAMPLES = sorted((ROOT / "connectors").glob("*.json"))


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_valid_without_a_warning(path: str) -> None:
    keys = ("PINECONE_API_KEY", "PGVECTOR_PASSWORD", "QDRANT_API_KEY", "WEAVIATE_API_KEY")
    loaded = load([path], environ=dict.fromkeys(keys, "example"))
    assert loaded.problems == ()
    assert len(loaded.connectors) == 1
