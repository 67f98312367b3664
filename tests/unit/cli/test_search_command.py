"""``vecsink search`` where the question cannot be asked."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from worker.cli.search import matches_table, search
from worker.errors import ConfigError
from worker.store.port import Match

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


def test_a_memory_store_is_its_own_workers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(tmp_path, "tent") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said == "Nothing found: the memory store is seen by its own worker alone."


def test_truth_is_written_as_the_demo_writes_it() -> None:
    out = io.StringIO()
    found = [("shop", Match("1", 0.5, {"live": True, "sold": False}))]
    Console(file=out, width=80).print(matches_table(found, "tent"))
    assert [cell.strip() for cell in out.getvalue().splitlines()[-2].split("│")[-3:-1]] == [
        "yes",
        "no",
    ]


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
