"""The generated documentation and schema say what the code says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from worker.config import describe
from worker.config.catalogue import GROUPS, entries, plugin_sections
from worker.config.keys import SECTIONS
from worker.config.worker import WorkerSettings

if TYPE_CHECKING:
    from worker.config.section import Section

OUTPUTS = describe.outputs()
SETTINGS: dict[str, Any] = json.loads(OUTPUTS[describe.SCHEMA])["$defs"]["settings"]


@pytest.mark.parametrize("path", OUTPUTS, ids=str)
def test_the_file_is_up_to_date(path: Any) -> None:
    written = (describe.ROOT / path).read_text(encoding="utf-8")
    assert written == OUTPUTS[path], "run: python -m worker.config.describe --write"


def test_every_setting_has_a_meaning_and_a_line_in_the_documentation() -> None:
    parts: list[tuple[type[Section], str]] = [*SECTIONS.values(), (WorkerSettings, "")]
    parts += [(part, "") for kind in GROUPS for part in plugin_sections(kind).values()]
    for section, prefix in parts:
        for entry in entries(section, prefix):
            assert entry.meaning, entry.key
            if prefix != "key.":
                assert f"| `{entry.key}` |" in OUTPUTS[describe.DOCUMENTATION]


def test_the_schema_refuses_unknown_keys_of_ours_alone() -> None:
    (pattern,) = [text for text in SETTINGS["patternProperties"] if text.startswith("^(?!")]
    for key in ("document.fields", "store.index", "embedder", "transform", "other.key"):
        assert not re.search(pattern, key), key
    for key in ("document.field", "store.indx", "batch.max.row", "reselect.uri"):
        assert re.search(pattern, key), key


def test_the_schema_knows_plug_ins_by_name() -> None:
    assert SETTINGS["properties"]["store"]["enum"] == sorted(plugin_sections("store"))
    chosen = [part for part in SETTINGS["allOf"] if "if" in part]
    assert len(chosen) == sum(len(plugin_sections(kind)) for kind in GROUPS)


def test_defaults_are_written_as_one_would_write_them() -> None:
    text = OUTPUTS[describe.DOCUMENTATION]
    assert "| `batch.max.bytes` | bytes | `2 MiB` |" in text
    assert "| `value.converter.schemas.enable` | `true` or `false` | `true` |" in text
    assert "| `value.converter` | `avro` or `json` | `avro` |" in text
    assert "| `name` | text | required |" in text
