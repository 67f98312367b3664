"""Files and folders of connectors: shapes, broken files, and several at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.config.tiny_plugins import PLUGINS, VALID
from worker.config.load import Loaded, load, read_text
from worker.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, name: str, content: object) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def loaded(*paths: Path) -> Loaded:
    return load(paths, environ={}, plugins=PLUGINS)


def test_flat_and_rest_shapes_mean_the_same(tmp_path: Path) -> None:
    flat = loaded(write(tmp_path, "a.json", VALID)).require()
    inner = {key: value for key, value in VALID.items() if key != "name"}
    rest = loaded(write(tmp_path, "b.json", {"name": "products", "config": inner})).require()
    assert flat[0].raw == rest[0].raw


def test_an_answer_of_connects_rest_api_can_be_read_back(tmp_path: Path) -> None:
    answer = {"name": "products", "config": VALID, "tasks": [], "type": "sink"}
    assert loaded(write(tmp_path, "a.json", answer)).problems == ()


def test_the_names_inside_and_outside_must_agree(tmp_path: Path) -> None:
    (found,) = loaded(write(tmp_path, "a.json", {"name": "x", "config": VALID})).problems
    assert (found.key, found.value) == ("name", "products")


def test_a_setting_beside_config_is_an_error(tmp_path: Path) -> None:
    shape = {"name": "products", "config": VALID, "embedder": "tiny"}
    (found,) = loaded(write(tmp_path, "a.json", shape)).problems
    assert (found.key, found.expected) == ("embedder", "belongs inside 'config'")


def test_numbers_and_booleans_become_text(tmp_path: Path) -> None:
    values = {**VALID, "tasks.max": 3, "value.converter.schemas.enable": False}
    (config,) = loaded(write(tmp_path, "a.json", values)).require()
    assert config.connector.tasks_max == 3
    assert config.raw["value.converter.schemas.enable"] == "false"


@pytest.mark.parametrize("value", [None, ["a"], {"a": 1}])
def test_other_values_are_an_error_of_their_key(tmp_path: Path, value: object) -> None:
    found = loaded(write(tmp_path, "a.json", {**VALID, "tasks.max": value})).problems
    assert [one.key for one in found] == ["tasks.max"]
    found = loaded(write(tmp_path, "a.json", {**VALID, "topics": value})).problems
    assert [one.key for one in found] == ["topics"]


def test_broken_json_names_line_and_column(tmp_path: Path) -> None:
    (found,) = loaded(write(tmp_path, "a.json", '{\n  "name": "a",\n  oops\n}')).problems
    assert found.key is None
    assert "line 3, column 3" in found.expected


@pytest.mark.parametrize("text", ["[]", '"a"', "", "[" * 100_000])
def test_what_is_no_object_is_an_error(tmp_path: Path, text: str) -> None:
    assert len(loaded(write(tmp_path, "a.json", text)).errors) == 1


def test_a_key_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    text = json.dumps(VALID)[:-1] + ', "topics": "other"}'
    result = loaded(write(tmp_path, "a.json", text))
    assert [(one.key, one.expected) for one in result.problems] == [
        ("topics", "the key is there twice")
    ]
    assert result.connectors == ()


def test_a_missing_file_and_one_that_is_not_text_are_errors(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    found = loaded(tmp_path / "a.json", tmp_path / "b.json").problems
    assert [one.file for one in found] == [str(tmp_path / "a.json"), str(tmp_path / "b.json")]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('"\\ud800"', "not valid text: half of a surrogate pair"),
        ("1" * 5000, "not valid JSON: a number has too many digits"),
    ],
    ids=["surrogate", "digits"],
)
def test_json_that_python_cannot_keep_is_an_error(tmp_path: Path, value: str, problem: str) -> None:
    (error,) = loaded(write(tmp_path, "a.json", f'{{"name": {value}}}')).errors
    assert error.expected == problem


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert loaded(write(tmp_path, "a.json", "\ufeff" + json.dumps(VALID))).problems == ()


def test_a_folder_means_all_its_json_files_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.json", {**VALID, "name": "second"})
    write(tmp_path, "a.json", {**VALID, "name": "first"})
    write(tmp_path, "note.txt", "not read")
    write(tmp_path, ".c.json", "not read either")
    assert [config.name for config in loaded(tmp_path).require()] == ["first", "second"]


def test_a_folder_without_connectors_is_an_error(tmp_path: Path) -> None:
    (error,) = loaded(tmp_path).errors
    assert str(error) == f"{tmp_path}: expected a folder with *.json files"


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", VALID)
    assert len(loaded(file, tmp_path).require()) == 1


def test_two_files_with_one_name_are_an_error_of_the_second(tmp_path: Path) -> None:
    write(tmp_path, "a.json", VALID)
    write(tmp_path, "b.json", VALID)
    (found,) = loaded(tmp_path).problems
    assert (found.file, found.key, found.value) == (str(tmp_path / "b.json"), "name", "products")
    assert str(tmp_path / "a.json") in found.expected


def test_mistakes_of_all_files_are_collected(tmp_path: Path) -> None:
    write(tmp_path, "a.json", {**VALID, "tasks.max": "x"})
    write(tmp_path, "b.json", "{")
    write(tmp_path, "c.json", {**VALID, "name": "good"})
    result = loaded(tmp_path)
    assert len(result.errors) == 2
    assert [config.name for config in result.connectors] == ["good"]
    with pytest.raises(ConfigError, match=r"a\.json: tasks\.max.*\n.*b\.json"):
        result.require()


def test_warnings_do_not_keep_a_connector_from_running(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, "a.json", {**VALID, "embeder": "tiny"}))
    assert result.problems
    assert result.errors == ()
    assert len(result.require()) == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_any_json_gives_values_or_a_problem(value: object) -> None:
    values, problems = read_text(json.dumps(value), file="x")
    assert values is not None or problems
    assert all(isinstance(text, str) for text in (values or {}).values())
