"""Rules that join several keys of one connector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.config.budget import PRICE_KEY
from worker.config.converter import ConverterFormat
from worker.config.parse import keys_of
from worker.config.problem import Problem, Severity
from worker.config.reselect import ReselectSettings
from worker.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.config.connector import ConnectorConfig
    from worker.config.converter import ConverterSettings

_DLQ_KEY = "errors.deadletterqueue.topic.name"
_LIMIT_KEYS = ("dlq.limit", "dlq.max.replays")
_NO_LETTERS = "has no effect: errors.tolerance is none, so the first bad record fails"
_LEAST_CHUNK = 32
"""No single character has more tokens, so that a chunk can always be kept within its bound."""
_RESELECT_URL = "reselect.url"
_RESELECT_KEYS = frozenset(keys_of(ReselectSettings))


def check(config: ConnectorConfig, wrong: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """All mistakes that show only when keys are read together.

    A rule is not asked if a key that it reads is ``wrong`` by itself.
    """
    for rule, keys in _RULES.items():
        if wrong.isdisjoint(keys):
            yield from rule(config)
    for side, converter in (("key.", config.key_converter), ("value.", config.value_converter)):
        if not any(key.startswith(f"{side}converter") for key in wrong):
            yield from _converter(config, side, converter)


def _problem(
    config: ConnectorConfig, key: str, expected: str, severity: Severity = Severity.ERROR
) -> Problem:
    shown = None if key in config.secret_keys else config.raw.get(key)
    return Problem(config.file, key, shown, expected, severity=severity)


def _topics(config: ConnectorConfig) -> Iterator[Problem]:
    """The messages are Connect's (``SinkConnectorConfig.validate``), as its clients know them."""
    has_names, has_regex = bool(config.connector.topics), bool(config.connector.topics_regex)
    if not has_names and not has_regex:
        yield _problem(config, "topics", "Must configure one of topics or topics.regex")
    if has_names and has_regex:
        yield _problem(
            config,
            "topics.regex",
            "topics and topics.regex are mutually exclusive options, but both are set.",
        )


def _dead_letters(config: ConnectorConfig) -> Iterator[Problem]:
    key = _DLQ_KEY
    given = config.raw.get(key)
    if config.errors.tolerance == "none":
        if given:
            yield _problem(config, key, _NO_LETTERS, Severity.WARNING)
        return
    if given == "":
        yield _problem(config, key, "expected a topic name: no record is dropped silently")
    topic = config.dlq_topic or ""
    if topic in config.connector.topics:
        read = ",".join(config.connector.topics)
        yield _problem(
            config,
            key,
            f"The DLQ topic '{topic}' may not be included in the list of topics "
            f"('topics=[{read}]') consumed by the connector",
        )
    elif config.connector.topics_regex and re.fullmatch(config.connector.topics_regex, topic):
        yield _problem(
            config,
            key,
            f"The DLQ topic '{topic}' may not be included in the regex matching the topics "
            f"('topics.regex={config.connector.topics_regex}') consumed by the connector",
        )


def _letter_limits(config: ConnectorConfig) -> Iterator[Problem]:
    if config.errors.tolerance == "none":
        for key in _LIMIT_KEYS:
            if config.raw.get(key):
                yield _problem(config, key, _NO_LETTERS, Severity.WARNING)


def _document(config: ConnectorConfig) -> Iterator[Problem]:
    has_fields, has_template = bool(config.document.fields), bool(config.document.template)
    if has_fields and has_template:
        yield _problem(config, "document.template", "either document.fields or document.template")
    if not has_fields and not has_template:
        yield _problem(config, "document.fields", "document.fields or document.template is needed")


def _chunks(config: ConnectorConfig) -> Iterator[Problem]:
    """An overlap of more than half would embed every text more than twice."""
    tokens, overlap = config.document.chunk_tokens, config.document.chunk_overlap
    if 0 < tokens < _LEAST_CHUNK:
        yield _problem(config, "document.chunk.tokens", f"0, or at least {_LEAST_CHUNK}")
    if tokens == 0 and overlap:
        expected = "no overlap without document.chunk.tokens"
        yield _problem(config, "document.chunk.overlap", expected)
    elif overlap * 2 > tokens:
        expected = f"at most {tokens // 2}, half of document.chunk.tokens"
        yield _problem(config, "document.chunk.overlap", expected)
    if tokens == 0 and config.document.overlong == "chunk":
        expected = "document.chunk.tokens beside it, which says how large a chunk is"
        yield _problem(config, "document.overlong", expected)


def _converter(
    config: ConnectorConfig, side: str, converter: ConverterSettings
) -> Iterator[Problem]:
    key = f"{side}converter.schema.registry.url"
    if converter.format is not ConverterFormat.AVRO:
        return
    if not converter.urls:
        yield _problem(config, key, "required for Avro: the URL of the schema registry")
        return
    has_certificates = converter.ssl_ca_location or converter.ssl_certificate_location
    if has_certificates and not any(url.startswith("https:") for url in converter.urls):
        yield _problem(config, key, "https://, as certificates are set", Severity.WARNING)


def _bounds(config: ConnectorConfig) -> Iterator[Problem]:
    batch = config.batch
    if batch.max_rows > batch.buffered_rows:
        most = f"at most max.buffered.rows ({batch.buffered_rows})"
        yield _problem(config, "batch.max.rows", f"expected {most}, not {batch.max_rows}")
    if batch.max_bytes > batch.buffered_bytes:
        most = f"at most max.buffered.bytes ({batch.buffered_bytes})"
        yield _problem(config, "batch.max.bytes", f"expected {most}, not {batch.max_bytes}")


def _group_protocol(config: ConnectorConfig) -> Iterator[Problem]:
    """With KIP-848 these are the broker's (``group.consumer.*``); librdkafka refuses them."""
    if config.consumer.get("group.protocol") != "consumer":
        return
    for name in ("session.timeout.ms", "heartbeat.interval.ms"):
        if name in config.consumer:
            key = f"consumer.override.{name}"
            yield Problem(
                config.file, key, None, "the broker's to set with group.protocol=consumer"
            )


def _membership(config: ConnectorConfig) -> Iterator[Problem]:
    """Tasks that share one static member id would fence each other."""
    key = "consumer.override.group.instance.id"
    if "group.instance.id" in config.consumer and config.connector.tasks_max > 1:
        yield _problem(config, key, "worker.id instead, as tasks.max is above 1")


def _budget(config: ConnectorConfig) -> Iterator[Problem]:
    """Whether the price is known shows when the embedder is made; here, whether there is one."""
    embedder = type(config.embedder_config)
    if config.budget.usd_per_day is None or embedder is Section or PRICE_KEY in keys_of(embedder):
        return
    said = f"has no effect, as the embedder {config.target.embedder!r} has no price"
    yield Problem(
        config.file, "budget.usd.per.day", None, f"{said}: use budget.tokens.per.day instead"
    )


def _state_topic(config: ConnectorConfig) -> Iterator[Problem]:
    """A connector that reads its own notes would never come to an end."""
    topic, regex = config.state_topic, config.connector.topics_regex
    if topic in config.connector.topics:
        yield _problem(config, "topics", f"not {topic}, where the connector keeps its state")
    elif regex and re.fullmatch(regex, topic):
        expected = f"must not match {topic}, where the connector keeps its state"
        yield _problem(config, "topics.regex", expected)


def _reselect(config: ConnectorConfig) -> Iterator[Problem]:
    """The other keys say nothing without an address."""
    if config.reselect.url is None:
        for key in sorted(_RESELECT_KEYS - {_RESELECT_URL}):
            if config.raw.get(key):
                ignored = f"has no effect without {_RESELECT_URL}"
                yield _problem(config, key, ignored, Severity.WARNING)


def _reselect_types(config: ConnectorConfig) -> Iterator[Problem]:
    """Values from the database have types, which JSON without schemas has lost."""
    converter = config.value_converter
    has_types = converter.format is ConverterFormat.AVRO or converter.schemas_enable
    if config.reselect.url is not None and not has_types:
        expected = "value.converter.schemas.enable=true (or Avro): otherwise a value from the "
        yield _problem(config, _RESELECT_URL, f"{expected}database would differ from Kafka's")


_RULES: dict[Callable[[ConnectorConfig], Iterator[Problem]], frozenset[str]] = {
    _topics: frozenset({"topics", "topics.regex"}),
    _dead_letters: frozenset({"topics", "topics.regex", "errors.tolerance", _DLQ_KEY}),
    _letter_limits: frozenset({"errors.tolerance", *_LIMIT_KEYS}),
    _document: frozenset({"document.fields", "document.template"}),
    _chunks: frozenset({"document.chunk.tokens", "document.chunk.overlap", "document.overlong"}),
    _bounds: frozenset(
        {"batch.max.rows", "batch.max.bytes", "max.buffered.rows", "max.buffered.bytes"}
    ),
    _group_protocol: frozenset(),
    _budget: frozenset({"budget.usd.per.day", "embedder"}),
    _state_topic: frozenset({"topics", "topics.regex"}),
    _membership: frozenset({"tasks.max"}),
    _reselect: frozenset({_RESELECT_URL}),
    _reselect_types: frozenset(
        {_RESELECT_URL, "value.converter", "value.converter.schemas.enable"}
    ),
}
"""Each rule and the keys it reads."""
