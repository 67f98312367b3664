"""One connector's flat keys: what is accepted, what is refused and how it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.config.tiny_plugins import VALID, read, surroundings
from worker.checks import check_documents
from worker.config.converter import ConverterFormat
from worker.config.problem import Problem, Severity
from worker.config.read import attempt, read_connector
from worker.config.worker import WorkerConfig
from worker.errors import ConfigError

if TYPE_CHECKING:
    from worker.config.connector import ConnectorConfig

PRICED = {"embedder": "dear", "embedder.price.usd.per.million.tokens": "0.1"}
REGISTRY = "value.converter.schema.registry.url"


def valid(changes: dict[str, str | None] | None = None) -> ConnectorConfig:
    reading = read(changes)
    assert reading.config is not None, reading.problems
    return reading.config


def problem(changes: dict[str, str | None]) -> Problem:
    reading = read(changes)
    (found,) = reading.problems
    if found.is_error:
        assert reading.config is None
    return found


def test_defaults_are_those_of_the_documentation() -> None:
    config = valid()
    assert config.name == "products"
    assert config.group_id == "connect-products"
    assert config.connector.tasks_max == 1
    assert config.subscription == ("shop.products",)
    assert config.events.unavailable_placeholder == "__debezium_unavailable_value"
    assert config.events.truncate_mode == "ignore"
    assert (config.target.namespace, config.target.id) == ("${topic}", "${key}")
    assert config.errors.tolerance == "none"
    assert config.errors.retry_timeout_s is None
    assert config.errors.retry_delay_max_s == 10.0
    assert config.errors.replication_factor == -1
    assert config.dlq_topic is None
    batch = config.batch
    assert (batch.max_rows, batch.linger_s, batch.max_bytes) == (288, 0.2, 2 * 1024 * 1024)
    assert (batch.buffered_rows, batch.buffered_bytes) == (10_000, 64 * 1024 * 1024)
    assert batch.in_flight == 8
    assert (config.budget.usd_per_day, config.budget.tokens_per_day) == (None, None)
    assert config.file == "x.json"
    assert config.raw == VALID


def test_texts_stay_whole_if_nobody_says_otherwise() -> None:
    document = valid().document
    assert (document.chunk_tokens, document.chunk_overlap, document.metadata_text) == (0, 0, False)
    assert document.beyond_limit == "truncate"


@pytest.mark.parametrize(
    ("overlong", "beyond"),
    [(None, "truncate"), ("chunk", "truncate"), ("truncate", "truncate"), ("fail", "fail")],
)
def test_chunks_have_a_length_and_an_overlap(overlong: str | None, beyond: str) -> None:
    keys = {"document.chunk.tokens": "400", "document.chunk.overlap": "200"}
    document = valid({**keys, "document.overlong": overlong, "metadata.text": "true"}).document
    assert (document.chunk_tokens, document.chunk_overlap) == (400, 200)
    assert document.metadata_text
    assert document.beyond_limit == beyond


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ({"document.chunk.tokens": "31"}, "document.chunk.tokens", "0, or at least 32"),
        (
            {"document.chunk.tokens": "400", "document.chunk.overlap": "201"},
            "document.chunk.overlap",
            "at most 200, half of document.chunk.tokens",
        ),
        ({"document.chunk.overlap": "1"}, "document.chunk.overlap", "no overlap without"),
        ({"document.overlong": "chunk"}, "document.overlong", "document.chunk.tokens beside it"),
        ({"document.chunk.tokens": "-1"}, "document.chunk.tokens", "0"),
        ({"metadata.text": "perhaps"}, "metadata.text", "true"),
    ],
)
def test_chunks_that_make_no_sense_are_refused(
    keys: dict[str, str | None], key: str, expected: str
) -> None:
    found = problem(keys)
    assert found.is_error
    assert found.key == key
    assert expected in found.expected


def test_with_chunks_a_column_is_not_kept_under_the_name_of_their_text() -> None:
    raw = {**VALID, "document.chunk.tokens": "400", "metadata.fields": "body as text"}
    (found,) = read_connector(raw, surroundings(checks=(check_documents,))).problems
    assert found.key == "metadata.fields"


@pytest.mark.parametrize(
    "name", ["EmbeddingSink", "EmbeddingSinkConnector", "com.acme.EmbeddingSink", " EmbeddingSink "]
)
def test_the_class_may_be_written_as_connect_allows(name: str) -> None:
    assert valid({"connector.class": name}).connector.connector_class == "EmbeddingSink"


def test_another_class_is_an_error() -> None:
    found = problem({"connector.class": "JdbcSink"})
    assert (found.key, found.value) == ("connector.class", "JdbcSink")
    assert "EmbeddingSink" in found.expected


@pytest.mark.parametrize("name", ["../x", "a b", "-a", "a/b", "é", "a" * 201])
def test_a_name_that_is_no_safe_name_is_an_error(name: str) -> None:
    assert problem({"name": name}).key == "name"


@pytest.mark.parametrize("key", ["name", "connector.class", "embedder", "store", "store.index"])
def test_a_missing_required_key_is_an_error(key: str) -> None:
    (found,) = [one for one in read({key: None}).problems if one.key == key]
    assert "required" in found.expected
    assert found.value is None


def test_an_empty_value_counts_as_missing() -> None:
    assert problem({"store.index": " "}).key == "store.index"


def test_an_empty_namespace_is_a_namespace() -> None:
    assert valid({"store.namespace": ""}).target.namespace == ""


def test_a_missing_key_is_explained_by_the_mistyped_one() -> None:
    found = {
        one.key: one for one in read({"connector.class": None, "conector.class": "E"}).problems
    }
    assert found["connector.class"].suggestion == "conector.class"
    assert found["conector.class"].severity is Severity.WARNING


def test_topics_are_a_list_of_names() -> None:
    assert valid({"topics": " a.b , c-d,"}).connector.topics == ("a.b", "c-d")


@pytest.mark.parametrize("topics", ["a b", "a,a", "ä", ".", "x" * 250])
def test_topics_that_kafka_does_not_allow_are_an_error(topics: str) -> None:
    assert problem({"topics": topics}).key == "topics"


def test_a_pattern_matches_whole_names() -> None:
    config = valid({"topics": None, "topics.regex": "shop|store"})
    assert config.subscription == ("^(shop|store)$",)


@pytest.mark.parametrize("regex", ["(", r"shop\.\d+", "(?:a)", "(?i)a"])
def test_a_pattern_that_librdkafka_does_not_understand_is_an_error(regex: str) -> None:
    assert problem({"topics": None, "topics.regex": regex}).key == "topics.regex"


def test_neither_topics_nor_a_pattern_is_an_error_in_connects_words() -> None:
    assert problem({"topics": None}).expected == "Must configure one of topics or topics.regex"


def test_both_topics_and_a_pattern_are_an_error() -> None:
    assert "mutually exclusive" in problem({"topics.regex": "a.*"}).expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tasks.max", "zero", "a whole number"),
        ("tasks.max", "0", "greater than or equal to 1"),
        ("tasks.max", "1.5", "a whole number"),
        ("batch.max.bytes", "2 parsecs", "2 MiB"),
        ("batch.max.bytes", "0", "greater than or equal to 1"),
        ("batch.linger.ms", "-1", "greater than or equal to 0"),
        ("errors.retry.timeout", "-2", "greater than or equal to -1"),
        ("errors.deadletterqueue.context.headers.enable", "false", "'true'"),
        ("value.converter.schemas.enable", "maybe", "true or false"),
        ("value.converter", "protobuf", "'avro' or 'json'"),
        ("truncate.mode", "drop", "'ignore', 'delete' or 'fail'"),
        ("embedder.dimensions", "0", "greater than or equal to 1"),
        ("budget.tokens.per.day", "0", "greater than or equal to 1"),
        ("budget.tokens.per.day", "1e6", "a whole number"),
        ("budget.usd.per.day", "0", "greater than 0"),
        ("budget.usd.per.day", "nan", "a finite number"),
        ("budget.usd.per.day", "$5", "a number"),
    ],
)
def test_a_wrong_value_names_key_value_and_what_was_expected(
    key: str, value: str, expected: str
) -> None:
    found = problem({key: value})
    assert (found.file, found.key, found.value) == ("x.json", key, value)
    assert expected in found.expected


def test_a_nearly_right_choice_is_suggested() -> None:
    assert problem({"errors.tolerance": "al"}).suggestion == "all"
    assert problem({"truncate.mode": "ignored"}).suggestion == "ignore"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000),
        ("64 MiB", 64 * 1024**2),
        ("2mb", 2_000_000),
        ("2M", 2 * 1024**2),
        ("1.5 KiB", 1536),
        ("1GB", 10**9),
    ],
)
def test_byte_sizes_may_have_units(text: str, size: int) -> None:
    assert valid({"max.buffered.bytes": "2 gib", "batch.max.bytes": text}).batch.max_bytes == size


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("document.field", "document.fields"),
        ("metadata.field", "metadata.fields"),
        ("embedder.modle", "embedder.model"),
        ("store.indx", "store.index"),
        ("store.namspace", "store.namespace"),
        ("batch.max.row", "batch.max.rows"),
        ("max.inflight", "max.in.flight"),
        ("errors.tolerence", "errors.tolerance"),
        ("tasks.maximum", "tasks.max"),
        ("topics.regexp", "topics.regex"),
        ("topic", "topics"),
        ("truncate.mod", "truncate.mode"),
        ("unavailable.value.placeholders", "unavailable.value.placeholder"),
    ],
)
def test_an_unknown_key_of_ours_is_an_error_with_the_nearest_name(key: str, near: str) -> None:
    found = problem({key: "1"})
    assert (found.key, found.value, found.suggestion) == (key, None, near)
    assert found.is_error


def test_the_limit_of_failures_is_written_as_a_share() -> None:
    assert valid({"dlq.limit": "5 / 200"}).errors.dlq_limit == (5, 200)
    assert valid({}).errors.dlq_limit == (100, 1000)


def test_limits_of_dead_letters_have_no_effect_where_there_are_none() -> None:
    found = problem({"errors.tolerance": "none", "dlq.max.replays": "5"})
    assert not found.is_error
    assert "has no effect" in found.expected


@pytest.mark.parametrize("given", ["100", "5/0", "6/5", "-1/5", "a/b"])
def test_a_limit_that_is_no_share_is_refused(given: str) -> None:
    assert "such as 100/1000" in problem({"dlq.limit": given}).expected


@pytest.mark.parametrize(
    "key",
    [
        "errors.log.enable",
    ],
)
def test_what_is_not_built_yet_is_refused(key: str) -> None:
    found = problem({key: "1"})
    assert found.is_error
    assert "not available in this version" in found.expected


@pytest.mark.parametrize("key", ["transforms", "transforms.unwrap.type", "predicates"])
def test_single_message_transforms_are_refused(key: str) -> None:
    assert "transforms are not supported" in problem({key: "unwrap"}).expected


@pytest.mark.parametrize("key", ["some.other.thing", "header.converter", "config.action.reload"])
def test_keys_of_others_are_ignored(key: str) -> None:
    assert read({key: "x"}).problems == ()


def test_a_key_that_is_nearly_ours_is_a_warning() -> None:
    found = problem({"embeder": "tiny"})
    assert (found.severity, found.suggestion) == (Severity.WARNING, "embedder")


def test_an_unknown_plug_in_is_an_error_with_the_nearest_name() -> None:
    found = problem({"embedder": "tinny", "embedder.whatever": "x"})
    assert (found.key, found.value, found.suggestion) == ("embedder", "tinny", "tiny")
    assert "dear, heavy, tiny" in found.expected


def test_a_plug_in_without_its_library_says_what_to_install() -> None:
    assert "install vecsink[heavy]" in problem({"embedder": "heavy"}).expected


def test_all_mistakes_are_found_at_once() -> None:
    reading = read(
        {
            "name": None,
            "tasks.max": "x",
            "batch.max.rows": "y",
            "store.indx": "z",
            "document.fields": "",
            "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "shop.products",
            "embedder": "tinny",
            "consumer.override.session.timeout.ms": "soon",
        }
    )
    assert sorted(str(one.key) for one in reading.problems) == [
        "batch.max.rows",
        "consumer.override.session.timeout.ms",
        "document.fields",
        "embedder",
        "errors.deadletterqueue.topic.name",
        "name",
        "store.indx",
        "tasks.max",
    ]


def test_a_wrong_key_is_not_complained_about_twice() -> None:
    assert problem({"topics": "a b"}).key == "topics"
    assert problem({"batch.max.rows": "x", "max.buffered.rows": "10"}).key == "batch.max.rows"


def test_a_converter_that_is_wrong_as_a_whole_is_told_once() -> None:
    changes: dict[str, str | None] = {
        "value.converter": "avro",
        REGISTRY: "https://host",
        "value.converter.schema.registry.ssl.key.location": "/key.pem",
    }
    assert "ssl.certificate.location" in problem(changes).expected


def test_a_static_member_id_for_several_tasks_is_an_error() -> None:
    changes: dict[str, str | None] = {"consumer.override.group.instance.id": "a", "tasks.max": "2"}
    assert problem(changes).key == "consumer.override.group.instance.id"
    assert valid({**changes, "tasks.max": "1"}).consumer["group.instance.id"] == "a"


def test_the_document_needs_fields_or_a_template() -> None:
    assert problem({"document.fields": None}).key == "document.fields"
    assert problem({"document.template": "{{ a }}"}).key == "document.template"


def test_dead_letters_go_to_a_topic_named_after_the_connector() -> None:
    assert valid({"errors.tolerance": "all"}).dlq_topic == "products-dlq"
    named = {"errors.tolerance": "all", "errors.deadletterqueue.topic.name": "bad"}
    assert valid({**named}).dlq_topic == "bad"


def test_a_dead_letter_topic_without_tolerance_is_a_warning() -> None:
    found = problem({"errors.deadletterqueue.topic.name": "bad"})
    assert found.severity is Severity.WARNING
    assert valid({"errors.deadletterqueue.topic.name": "bad"}).dlq_topic is None


def test_no_dead_letter_topic_with_tolerance_is_an_error() -> None:
    changes: dict[str, str | None] = {
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": "",
    }
    assert problem(changes).key == "errors.deadletterqueue.topic.name"


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": "a,products-dlq"},
        {"topics": "a,b", "errors.deadletterqueue.topic.name": "b"},
        {"topics": None, "topics.regex": "prod.*"},
    ],
)
def test_the_dead_letter_topic_may_not_be_read(changes: dict[str, str | None]) -> None:
    found = problem({"errors.tolerance": "all", **changes})
    assert found.expected.startswith("The DLQ topic")


def test_a_batch_may_not_be_larger_than_the_buffer() -> None:
    assert problem({"batch.max.rows": "11", "max.buffered.rows": "10"}).key == "batch.max.rows"
    assert problem({"max.buffered.bytes": "1 MiB"}).key == "batch.max.bytes"


def test_a_budget_may_be_in_tokens_in_dollars_or_in_both() -> None:
    tokens = valid({"budget.tokens.per.day": "2000000"}).budget
    assert (tokens.usd_per_day, tokens.tokens_per_day) == (None, 2_000_000)
    both = valid({**PRICED, "budget.usd.per.day": "2.5", "budget.tokens.per.day": "1"}).budget
    assert (both.usd_per_day, both.tokens_per_day) == (2.5, 1)


def test_dollars_for_an_embedder_without_a_price_are_an_error_that_names_the_way_out() -> None:
    found = problem({"budget.usd.per.day": "5"})
    assert str(found).endswith(
        ": budget.usd.per.day: has no effect, as the embedder 'tiny' has no price: use "
        "budget.tokens.per.day instead"
    )


def test_an_embedder_that_is_not_known_has_no_opinion_about_dollars() -> None:
    assert problem({"budget.usd.per.day": "5", "embedder": "tinny"}).key == "embedder"


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": "a,connect-products-state"},
        {"topics": None, "topics.regex": "connect-.*"},
        {"topics": "mine-state", "consumer.override.group.id": "mine"},
    ],
)
def test_the_state_topic_may_not_be_read(changes: dict[str, str | None]) -> None:
    assert "keeps its state" in problem(changes).expected


def test_the_state_topic_belongs_to_the_group() -> None:
    assert valid().state_topic == "connect-products-state"
    assert valid({"consumer.override.group.id": "mine"}).state_topic == "mine-state"


def test_avro_is_the_default_and_needs_a_registry() -> None:
    assert problem({"value.converter": None}).key == REGISTRY


def test_converters_may_have_connects_class_names() -> None:
    config = valid(
        {
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "FALSE",
            "value.converter": "io.confluent.connect.avro.AvroConverter",
            REGISTRY: "http://a:8081/, https://b:8081",
        }
    )
    assert config.key_converter.format is ConverterFormat.JSON
    assert config.key_converter.schemas_enable is False
    assert config.value_converter.format is ConverterFormat.AVRO
    assert config.value_converter.urls == ("http://a:8081", "https://b:8081")


@pytest.mark.parametrize(
    "changes",
    [
        {"value.converter.basic.auth.user.info": "me:p@:w"},
        {"value.converter.schema.registry.basic.auth.user.info": "me:p@:w"},
        {REGISTRY: "http://me:p%40%3Aw@host:1"},
    ],
)
def test_the_registrys_user_comes_from_its_own_key_or_the_url(changes: dict[str, str]) -> None:
    config = valid({"value.converter": "avro", REGISTRY: "http://host:1", **changes})
    credentials = config.value_converter.credentials
    assert credentials is not None
    assert credentials.get_secret_value() == "me:p@:w"
    assert config.value_converter.urls == ("http://host:1",)


def test_user_info_as_source_without_user_info_is_an_error() -> None:
    found = problem({"value.converter.basic.auth.credentials.source": "USER_INFO"})
    assert "basic.auth.user.info" in found.expected


def test_java_trust_stores_of_the_registry_are_refused_with_the_way_out() -> None:
    found = problem({"value.converter.schema.registry.ssl.truststore.location": "/x.jks"})
    assert found.suggestion == "value.converter.schema.registry.ssl.ca.location"


def test_other_settings_of_javas_converters_are_ignored() -> None:
    assert read({"value.converter.auto.register.schemas": "false"}).problems == ()


def test_a_connector_without_converters_gets_the_workers() -> None:
    worker = WorkerConfig(
        converters={
            "key.converter": "json",
            "value.converter": "avro",
            REGISTRY: "http://worker:8081",
        }
    )
    raw = {key: value for key, value in VALID.items() if "converter" not in key}
    config = read_connector(raw, surroundings(worker=worker)).config
    assert config is not None
    assert config.value_converter.urls == ("http://worker:8081",)
    assert config.raw == raw


def test_a_connector_with_its_own_converter_gets_none_of_the_workers_settings() -> None:
    worker = WorkerConfig(converters={"value.converter": "avro", REGISTRY: "http://worker"})
    raw = {**VALID, "value.converter": "avro"}
    (found,) = read_connector(raw, surroundings(worker=worker)).problems
    assert found.key == REGISTRY


def test_checks_of_other_components_are_asked_last() -> None:
    def fails() -> None:
        raise ConfigError("document.fields: a column")

    around = surroundings(checks=(lambda config: attempt(config, "document.fields", fails),))
    (found,) = read_connector(VALID, around).problems
    assert (found.key, found.value, found.expected) == ("document.fields", "name", "a column")


def test_a_check_without_complaint_adds_nothing() -> None:
    around = surroundings(checks=(lambda config: attempt(config, "document.fields", list),))
    assert read_connector(VALID, around).problems == ()


def test_settings_of_java_and_of_ours_are_told_in_one_line() -> None:
    line = str(problem({"errors.tolerance": "al"}))
    assert line == (
        "x.json: errors.tolerance: expected 'none' or 'all', got 'al'; did you mean 'all'?"
    )
