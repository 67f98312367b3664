"""Imports point one way: along the way of a record, and never back."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[3] / "worker"

GROUPS = (
    {
        "errors",
        "immutable",
        "model",
        "clock",
        "plugins",
        "tls",
        "wire",
        "answers",
        "brokers",
        "heap",
        "json_text",
        "lasting",
        "quiet_log",
        "rebootstrap",
        "sockets",
    },
    {"config", "telemetry"},
    {"flow", "document", "throttle"},
    {
        "source",
        "decode",
        "reselect",
        "embed",
        "store",
        "dlq",
        "state",
        "pinecone_local",
        "provider_local",
    },
    {"spend", "marks", "letters", "homes"},
    {"pipeline"},
    {"estimate", "overview"},
    {"explain"},
    {"triage"},
    {"runtime"},
    {"rest"},
    {"console"},
    {
        "attending",
        "checks",
        "chunks",
        "statehouse",
        "treasury",
        "index",
        "noting",
        "settings",
        "build",
        "lagging",
        "lettering",
        "metering",
        "overseeing",
        "replaying",
        "serving",
        "surveying",
        "explaining",
        "triaging",
        "herding",
    },
    {"demo", "live"},
    {"cli"},
)
RANK = {name: rank for rank, group in enumerate(GROUPS) for name in group}
PORTS_ONLY = {"pipeline", "estimate", "explain"}
ADAPTERS = GROUPS[3]
INSIDE_ROOT = GROUPS[0] | GROUPS[12]
"""Modules of these groups lie side by side and may know those of their own group."""


@cache
def modules() -> tuple[tuple[str, str, str], ...]:
    """(file, its part, imported module below ``worker``) for every import of our own."""
    return tuple(imports())


def imports() -> Iterator[tuple[str, str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            for name in imported(node):
                yield str(relative), part, name


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("worker."):
        return [node.module.removeprefix("worker.")]
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
        return [name.removeprefix("worker.") for name in names if name.startswith("worker.")]
    return []


@pytest.mark.parametrize("part", sorted(RANK))
def test_a_part_imports_only_itself_and_what_comes_before_it(part: str) -> None:
    wrong = [
        f"{file} imports worker.{name}"
        for file, owner, name in modules()
        if owner == part
        and (other := name.split(".")[0]) != part
        and not (RANK[other] < RANK[part] or {part, other} <= INSIDE_ROOT)
    ]
    assert wrong == []


@pytest.mark.parametrize("part", sorted(PORTS_ONLY))
def test_pipeline_estimate_and_explain_see_ports_alone(part: str) -> None:
    wrong = [
        f"{file} imports worker.{name}"
        for file, owner, name in modules()
        if owner == part and name.split(".")[0] in ADAPTERS and name.split(".")[1:] != ["port"]
    ]
    assert wrong == []


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert parts - {"__init__", "__pycache__"} == set(RANK)
