"""Names of local models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.embed.model_files import path_of, stable_name

if TYPE_CHECKING:
    from pathlib import Path


def model_folder(root: Path, weights: bytes) -> Path:
    folder = root / "my-model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "README.md").write_text(str(root))
    return folder


def test_a_hub_name_is_its_own_name() -> None:
    assert path_of("intfloat/e5-small") == stable_name("intfloat/e5-small") == "intfloat/e5-small"


def test_the_same_folder_elsewhere_has_the_same_name(tmp_path: Path) -> None:
    here = stable_name(str(model_folder(tmp_path / "here", b"w")))
    there = stable_name(str(model_folder(tmp_path / "there", b"w")))
    assert here == there
    assert here.startswith("my-model@")
    assert str(tmp_path) not in here


def test_other_weights_have_another_name(tmp_path: Path) -> None:
    old = stable_name(str(model_folder(tmp_path / "old", b"w")))
    new = stable_name(str(model_folder(tmp_path / "new", b"v")))
    assert old != new
