"""Kafka client properties: Java's names in librdkafka's words."""

from __future__ import annotations

import pytest

from worker.config.client import OWNED, ClientKind, Translation, translate
from worker.config.librdkafka import KNOWN, complaint
from worker.config.problem import Severity

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def consumer(given: dict[str, str]) -> Translation:
    return translate(ClientKind.CONSUMER, given, prefix="consumer.override.", file="x.json")


@pytest.mark.parametrize(
    ("java", "librdkafka"),
    [
        ({"max.poll.interval.ms": "1000"}, {"max.poll.interval.ms": "1000"}),
        ({"fetch.max.wait.ms": "5"}, {"fetch.wait.max.ms": "5"}),
        ({"receive.buffer.bytes": "5"}, {"socket.receive.buffer.bytes": "5"}),
        ({"auto.offset.reset": "none"}, {"auto.offset.reset": "error"}),
        ({"auto.offset.reset": "latest"}, {"auto.offset.reset": "latest"}),
        (
            {"ssl.endpoint.identification.algorithm": ""},
            {"ssl.endpoint.identification.algorithm": "none"},
        ),
        (
            {"ssl.truststore.location": "/ca.pem", "ssl.truststore.type": "PEM"},
            {"ssl.ca.location": "/ca.pem"},
        ),
        ({"ssl.truststore.certificates": "-----B"}, {"ssl.ca.pem": "-----B"}),
        (
            {"ssl.keystore.location": "/k.pem", "ssl.keystore.type": "PEM"},
            {"ssl.certificate.location": "/k.pem", "ssl.key.location": "/k.pem"},
        ),
        (
            {"ssl.keystore.location": "/k.p12", "ssl.keystore.password": "x"},
            {"ssl.keystore.location": "/k.p12", "ssl.keystore.password": "x"},
        ),
        (
            {"ssl.keystore.location": "/k", "ssl.keystore.type": "PKCS12"},
            {"ssl.keystore.location": "/k"},
        ),
    ],
)
def test_names_and_values_are_translated(java: dict[str, str], librdkafka: dict[str, str]) -> None:
    translation = consumer(java)
    assert translation.problems == ()
    assert dict(translation.properties) == librdkafka


@pytest.mark.parametrize(
    "jaas",
    [
        _PLAIN + ' required username="me" password="p\\"w;=";',
        _SCRAM + " required\n  password='p\"w;='\n username=me;",
    ],
)
def test_a_login_of_plain_or_scram_becomes_user_and_password(jaas: str) -> None:
    translation = consumer({"sasl.mechanism": "PLAIN", "sasl.jaas.config": jaas})
    assert dict(translation.properties) == {
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": 'p"w;=',
    }


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        ({"ssl.truststore.location": "/t.jks"}, "ssl.ca.location"),
        ({"ssl.truststore.type": "JKS"}, "PEM"),
        ({"ssl.keystore.location": "/k.jks"}, "ssl.certificate.location"),
        ({"sasl.jaas.config": "x.OAuthBearerLoginModule required;"}, "sasl.oauthbearer"),
        ({"sasl.jaas.config": 'a.PlainLoginModule required username="a";'}, "password"),
        ({"sasl.login.callback.handler.class": "x.Y"}, "sasl.oauthbearer"),
        ({"interceptor.classes": "x.Y"}, "leave it out"),
    ],
)
def test_what_needs_java_is_refused_with_the_way_out(given: dict[str, str], way_out: str) -> None:
    (found,) = consumer(given).problems
    assert found.is_error
    assert found.key == f"consumer.override.{next(iter(given))}"
    assert way_out in found.expected


def test_what_means_nothing_here_is_ignored_with_a_warning() -> None:
    translation = consumer({"max.poll.records": "500"})
    (found,) = translation.problems
    assert found.severity is Severity.WARNING
    assert "max.buffered.rows" in found.expected
    assert not translation.properties


@pytest.mark.parametrize("kind", [ClientKind.CONSUMER, ClientKind.PRODUCER])
def test_what_vecsink_decides_cannot_be_set(kind: ClientKind) -> None:
    given = dict.fromkeys(OWNED[kind], "true")
    translation = translate(kind, given, prefix="p.", file="x")
    assert {one.key for one in translation.problems} == {f"p.{name}" for name in OWNED[kind]}
    assert all(one.is_error for one in translation.problems)
    assert not translation.properties


def test_a_mistyped_name_is_an_error_with_the_nearest_one() -> None:
    (found,) = consumer({"sesion.timeout.ms": "1"}).problems
    assert found.suggestion == "consumer.override.session.timeout.ms"


@pytest.mark.parametrize("name", sorted(KNOWN - {"plugin.library.paths"}))
def test_every_known_name_is_one_of_librdkafka(name: str) -> None:
    reason = complaint(name, "1")
    assert reason is None or "No such configuration property" not in reason


def test_a_name_that_librdkafka_does_not_have_is_told() -> None:
    assert "No such configuration property" in str(complaint("no.such.thing", "1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session.timeout.ms", "soon"),
        ("socket.timeout.ms", "1"),
        ("auto.offset.reset", "earlyest"),
        ("security.protocol", "TLS"),
    ],
)
def test_a_value_that_librdkafka_does_not_take_is_an_error(name: str, value: str) -> None:
    (found,) = consumer({name: value}).problems
    assert found.is_error
    assert found.key == f"consumer.override.{name}"
    assert name in found.expected


def test_security_protocols_are_named() -> None:
    (found,) = consumer({"security.protocol": "SASL"}).problems
    assert found.expected.endswith(": expected plaintext, ssl, sasl_plaintext or sasl_ssl")
