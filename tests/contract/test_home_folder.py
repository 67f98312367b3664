"""A folder of files, changed by hand and as Kubernetes changes a mounted ConfigMap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.homes_contract import ONE, TWO, HomeContract, configs, found
from worker.clock import FakeClock
from worker.homes.folder import FolderHome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from worker.homes.port import Home

LOOK_S = 0.5


class Impatient(FakeClock):
    """Each look is a while after the last one."""

    def now_s(self) -> float:
        self.advance(LOOK_S)
        return super().now_s()


class Folder:
    """A folder that people write into."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pod(self) -> Home:
        return FolderHome([self.path], Impatient())

    def file(self, name: str) -> Path:
        return self.path / f"{name}.json"

    def put(self, values: Mapping[str, str]) -> None:
        self.file(values["name"]).write_text(json.dumps({"name": values["name"], "config": values}))

    def remove(self, name: str) -> None:
        self.file(name).unlink()


class ConfigMap(Folder):
    """The files are links through ``..data``, which is swapped for another folder in one step."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._contents: dict[str, str] = {}
        self._generation = 0

    def put(self, values: Mapping[str, str]) -> None:
        self._contents[f"{values['name']}.json"] = json.dumps(values)
        self._swap()

    def remove(self, name: str) -> None:
        del self._contents[f"{name}.json"]
        self._swap()

    def _swap(self) -> None:
        self._generation += 1
        data = self.path / f"..2026_{self._generation}"
        data.mkdir()
        for name, text in self._contents.items():
            (data / name).write_text(text)
        link = self.path / "..data_tmp"
        link.symlink_to(data.name)
        link.rename(self.path / "..data")
        for name in self._contents:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        for file in self.path.glob("*.json"):
            if file.name not in self._contents:
                file.unlink()


class TestFolder(HomeContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path)


class TestConfigMap(HomeContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Folder:
        return ConfigMap(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.put(ONE)
    made.put(TWO)
    return made


def looked(home: Home, times: int = 2) -> Home:
    for _ in range(times):
        home.look()
    return home


def test_a_broken_file_is_reported_and_what_it_said_before_stays_in_force(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    home = looked(folder.pod())
    folder.file("one").write_text('{"name": "one", "topics": ')
    looked(home)
    assert configs(home) == {"one": ONE, "two": TWO}
    assert "not valid JSON" in found(home)["one"].problem
    assert not found(home)["two"].problem
    assert "one.json: not valid JSON" in caplog.text
    folder.put(ONE)
    looked(home)
    assert not found(home)["one"].problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"topics": "a"}',
        '{"name": "x", "a": [1]}',
        "\xff",
        '{"name": "x", "a": "\\ud800"}',
        pytest.param('{"name": "x", "a": %s}' % ("1" * 5000), id="digits"),
    ],
)
def test_a_new_file_that_is_no_connector_leaves_the_others_alone(
    folder: Folder, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    folder.file("three").write_bytes(text.encode("latin-1"))
    assert configs(looked(folder.pod())) == {"one": ONE, "two": TWO}
    assert "three.json" in caplog.text


def test_a_name_belongs_to_the_first_file_that_has_it(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.file("zzz").write_text(json.dumps({**ONE, "topics": "other"}))
    assert configs(looked(folder.pod())) == {"one": ONE, "two": TWO}
    assert "zzz.json: name:" in caplog.text


def test_a_file_that_is_still_being_written_does_not_count(folder: Folder) -> None:
    home = looked(folder.pod())
    for length in (5, 10, 15):
        folder.file("one").write_text(json.dumps(ONE)[:length])
        looked(home, 1)
    folder.put(ONE)
    looked(home)
    assert not found(home)["one"].problem


def test_a_file_that_is_gone_for_a_moment_is_not_removed(folder: Folder) -> None:
    home = looked(folder.pod())
    folder.remove("one")
    looked(home, 1)
    folder.put(ONE)
    assert set(configs(home)) == {"one", "two"}


def test_a_folder_that_is_away_is_not_an_empty_one(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    home = looked(folder.pod())
    folder.path.rename(folder.path.with_name("elsewhere"))
    looked(home, 3)
    assert configs(home) == {"one": ONE, "two": TWO}
    assert caplog.text.count("The connector files cannot be read") == 1


@pytest.mark.parametrize("kind", ["dangling link", "folder"])
def test_an_entry_that_cannot_be_read_leaves_the_others_alone(
    folder: Folder, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    home = looked(folder.pod())
    if kind == "folder":
        folder.file("three").mkdir()
    else:
        folder.file("three").symlink_to("nowhere")
    folder.put({**ONE, "topics": "other"})
    looked(home, 4)
    assert configs(home) == {"one": {**ONE, "topics": "other"}, "two": TWO}
    assert caplog.text.count("three.json: cannot be read") == 1


def test_a_file_that_cannot_be_read_any_more_keeps_what_it_said(folder: Folder) -> None:
    home = looked(folder.pod())
    folder.remove("one")
    folder.file("one").symlink_to("nowhere")
    folder.put({**TWO, "topics": "other"})
    looked(home)
    assert configs(home) == {"one": ONE, "two": {**TWO, "topics": "other"}}
    assert "cannot be read" in found(home)["one"].problem


def test_names_that_begin_with_a_dot_are_not_meant(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    (folder.path / ".#one.json").symlink_to("somebody@host.123")
    folder.file(".three").write_text(json.dumps({**ONE, "name": "three"}))
    assert configs(looked(folder.pod())) == {"one": ONE, "two": TWO}
    assert not caplog.text


def test_files_may_be_named_one_by_one(folder: Folder) -> None:
    home = looked(FolderHome([folder.file("two")], Impatient()))
    assert configs(home) == {"two": TWO}
    folder.remove("two")
    assert configs(looked(home)) == {}
