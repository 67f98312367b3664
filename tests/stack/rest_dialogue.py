"""One long conversation with a Connect REST API, the same with every server, and what it gave."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NAME = "alike"
_WAIT_S = 40.0
_REQUEST_S = 40.0
_JSON = {"content-type": "application/json"}
_FREE = frozenset({"config", "topics"})
"""Below these keys stand a connector's own settings, or its topics."""
ANYTHING = "…"
"""The shape of values, of which only that there is one counts."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``{plugin}`` in it is the connector's class; ``CONFIG`` its config."""

    request: str
    """Method and path."""
    body: object = None
    """For JSON; bytes go as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    """Where method and path alone do not say what is asked."""
    has_names: bool = False
    """Whether the keys of the answer are names, of connectors or loggers or settings."""

    @property
    def id(self) -> str:
        """For people."""
        return f"{self.request} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when the connector's status is so; a connector that is gone has no states."""

    connector: str
    tasks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be compared of an answer."""

    status: int
    shape: object
    """Keys without values; None where nothing can be known."""
    message: str = ""
    """Of an error."""


def config(**changes: object) -> Callable[[Mapping[str, str]], dict[str, object]]:
    """A body: the server's config with changes; None leaves a setting out, NULL makes it null."""
    named = {key.replace("_", "."): value for key, value in changes.items()}

    def body(base: Mapping[str, str]) -> dict[str, object]:
        merged = {**base, **named}
        kept = {key: value for key, value in merged.items() if value is not None}
        return {key: None if value is NULL else value for key, value in kept.items()}

    return body


def named(name: str, /, **changes: object) -> Callable[[Mapping[str, str]], dict[str, object]]:
    """A body that makes a connector."""
    return lambda base: {"name": name, "config": config(**changes)(base)}


NULL = object()
RUNNING, PAUSED, GONE = frozenset({"RUNNING"}), frozenset({"PAUSED"}), frozenset[str]()
VALIDATE = "PUT /connector-plugins/{plugin}/config/validate"
ALTER = f"PATCH /connectors/{NAME}/offsets"
HERE = {"kafka_topic": "alike", "kafka_partition": 0}
CHANGE = {"offsets": [{"partition": HERE, "offset": {"kafka_offset": 0}}]}


def change(partition: object, offset: object) -> dict[str, object]:
    """The body of a change of offsets."""
    return {"offsets": [{"partition": partition, "offset": offset}]}


STRANGERS: tuple[Ask, ...] = (
    Ask("GET /connectors/nobody"),
    Ask("GET /connectors/nobody/config"),
    Ask("GET /connectors/nobody/status"),
    Ask("GET /connectors/nobody/tasks"),
    Ask("GET /connectors/nobody/tasks-config"),
    Ask("GET /connectors/nobody/topics"),
    Ask("GET /connectors/nobody/offsets"),
    Ask("GET /connectors/nobody/tasks/0/status"),
    Ask("GET /connectors/a%2Fb/status"),
    Ask("GET /connectors//status"),
    Ask("DELETE /connectors/nobody"),
    Ask("PUT /connectors/nobody/pause"),
    Ask("PUT /connectors/nobody/resume"),
    Ask("PUT /connectors/nobody/stop"),
    Ask("PUT /connectors/nobody/topics/reset"),
    Ask("POST /connectors/nobody/restart"),
    Ask("POST /connectors/nobody/restart?includeTasks=true"),
    Ask("POST /connectors/nobody/tasks/0/restart"),
    Ask("PATCH /connectors/nobody/config", {}),
    Ask("PATCH /connectors/nobody/offsets", CHANGE),
    Ask("DELETE /connectors/nobody/offsets"),
)
MISTAKES: tuple[Ask, ...] = (
    Ask("POST /connectors", b"{", name="half a body"),
    Ask("POST /connectors", b"", name="no body"),
    Ask("POST /connectors", b"null", name="null"),
    Ask("POST /connectors", [], name="a list"),
    Ask("POST /connectors", {"name": "x", "config": {}, "colour": 1}, name="unknown field"),
    Ask("POST /connectors", {"name": "x"}, name="no config"),
    Ask("POST /connectors", {"name": "x", "config": {}}, name="empty config"),
    Ask("POST /connectors", named("x"), {"content-type": "text/plain"}, "as text"),
    Ask("POST /connectors", named("x"), {"content-type": ""}, "without a type"),
    Ask("POST /connectors", named("x", name="y"), name="two names"),
    Ask("POST /connectors", lambda base: {"config": dict(base)}, name="no name"),
    Ask("POST /connectors", named("in two"), name="a space in a name"),
    Ask("DELETE /connectors/in%20two"),
    Ask("POST /connectors", named("x", connector_class="no.Such"), name="unknown class"),
    Ask("POST /connectors", named("x", tasks_max="many"), name="no number"),
    Ask("POST /connectors", named("x", topics=None), name="no topics"),
    Ask("POST /connectors", named("x", topics=NULL), name="topics null"),
    Ask(
        "POST /connectors",
        lambda base: {"name": "x", "config": dict(base), "initial_state": "ASLEEP"},
        name="unknown state",
    ),
    Ask("PUT /connectors/x/config", b"{", name="half a body"),
    Ask("PUT /connectors/x/config", {"topics": ["a"]}, name="a list as a value"),
    Ask("PUT /connectors/x/config", config(name="y"), name="two names"),
    Ask("PUT /connectors/x/config", config(connector_class=None), name="no class"),
    Ask("PUT /connectors/x/config", config(tasks_max="0"), name="too low"),
    Ask("PUT /connectors/x/config", config(), {"content-type": "text/plain"}, "as text"),
    Ask("GET /nowhere"),
    Ask("GET /connectors/x/nowhere"),
    Ask("DELETE /connectors"),
    Ask("POST /connectors/x/config", {}),
    Ask("POST /health"),
    Ask("GET /connectors", headers={"accept": "text/html"}, name="as HTML"),
    Ask("GET /connectors", headers={"accept": "text/html, */*;q=0.1"}, name="as HTML or anything"),
)
PLUGINS: tuple[Ask, ...] = (
    Ask("GET /connector-plugins"),
    Ask("GET /connector-plugins/"),
    Ask("GET /connector-plugins?connectorsOnly=true"),
    Ask("GET /connector-plugins?connectorsOnly=false"),
    Ask("GET /connector-plugins/{plugin}/config"),
    Ask("GET /connector-plugins/NoSuch/config"),
    Ask("PUT /connector-plugins/{plugin}/config/validate", config(name="x"), name="good"),
    Ask("PUT /connector-plugins/{plugin}/config/validate", config(tasks_max="x"), name="wrong"),
    Ask(
        "PUT /connector-plugins/{plugin}/config/validate",
        config(connector_class=None),
        name="no class",
    ),
    Ask("PUT /connector-plugins/NoSuch/config/validate", config(), name="another plugin"),
    Ask(
        "PUT /connector-plugins/NoSuch/config/validate",
        config(connector_class="NoSuch"),
        name="unknown class",
    ),
    Ask("GET /connector-plugins/JsonConverter/config"),
    Ask(VALIDATE, b"{", name="half a body"),
)
LOGGERS: tuple[Ask, ...] = (
    Ask("GET /admin/loggers", has_names=True),
    Ask("GET /admin/loggers/", has_names=True),
    Ask("GET /admin/loggers/root"),
    Ask("GET /admin/loggers/ROOT"),
    Ask("GET /admin/loggers/no.such"),
    Ask("PUT /admin/loggers/root", {"level": "ALL"}, name="all"),
    Ask("PUT /admin/loggers/root", {"level": "WARN"}, name="back"),
    Ask("PUT /admin/loggers/some.new", {"level": "warn"}),
    Ask("PUT /admin/loggers/some.new?scope=cluster", {"level": "ERROR"}),
    Ask("PUT /admin/loggers/some.new?scope=moon", {"level": "ERROR"}),
    Ask("GET /admin/loggers/some.new"),
    Ask("PUT /admin/loggers/some.new", {"level": "LOUD"}, name="unknown level"),
    Ask("PUT /admin/loggers/some.new", {}, name="no level"),
)
ROOT: tuple[Ask, ...] = (
    Ask("GET /"),
    Ask("GET /health"),
    Ask("GET /connectors/"),
    Ask("GET /connectors?expand=nothing", has_names=True),
    Ask("HEAD /connectors"),
    Ask("HEAD /connectors/nobody"),
    Ask("OPTIONS /connectors"),
    Ask("OPTIONS /nowhere"),
)
LIFE: tuple[Ask | Wait, ...] = (
    Ask("POST /connectors/", named(NAME), name="create"),
    Wait(NAME, RUNNING),
    Ask("POST /connectors", named(NAME), name="again"),
    Ask("GET /connectors"),
    Ask("GET /connectors?expand=info", has_names=True),
    Ask("GET /connectors?expand=status", has_names=True),
    Ask("GET /connectors?expand=info&expand=status", has_names=True),
    Ask(f"GET /connectors/{NAME}"),
    Ask(f"GET /connectors/{NAME}/"),
    Ask(f"GET /connectors/{NAME}/config", has_names=True),
    Ask(f"GET /connectors/{NAME}/status"),
    Ask(f"GET /connectors/{NAME}/tasks"),
    Ask(f"GET /connectors/{NAME}/tasks/0/status"),
    Ask(f"GET /connectors/{NAME}/tasks/9/status"),
    Ask(f"GET /connectors/{NAME}/tasks/one/status"),
    Ask(f"GET /connectors/{NAME}/tasks/-1/status"),
    Ask(f"GET /connectors/{NAME}/topics"),
    Ask(f"PUT /connectors/{NAME}/topics/reset"),
    Ask(f"GET /connectors/{NAME}/offsets"),
    Ask(ALTER, CHANGE, name="while it runs"),
    Ask(f"DELETE /connectors/{NAME}/offsets", name="while it runs"),
    Ask(f"POST /connectors/{NAME}/restart"),
    Ask(f"POST /connectors/{NAME}/restart?includeTasks=False&onlyFailed=False"),
    Ask(f"POST /connectors/{NAME}/restart?includeTasks=false&onlyFailed=true"),
    Ask(f"POST /connectors/{NAME}/restart?includeTasks=true&onlyFailed=false"),
    Wait(NAME, RUNNING),
    Ask(f"POST /connectors/{NAME}/tasks/0/restart"),
    Ask(f"POST /connectors/{NAME}/tasks/9/restart"),
    Ask(f"POST /connectors/{NAME}/tasks/one/restart"),
    Wait(NAME, RUNNING),
    Ask(f"PUT /connectors/{NAME}/config", config(tasks_max=1), name="replace"),
    Ask(f"PATCH /connectors/{NAME}/config", {"errors.tolerance": "all", "x": None}),
    Ask(f"PATCH /connectors/{NAME}/config", {"tasks.max": "x"}, name="wrong"),
    Ask(f"PATCH /connectors/{NAME}/config", {"name": "y"}, name="another name"),
    Wait(NAME, RUNNING),
    Ask(f"PUT /connectors/{NAME}/pause"),
    Wait(NAME, PAUSED),
    Ask(f"PUT /connectors/{NAME}/pause", name="again"),
    Ask(f"GET /connectors/{NAME}/status", name="paused"),
    Ask(f"PUT /connectors/{NAME}/resume"),
    Wait(NAME, RUNNING),
    Ask(f"PUT /connectors/{NAME}/stop"),
    Wait(NAME, GONE),
    Ask(f"GET /connectors/{NAME}/status", name="stopped"),
    Ask(f"GET /connectors/{NAME}/tasks", name="stopped"),
    Ask(ALTER, b"{", name="half a body"),
    Ask(ALTER, {}, name="nothing"),
    Ask(ALTER, {"offsets": []}, name="an empty list"),
    Ask(ALTER, {"content": []}, name="unknown field"),
    Ask(ALTER, change(None, None), name="no partition"),
    Ask(ALTER, change({"topic": "t"}, None), name="no topic"),
    Ask(
        f"PATCH /connectors/{NAME}/offsets",
        change({**HERE, "kafka_topic": None}, None),
        name="topic null",
    ),
    Ask(
        f"PATCH /connectors/{NAME}/offsets",
        change({**HERE, "kafka_partition": None}, None),
        name="partition null",
    ),
    Ask(
        f"PATCH /connectors/{NAME}/offsets",
        change({**HERE, "kafka_partition": "x"}, None),
        name="partition x",
    ),
    Ask(ALTER, change(HERE, {}), name="no offset"),
    Ask(ALTER, change(HERE, {"kafka_offset": "x"}), name="offset x"),
    Ask(ALTER, change(HERE, {"kafka_offset": None}), name="offset null"),
    Ask(ALTER, change(HERE, {"kafka_offset": 99999}), name="beyond the end"),
    Ask(ALTER, change({**HERE, "kafka_partition": 9}, None), name="no such partition"),
    Ask(ALTER, CHANGE, name="stopped"),
    Ask(f"GET /connectors/{NAME}/offsets", name="changed"),
    Ask(ALTER, change(HERE, None), name="forget one"),
    Ask(f"DELETE /connectors/{NAME}/offsets", name="stopped"),
    Ask(f"GET /connectors/{NAME}/offsets", name="forgotten"),
    Ask(f"DELETE /connectors/{NAME}"),
    Ask(f"GET /connectors/{NAME}", name="deleted"),
    Ask(f"DELETE /connectors/{NAME}", name="again"),
    Ask("PUT /connectors/other/config", config(), name="create"),
    Ask("DELETE /connectors/other"),
    Ask("POST /connectors", lambda base: {**named("held")(base), "initial_state": "paused"}),
    Ask("DELETE /connectors/held"),
)
DIALOGUE: tuple[Ask | Wait, ...] = (*ROOT, *STRANGERS, *MISTAKES, *PLUGINS, *LOGGERS, *LIFE)


def hold(url: str, plugin: str, base: Mapping[str, str]) -> dict[str, Answer]:
    """The whole conversation with one server: its answers by ``Ask.id``."""
    answers: dict[str, Answer] = {}
    once = httpx.Limits(max_keepalive_connections=0)  # Jetty closes some after a refusal
    with httpx.Client(base_url=url, timeout=_REQUEST_S, limits=once) as client:
        for step in DIALOGUE:
            if isinstance(step, Wait):
                _wait(client, step)
            else:
                assert step.id not in answers, step.id
                answers[step.id] = _answer(step, _sent(client, step, plugin, base))
    return answers


def _sent(client: httpx.Client, step: Ask, plugin: str, base: Mapping[str, str]) -> httpx.Response:
    """Again where the answer asks for it, as every client does."""
    method, path = step.request.format(plugin=plugin).split(" ")
    body = step.body(base) if callable(step.body) else step.body
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
    headers = {**({} if content is None else _JSON), **step.headers}
    headers = {name: value for name, value in headers.items() if value}
    deadline = time.monotonic() + _WAIT_S
    while True:
        answer = client.request(method, path, content=content, headers=headers)
        if not _may_be_retried(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def _may_be_retried(answer: httpx.Response) -> bool:
    """While tasks move, or are still in the group whose offsets are to change."""
    moves = answer.status_code == httpx.codes.CONFLICT and "exists" not in answer.text
    return moves or (answer.is_server_error and "haven't stopped completely" in answer.text)


def _wait(client: httpx.Client, step: Wait) -> None:
    deadline = time.monotonic() + _WAIT_S
    found: Any = None
    while time.monotonic() < deadline:
        answer = client.get(f"/connectors/{step.connector}/status")
        found = answer.json()
        if answer.is_success and {one["state"] for one in found["tasks"]} == step.tasks:
            return
        time.sleep(0.1)
    raise TimeoutError(f"{step.connector} is still {found}")


def _answer(step: Ask, answer: httpx.Response) -> Answer:
    body = _body(answer)
    message = str(body.get("message", "")) if isinstance(body, dict) and answer.is_error else ""
    if step.has_names and isinstance(body, dict) and answer.is_success:
        return Answer(answer.status_code, shape(list(body.values())))
    return Answer(answer.status_code, shape(body), message)


def _body(answer: httpx.Response) -> object:
    """JSON, or text that is none."""
    try:
        return answer.json() if answer.content else None
    except ValueError:
        return answer.text


def shape(value: object) -> object:
    """Keys instead of values; a list has the keys of all its members."""
    if isinstance(value, dict):
        return {key: ANYTHING if key in _FREE else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [merged([shape(item) for item in value])]
    return ANYTHING


def merged(shapes: Sequence[object]) -> object:
    """All keys of several shapes; None of none."""
    maps = [one for one in shapes if isinstance(one, dict)]
    if not maps:
        return shapes[0] if shapes else None
    keys = dict.fromkeys(key for one in maps for key in one)
    return {key: merged([one[key] for one in maps if key in one]) for key in keys}


def differences(theirs: object, ours: object, at: str = "$") -> list[str]:
    """Keys that only one side has; an empty list is like any other."""
    if theirs is None or ours is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        missing = [f"{at}.{key} is missing" for key in theirs.keys() - ours.keys()]
        more = [f"{at}.{key} is too much" for key in ours.keys() - theirs.keys()]
        common = [key for key in theirs if key in ours]
        deeper = [differences(theirs[key], ours[key], f"{at}.{key}") for key in common]
        return sorted(missing + more) + [one for found in deeper for one in found]
    if isinstance(theirs, list) and isinstance(ours, list):
        return differences(theirs[0], ours[0], f"{at}[]")
    return [] if type(theirs) is type(ours) else [f"{at}: {theirs} and {ours}"]
