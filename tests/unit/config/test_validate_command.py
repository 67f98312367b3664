"""What ``vecsink validate`` prints and returns, and that no secret is in it."""

from __future__ import annotations

import io
import json
import signal
from typing import TYPE_CHECKING

import pytest

from worker.cli.errors import ExitCode, exit_code, signal_exit
from worker.cli.validate import validate
from worker.config.read import attempt
from worker.errors import (
    ConfigError,
    FatalError,
    RecordError,
    RetriableError,
    Stage,
)

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7f3a9"

VALID = {
    "name": "products",
    "connector.class": "EmbeddingSink",
    "topics": "shop.products",
    "key.converter": "json",
    "value.converter": "json",
    "document.fields": "name",
    "embedder": "fake",
    "store": "memory",
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def write(folder: Path, name: str, changes: dict[str, str]) -> Path:
    file = folder / name
    file.write_text(json.dumps({**VALID, **changes}))
    return file


def test_a_good_file_is_ok_and_ends_with_0(tmp_path: Path) -> None:
    file, out = write(tmp_path, "a.json", {}), io.StringIO()
    assert validate([file], out=out) is ExitCode.OK
    assert out.getvalue() == f"{file}: OK\n"


def test_mistakes_end_with_2_and_one_line_each(tmp_path: Path) -> None:
    file, out = (
        write(tmp_path, "a.json", {"tasks.max": "x", "errors.tolerance": "al"}),
        io.StringIO(),
    )
    assert validate([file], out=out) is ExitCode.CONFIG
    assert out.getvalue().splitlines() == [
        f"error: {file}: tasks.max: expected a whole number, got 'x'",
        f"error: {file}: errors.tolerance: expected 'none' or 'all', got 'al'; did you mean 'all'?",
        f"{file}: 2 errors",
    ]


def test_a_warning_alone_ends_with_0(tmp_path: Path) -> None:
    file, out = write(tmp_path, "a.json", {"embeder": "fake"}), io.StringIO()
    assert validate([file], out=out) is ExitCode.OK
    assert out.getvalue().startswith("warning: ")
    assert out.getvalue().endswith(f"{file}: OK\n")


def test_json_has_every_problem_as_data(tmp_path: Path) -> None:
    good, bad = (
        write(tmp_path, "a.json", {}),
        write(tmp_path, "b.json", {"name": "b", "topcs": "x"}),
    )
    bad = write(tmp_path, "b.json", {"name": "b", "batch.max.row": "1"})
    out = io.StringIO()
    assert validate([tmp_path], as_json=True, out=out) is ExitCode.CONFIG
    assert json.loads(out.getvalue()) == {
        "valid": False,
        "files": [
            {"file": str(good), "valid": True, "problems": []},
            {
                "file": str(bad),
                "valid": False,
                "problems": [
                    {
                        "file": str(bad),
                        "key": "batch.max.row",
                        "value": None,
                        "expected": "unknown key",
                        "suggestion": "batch.max.rows",
                        "severity": "error",
                    }
                ],
            },
        ],
    }


def test_a_terminal_gets_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file, out = write(tmp_path, "a.json", {"tasks.max": "[red]x"}), Terminal()
    assert validate([file], out=out) is ExitCode.CONFIG
    assert "what is wrong" in out.getvalue()
    assert "[red]x" in out.getvalue()


def test_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    out = io.StringIO()
    assert validate([tmp_path / "gone.json"], out=out) is ExitCode.CONFIG
    assert "gone.json" in out.getvalue()


def test_mistakes_of_the_workers_file_count(tmp_path: Path) -> None:
    worker = tmp_path / "worker.properties"
    worker.write_text("log.format=yaml")
    out = io.StringIO()
    code = validate([write(tmp_path, "a.json", {})], worker_file=worker, out=out)
    assert code is ExitCode.CONFIG
    assert f"error: {worker}: log.format" in out.getvalue()


def test_other_components_rules_are_asked(tmp_path: Path) -> None:
    def fails() -> None:
        raise ConfigError("a column name")

    out = io.StringIO()
    check = lambda config: attempt(config, "document.fields", fails)  # noqa: E731 - one use
    assert validate([write(tmp_path, "a.json", {})], checks=(check,), out=out) is ExitCode.CONFIG
    assert "document.fields: a column name, got 'name'" in out.getvalue()


@pytest.mark.parametrize("kind", ["lines", "json", "table"])
@pytest.mark.parametrize(
    "changes",
    [
        {"store": "pinecone", "store.api.key": CANARY},
        {"store": "pinecone", "store.index": "${env:CANARY}x", "store.api.kye": CANARY},
        {"tasks.max": "${env:CANARY}"},
        {"truncate.mode": "${env:CANARY}"},
        {"topics": "${env:CANARY} ${env:CANARY}"},
        {"store.namespace": "${env:CANARY}", "name": "a b"},
        {"value.converter.basic.auth.user.info": CANARY},
        {"value.converter.schema.registry.url": f"http://me:{CANARY}@"},
        {"consumer.override.sasl.jaas.config": f"x password={CANARY};"},
        {"consumer.override.sasl.passwrd": CANARY},
        {"api.key": CANARY, "embedder": "${env:CANARY}"},
    ],
)
def test_no_output_shows_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], kind: str
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("COLUMNS", "400")
    out = Terminal() if kind == "table" else io.StringIO()
    validate([write(tmp_path, "a.json", changes)], as_json=kind == "json", out=out)
    assert "a.json" in out.getvalue()
    assert CANARY not in out.getvalue()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (FatalError("x"), 1),
        (RecordError("x", stage=Stage.EMBED, kind="k"), 1),
        (RetriableError("x"), 3),
        (PermissionError("x"), 3),
        (KeyError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_a_signal_ends_with_128_and_its_number() -> None:
    assert signal_exit(signal.SIGTERM) == 143
