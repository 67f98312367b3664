"""The image, as far as can be seen without Docker."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STAGES = {
    name: body
    for body in re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]
    for name in re.findall(r"^\S+ AS (\S+)", body)
}
LAST = list(STAGES)[-1]
FINAL = ("gpu", "worker")


def chain(stage: str) -> list[str]:
    """The stages that one is made of, itself included."""
    base = STAGES[stage].split()[0]
    return [stage, *(chain(base) if base in STAGES else [])]


def test_who_names_no_variant_gets_the_one_without_a_gpu() -> None:
    assert LAST == "worker"


@pytest.mark.parametrize("stage", FINAL)
def test_a_variant_runs_without_root_and_without_what_built_it(stage: str) -> None:
    made_of = chain(stage)
    text = "\n".join(STAGES[one] for one in made_of)
    (user,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert int(user) > 0
    assert "build" not in made_of
    assert not re.search(r"\buv\b|apt-get|pip install", text)


@pytest.mark.parametrize("stage", FINAL)
def test_a_variant_ends_by_the_signal_that_the_worker_knows(stage: str) -> None:
    text = "\n".join(STAGES[one] for one in chain(stage))
    assert "STOPSIGNAL SIGTERM" in text
    assert 'ENTRYPOINT ["vecsink"]' in text


def test_every_stage_that_is_copied_from_is_there() -> None:
    copied = set(re.findall(r"--from=(\S+)", TEXT))
    assert copied <= STAGES.keys()
    assert set(re.findall(r"--from=(\S+)", STAGES["worker"])) == {"build"}
    assert set(re.findall(r"--from=(\S+)", STAGES["gpu"])) == {"build-gpu"}


def test_extras_are_ones_of_the_project_and_only_the_gpu_has_local_models() -> None:
    (extras,) = re.findall(r'^ARG EXTRAS="(.+)"$', TEXT, re.MULTILINE)
    assert set(extras.split()) <= PROJECT["optional-dependencies"].keys()
    assert "local" not in extras.split()
    assert re.search(r"\$\{EXTRAS\} local\)", STAGES["build-gpu"])


def test_every_base_image_has_a_tag_that_stays() -> None:
    bases = {body.split()[0] for body in STAGES.values()} - STAGES.keys()
    for base in bases:
        assert re.search(r":(\d+\.\d+|\$\{PYTHON\}-slim)", base), base


def test_the_image_is_of_the_version_that_the_chart_asks_for() -> None:
    chart = (ROOT / "deploy" / "helm" / "vecsink" / "Chart.yaml").read_text()
    assert f'appVersion: "{PROJECT["version"]}"' in chart
    assert f"vecsink:{PROJECT['version']} " in TEXT
