"""``vecsink search`` where the question cannot be asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from worker.cli.search import search
from worker.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

CONNECTOR = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}


def ask(folder: Path, text: str, where: str | None = None, namespace: str | None = None) -> int:
    file = folder / "products.json"
    file.write_text(json.dumps(CONNECTOR))
    return search(
        file, text, worker_file=None, k=5, where=where, namespace=namespace, as_json=False
    )


@pytest.mark.parametrize(
    ("text", "where", "namespace", "complaint"),
    [
        ("  ", None, None, "the question is empty"),
        ("tent", "{", None, "--filter is not JSON"),
        ("tent", "[]", None, "--filter is a JSON object"),
        ("tent", None, "tents", "--namespace: the index has no 'tents'"),
    ],
)
def test_what_is_wrong_with_a_question_is_named(
    tmp_path: Path, text: str, where: str | None, namespace: str | None, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        ask(tmp_path, text, where, namespace)
