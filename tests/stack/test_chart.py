"""The Helm chart, rendered by Helm and held against the schemas and against the worker."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from tests.stack import deploy_tools
from tests.stack.chart import CHART, Rendered, RenderError, render
from tests.stack.home import REPOSITORY
from tests.stack.unavailable import StackUnavailable
from worker.checks import CHECKS
from worker.config.load import load
from worker.config.load_worker import load_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSIONS = ("1.27", "1.37")
"""The oldest Kubernetes that the chart names, and the newest whose schemas we have."""
CONNECTORS = {
    "products": {
        "connector.class": "EmbeddingSink",
        "topics": "shop.public.products",
        "key.converter": "json",
        "value.converter": "json",
        "document.fields": "name, description",
        "batch.max.bytes": 52_428_800,
        "embedder": "fake",
        "store": "memory",
    }
}
FULL: dict[str, Any] = {
    "replicas": 3,
    "connectors": CONNECTORS,
    "worker": {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "SASL_SSL",
        "sasl.password": "${env:KAFKA_PASSWORD}",
        "consumer.fetch.max.bytes": 52_428_800,
        "log.format": "json",
    },
    "secrets": {"env": ["api-keys"], "files": ["kafka.certificates"]},
    "extraEnv": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4318"}],
    "imagePullSecrets": [{"name": "registry"}],
    "gpu": {"enabled": True},
    "nodeSelector": {"gpu": "true"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "batch",
    "podAnnotations": {"team": "search"},
    "podLabels": {"team": "search"},
    "serviceAccount": {"annotations": {"iam": "reader"}},
    "networkPolicy": {
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "autoscaling": {"mode": "keda"},
    "serviceMonitor": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "basicAuth": {
            "username": {"name": "rest", "key": "user"},
            "password": {"name": "rest", "key": "password"},
        },
    },
    "prometheusRule": {"enabled": True, "runbookUrl": "https://wiki.example.com/vecsink"},
    "dashboard": {"enabled": True},
}
BY_PROMETHEUS = {
    "autoscaling": {
        "mode": "keda",
        "keda": {"prometheusUrl": "http://prometheus:9090", "authenticationRef": "prometheus"},
    }
}
VARIANTS = {
    "default": {},
    "full": FULL,
    "hpa": {"autoscaling": {"mode": "hpa"}, "connectorsConfigMap": "from-git"},
    "keda by prometheus": BY_PROMETHEUS,
    "least": {
        "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "serviceAccount": {"create": False},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
    },
}


@pytest.fixture(scope="module")
def helm() -> str:
    try:
        return deploy_tools.helm()
    except StackUnavailable as error:
        pytest.skip(f"left out: {error}")


@pytest.fixture(scope="module")
def rendered(helm: str) -> Callable[[str], Rendered]:
    made = {name: render(helm, values) for name, values in VARIANTS.items()}
    return made.__getitem__


@pytest.fixture
def full(rendered: Callable[[str], Rendered]) -> Rendered:
    return rendered("full")


def test_helm_has_nothing_against_the_chart(helm: str) -> None:
    done = subprocess.run(
        [helm, "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_rendered_fits_kubernetes_schemas(
    rendered: Callable[[str], Rendered], variant: str
) -> None:
    for resource in rendered(variant).resources:
        if resource["kind"] not in deploy_tools.KINDS:
            for version in VERSIONS:
                kubernetes_validate.validate(resource, version, strict=True)


def test_the_schemas_would_notice_a_mistake(full: Rendered) -> None:
    resource = json.loads(json.dumps(full.of("StatefulSet")))
    resource["spec"]["template"]["spec"]["terminationGracePeriod"] = 40
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, VERSIONS[-1], strict=True)


def test_custom_resources_fit_the_schemas_of_their_operators(
    rendered: Callable[[str], Rendered],
) -> None:
    resources = [
        one
        for variant in ("full", "keda by prometheus")
        for one in rendered(variant).resources
        if one["kind"] in deploy_tools.KINDS
    ]
    assert {one["kind"] for one in resources} == set(deploy_tools.KINDS)
    broken = {**resources[-1], "spec": {}}
    assert broken["kind"] == "ScaledObject"
    try:
        assert deploy_tools.wrong_custom_resources(resources) == []
        assert deploy_tools.wrong_custom_resources([broken]) != []
    except StackUnavailable as error:
        pytest.skip(f"left out: {error}")


def test_the_worker_takes_the_settings_as_they_are_meant(full: Rendered) -> None:
    environment = {**full.environment, "KAFKA_PASSWORD": "secret"}
    loaded = load_worker(environ=environment)
    assert loaded.problems == ()
    worker = loaded.require()
    assert worker.worker_id == "search.shop-vecsink-0"
    assert worker.bootstrap_servers == "kafka:9092"
    assert worker.log_format == "json"
    assert worker.settings.storage_topic == "search.shop-vecsink-connectors"
    assert dict(worker.consumer)["fetch.max.bytes"] == "52428800"
    assert dict(worker.common)["sasl.password"] == "secret"


def test_the_connectors_of_the_folder_are_valid(full: Rendered, tmp_path: Path) -> None:
    for name, text in full.connector_files.items():
        (tmp_path / name).write_text(text)
    loaded = load([tmp_path], checks=CHECKS, environ={})
    assert loaded.problems == ()
    assert [one.name for one in loaded.connectors] == ["products"]
    assert loaded.connectors[0].batch.max_bytes == 52_428_800
    (mount,) = (one for one in full.container["volumeMounts"] if one["name"] == "connectors")
    assert full.container["args"] == ["run", mount["mountPath"]]


def test_a_pod_has_the_time_that_the_worker_takes_to_end(full: Rendered) -> None:
    worker = load_worker(environ={**full.environment, "KAFKA_PASSWORD": "secret"}).require()
    grace_s = full.pod["spec"]["terminationGracePeriodSeconds"]
    (_, wait_s) = full.container["lifecycle"]["preStop"]["exec"]["command"]
    assert grace_s >= int(wait_s) + worker.shutdown_timeout_s + 20
    readiness = full.container["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= grace_s


def test_kubernetes_asks_where_the_worker_listens(full: Rendered) -> None:
    worker = load_worker(environ={**full.environment, "KAFKA_PASSWORD": "secret"}).require()
    (listener,) = worker.listeners
    (port,) = full.container["ports"]
    assert (listener.host, listener.port) == ("", port["containerPort"])
    probes = {
        probe: full.container[probe]["httpGet"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert {probe["port"] for probe in probes.values()} == {port["name"]} == {"rest"}
    assert probes["livenessProbe"]["path"] == "/health/live"
    assert probes["readinessProbe"]["path"] == "/health/ready"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pod_may_do_nothing_that_it_need_not(
    rendered: Callable[[str], Rendered], variant: str
) -> None:
    pod, container = rendered(variant).pod["spec"], rendered(variant).container
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    writable = [one for one in container["volumeMounts"] if not one.get("readOnly")]
    assert {one["mountPath"] for one in writable} == {"/tmp", "/var/cache/vecsink"}
    user = next(
        line
        for line in (REPOSITORY / "deploy" / "Dockerfile").read_text().splitlines()
        if line.startswith("USER ")
    )
    assert user == f"USER {pod['securityContext']['runAsUser']}"


def test_everything_selects_the_pods_and_nothing_else_is_needed(full: Rendered) -> None:
    labels = full.pod["metadata"]["labels"].items()
    selectors = [
        full.of("StatefulSet")["spec"]["selector"]["matchLabels"],
        full.of("Service")["spec"]["selector"],
        full.of("Service", "shop-vecsink-pods")["spec"]["selector"],
        full.of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        full.of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *[
            one["labelSelector"]["matchLabels"]
            for one in full.pod["spec"]["topologySpreadConstraints"]
        ],
    ]
    assert all(selector.items() <= labels for selector in selectors)
    monitored = full.of("ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    services = [one for one in full.resources if one["kind"] == "Service"]
    found = [one for one in services if monitored <= one["metadata"]["labels"].items()]
    assert [one["metadata"]["name"] for one in found] == [
        full.of("StatefulSet")["spec"]["serviceName"]
    ]


def test_pods_reach_each_other_by_the_names_that_they_tell(full: Rendered) -> None:
    pods = full.of("Service", "shop-vecsink-pods")
    assert pods["spec"]["clusterIP"] == "None"
    assert pods["spec"]["publishNotReadyAddresses"] is True
    host = full.environment["CONNECT_REST_ADVERTISED_HOST_NAME"]
    assert host == f"shop-vecsink-0.{pods['metadata']['name']}.search.svc"


def test_secrets_are_named_and_not_held(full: Rendered) -> None:
    assert "Secret" not in full.kinds
    assert {"secretRef": {"name": "api-keys"}} in full.container["envFrom"]
    (volume,) = (one for one in full.pod["spec"]["volumes"] if "secret" in one)
    assert volume["secret"]["secretName"] == "kafka.certificates"
    (mount,) = (one for one in full.container["volumeMounts"] if one["name"] == volume["name"])
    assert mount == {
        "name": volume["name"],
        "mountPath": "/etc/vecsink/secrets/kafka.certificates",
        "readOnly": True,
    }


def test_a_gpu_takes_its_image_and_keeps_the_other_limits(full: Rendered) -> None:
    assert full.container["image"].endswith("-gpu")
    assert full.container["resources"]["limits"] == {"memory": "1Gi", "nvidia.com/gpu": 1}


def test_scaling_leaves_out_rows_that_more_pods_would_not_help(
    rendered: Callable[[str], Rendered], full: Rendered
) -> None:
    (trigger,) = full.of("ScaledObject")["spec"]["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"]["consumerGroup"] == "connect-products"
    assert trigger["metadata"]["excludePersistentLag"] == "true"
    assert "replicas" not in full.of("StatefulSet")["spec"]
    (asking,) = rendered("keda by prometheus").of("ScaledObject")["spec"]["triggers"]
    rules = yaml.safe_load((REPOSITORY / "deploy" / "alerts" / "vecsink.rules.yml").read_text())
    recorded = [
        rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule
    ]
    assert all(name in asking["metadata"]["query"] for name in recorded)
    metric = rendered("hpa").of("HorizontalPodAutoscaler")["spec"]["metrics"][0]["external"]
    assert metric["metric"]["name"] == "vecsink_consumer_lag_workable"
    assert rendered("default").of("StatefulSet")["spec"]["replicas"] == 2


def test_alerts_and_dashboard_are_those_of_the_repository(full: Rendered) -> None:
    text = (REPOSITORY / "deploy" / "alerts" / "vecsink.rules.yml").read_text()
    rules = full.of("PrometheusRule")["spec"]
    assert rules == yaml.safe_load(
        text.replace("docs/runbook.md#", "https://wiki.example.com/vecsink#")
    )
    board = full.of("ConfigMap", "shop-vecsink-dashboard")["data"]["vecsink.json"]
    dashboard = REPOSITORY / "deploy" / "grafana" / "vecsink.dashboard.json"
    assert json.loads(board) == json.loads(dashboard.read_text())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 3}, "replica"),
        ({"worker": {"listeners": "http://localhost:8083"}}, "listeners"),
        ({"worker": {"log.format": ["json"]}}, "log.format"),
        ({"autoscaling": {"mode": "fast"}}, "mode"),
        ({"autoscaling": {"mode": "keda"}}, "needs connectors"),
        ({"connectors": {"a b": {}}}, "a b"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(helm: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(RenderError, match=said):
        render(helm, values)


def test_the_values_of_the_documentation_are_taken(helm: str, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "deploy.md").read_text()
    found = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    values = [one for one in found if isinstance(one, dict)]
    assert len(values) == 3
    for one in values:
        rendered = render(helm, one)
        loaded_worker = load_worker(environ={**rendered.environment, "KAFKA_PASSWORD": "secret"})
        assert loaded_worker.problems == ()
        for name, text in rendered.connector_files.items():
            (tmp_path / name).write_text(text)
            keys = {"COHERE_API_KEY": "secret", "PINECONE_API_KEY": "secret"}
            worker = loaded_worker.require()
            loaded = load([tmp_path / name], worker=worker, checks=CHECKS, environ=keys)
            assert loaded.problems == ()
