"""The Helm chart, rendered."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.stack.home import REPOSITORY

CHART = REPOSITORY / "deploy" / "helm" / "vecsink"
Resource = dict[str, Any]


class RenderError(Exception):
    """Helm does not take the values; the message is Helm's."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Helm would send to Kubernetes."""

    resources: list[Resource] = field(default_factory=list)

    def of(self, kind: str, name: str = "shop-vecsink") -> Resource:
        """The one of this kind and name."""
        (found,) = (
            one for one in self.resources if (one["kind"], one["metadata"]["name"]) == (kind, name)
        )
        return found

    @property
    def kinds(self) -> set[str]:
        """What there is."""
        return {one["kind"] for one in self.resources}

    @property
    def pod(self) -> Resource:
        """The pod's template."""
        template: Resource = self.of("StatefulSet")["spec"]["template"]
        return template

    @property
    def container(self) -> Resource:
        """The worker's."""
        (found,) = self.pod["spec"]["containers"]
        made: Resource = found
        return made

    @property
    def connector_files(self) -> dict[str, str]:
        """What the folder of connectors holds."""
        files: dict[str, str] = self.of("ConfigMap", "shop-vecsink-connectors")["data"] or {}
        return files

    @property
    def environment(self) -> dict[str, str]:
        """Of pod 0, without Secrets."""
        variables = dict(self.of("ConfigMap", "shop-vecsink-worker")["data"])
        fields = {"POD_NAME": "shop-vecsink-0", "POD_NAMESPACE": "search"}
        for one in self.container["env"]:
            value = one.get("value", fields.get(one["name"], ""))
            for name, said in fields.items():
                value = value.replace(f"$({name})", said)
            variables[one["name"]] = value
        return variables


def render(helm: str, values: Resource) -> Rendered:
    """As release ``shop`` in the namespace ``search``.

    Raises:
        RenderError: Helm does not take the values.
    """
    done = subprocess.run(
        [helm, "template", "shop", str(CHART), "--namespace", "search", "--values", "-"],
        input=yaml.safe_dump(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RenderError(done.stderr)
    return Rendered([one for one in yaml.safe_load_all(done.stdout) if one])
