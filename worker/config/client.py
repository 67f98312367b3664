"""Kafka client properties as people know them from Java, in librdkafka's words.

Both families share most names. What only Java knows is translated, ignored with a warning, or
refused with the way out; what vecsink must decide by itself cannot be overridden.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.config.librdkafka import KNOWN, complaint
from worker.config.problem import Problem, Severity, nearest
from worker.immutable import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PropertyValue = str | int | float | bool


class ClientProperties(dict[str, PropertyValue]):
    """Properties of one Kafka client. A dict, as confluent-kafka wants; shows names only."""

    def __repr__(self) -> str:
        return f"ClientProperties({', '.join(sorted(self))})"

    __str__ = __repr__


class ClientKind(StrEnum):
    """Which client the properties are for; the value is their prefix."""

    CONSUMER = "consumer"
    PRODUCER = "producer"
    ADMIN = "admin"
    COMMON = "common"
    """All three."""


OWNED = {
    ClientKind.CONSUMER: {
        "enable.auto.commit": "offsets are committed after the write",
        "auto.commit.interval.ms": "offsets are committed after the write",
        "enable.auto.offset.store": "offsets are committed after the write",
        "enable.partition.eof": "vecsink needs it to know when it has caught up",
        "partition.assignment.strategy": "vecsink rebalances cooperatively",
    },
    ClientKind.PRODUCER: {
        "acks": "dead letters must be confirmed by all replicas",
        "request.required.acks": "dead letters must be confirmed by all replicas",
        "enable.idempotence": "dead letters are written once",
        "transactional.id": "dead letters are not written in transactions",
        "partitioner": "dead letters are partitioned as Java does",
    },
    ClientKind.ADMIN: {},
    ClientKind.COMMON: {},
}
"""What vecsink decides, and why."""

_SAME_WITH_OTHER_NAME = {
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.request.size": "message.max.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms": "socket.connection.setup.timeout.ms",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.truststore.certificates": "ssl.ca.pem",
}
_IGNORED = {
    "max.poll.records": "vecsink bounds what it holds by max.buffered.rows",
    "default.api.timeout.ms": "librdkafka has no such limit",
    "max.block.ms": "vecsink never blocks on its producer",
    "buffer.memory": "vecsink bounds what it holds by max.buffered.bytes",
    "exclude.internal.topics": "internal topics are never read by a pattern",
    "metric.reporters": "a Java class",
    "metrics.num.samples": "a setting of Java metrics",
    "metrics.recording.level": "a setting of Java metrics",
    "metrics.sample.window.ms": "a setting of Java metrics",
    "auto.include.jmx.reporter": "a setting of Java metrics",
    "key.deserializer": "key.converter decides",
    "value.deserializer": "value.converter decides",
    "key.serializer": "dead letters keep their bytes",
    "value.serializer": "dead letters keep their bytes",
    "partitioner.class": "dead letters are partitioned as Java does",
    "ssl.protocol": "librdkafka takes OpenSSL's default",
    "ssl.enabled.protocols": "librdkafka takes OpenSSL's default",
    "ssl.provider": "a setting of Java security",
    "ssl.trustmanager.algorithm": "a setting of Java security",
    "ssl.keymanager.algorithm": "a setting of Java security",
    "ssl.truststore.password": "PEM certificates have none",
}
_NO_HANDLER = (
    "a Java class cannot run here: use sasl.oauthbearer.method=oidc and sasl.oauthbearer.*"
)
_REFUSED = {
    "interceptor.classes": "Java interceptors cannot run here; leave it out",
    "sasl.login.callback.handler.class": _NO_HANDLER,
    "sasl.client.callback.handler.class": _NO_HANDLER,
    "sasl.login.class": "a Java class cannot run here",
    "security.providers": "a Java class cannot run here",
    "ssl.engine.factory.class": "a Java class cannot run here: use ssl.ca.location",
}
_JAAS_USER = re.compile(
    r"\b(username|password)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\s;]+))"
)
_STORE_TYPES = {"ssl.truststore.type", "ssl.keystore.type"}
_TRANSLATED = {
    "ssl.truststore.location",
    "ssl.keystore.location",
    "sasl.jaas.config",
} | _STORE_TYPES


@immutable
class Translation:
    """Java's or librdkafka's properties in librdkafka's words, and what was wrong with them."""

    properties: ClientProperties
    problems: tuple[Problem, ...]


def translate(kind: ClientKind, given: Mapping[str, str], *, prefix: str, file: str) -> Translation:
    """Translate properties whose ``prefix`` (such as ``consumer.override.``) is already off.

    Problems never show a value: whether one is a secret cannot be known by its name alone.
    """
    properties = ClientProperties()
    problems: list[Problem] = []
    for name, value in given.items():
        outcome = _one(kind, name, value, given)
        if isinstance(outcome, _Complaint):
            problems.append(outcome.about(prefix + name, prefix, file))
            continue
        properties.update(outcome)
        for translated, text in outcome.items():
            reason = complaint(translated, text)
            if reason is not None:
                problems.append(Problem(file, prefix + name, None, reason))
    return Translation(properties, tuple(problems))


@immutable
class _Complaint:
    expected: str
    severity: Severity = Severity.ERROR
    suggestion: str | None = None

    def about(self, key: str, prefix: str, file: str) -> Problem:
        near = None if self.suggestion is None else prefix + self.suggestion
        return Problem(file, key, None, self.expected, near, self.severity)


def _one(
    kind: ClientKind, name: str, value: str, given: Mapping[str, str]
) -> Mapping[str, str] | _Complaint:
    """What becomes of one property."""
    complaint = _unwanted(kind, name)
    if complaint is not None:
        return complaint
    if name in _TRANSLATED:
        return _java_security(name, value, given)
    translated = _SAME_WITH_OTHER_NAME.get(name, name)
    if translated not in KNOWN:
        known = KNOWN | _SAME_WITH_OTHER_NAME.keys()
        return _Complaint("unknown Kafka client property", suggestion=nearest(name, known))
    return {translated: _java_value(translated, value)}


def _unwanted(kind: ClientKind, name: str) -> _Complaint | None:
    if name in OWNED[kind]:
        return _Complaint(f"cannot be set: {OWNED[kind][name]}")
    if name in _REFUSED:
        return _Complaint(_REFUSED[name])
    if name in _IGNORED:
        return _Complaint(f"ignored: {_IGNORED[name]}", Severity.WARNING)
    return None


def _java_value(name: str, value: str) -> str:
    """Values that mean the same and are spelt differently."""
    if name == "ssl.endpoint.identification.algorithm" and not value:
        return "none"
    if name == "auto.offset.reset" and value == "none":
        return "error"
    return value


def _java_security(
    name: str, value: str, given: Mapping[str, str]
) -> Mapping[str, str] | _Complaint:
    if name == "sasl.jaas.config":
        return _jaas(value)
    if name in _STORE_TYPES:
        return _store_type(name, value)
    is_pem = given.get(name.replace(".location", ".type"), "").upper() == "PEM"
    if name == "ssl.keystore.location":
        return _key_store(value, given, is_pem=is_pem)
    if is_pem:
        return {"ssl.ca.location": value}
    return _Complaint("Java trust stores cannot be read here: use ssl.ca.location, a PEM file")


def _key_store(
    path: str, given: Mapping[str, str], *, is_pem: bool
) -> Mapping[str, str] | _Complaint:
    if is_pem:
        return {"ssl.certificate.location": path, "ssl.key.location": path}
    if path.lower().endswith((".p12", ".pfx")) or _is_pkcs12(given):
        return {"ssl.keystore.location": path}
    return _Complaint(
        "only PKCS#12 key stores can be read here: use ssl.certificate.location and "
        "ssl.key.location, PEM files, or a .p12"
    )


def _is_pkcs12(given: Mapping[str, str]) -> bool:
    return given.get("ssl.keystore.type", "").upper() == "PKCS12"


def _store_type(name: str, value: str) -> Mapping[str, str] | _Complaint:
    kinds = {"PEM"} if name == "ssl.truststore.type" else {"PEM", "PKCS12"}
    if value.upper() in kinds:
        return {}
    return _Complaint(f"{' or '.join(sorted(kinds))}: Java key stores cannot be read here")


def _jaas(value: str) -> Mapping[str, str] | _Complaint:
    """User and password of a PLAIN or SCRAM login; others cannot be translated."""
    if "PlainLoginModule" not in value and "ScramLoginModule" not in value:
        return _Complaint(
            "only PlainLoginModule and ScramLoginModule can be translated: use sasl.username and "
            "sasl.password, sasl.oauthbearer.* or sasl.kerberos.*"
        )
    found = dict(_jaas_options(value))
    if found.keys() != {"username", "password"}:
        return _Complaint('expected username="…" and password="…"')
    return {"sasl.username": found["username"], "sasl.password": found["password"]}


def _jaas_options(value: str) -> Iterator[tuple[str, str]]:
    for option in _JAAS_USER.finditer(value):
        quoted = None if option[2] is None else re.sub(r"\\(.)", r"\1", option[2])
        yield option[1], next(text for text in (quoted, option[3], option[4]) if text is not None)
