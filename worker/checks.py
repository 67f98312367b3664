"""The keys of a connector that only a later step can judge: texts, conditions, names, ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.config.read import attempt
from worker.document.collision import check_identity
from worker.document.metadata_fields import parse_metadata
from worker.document.pattern import ID_KEY, NAMESPACE_KEY, parse_id, parse_namespace
from worker.document.place import Place
from worker.document.spec import parse_condition, parse_text
from worker.plugins import RESELECTORS, Registry
from worker.store.creation import Creation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.config.connector import ConnectorConfig
    from worker.config.problem import Problem
    from worker.config.reselect import ReselectSettings


def check_documents(config: ConnectorConfig) -> Iterator[Problem]:
    """What is wrong with ``document.*``, ``metadata.*``, ``store.namespace``, ``store.id``."""
    document, target = config.document, config.target
    text_key = "document.fields" if document.template is None else "document.template"
    yield from attempt(config, text_key, lambda: parse_text(document.fields, document.template))
    when = document.when
    if when is not None:
        yield from attempt(config, "document.when", lambda: parse_condition(when))
    yield from attempt(
        config,
        "metadata.fields",
        lambda: parse_metadata(document.metadata_fields, keeps_text=document.has_text),
    )
    names = [
        *attempt(config, NAMESPACE_KEY, lambda: parse_namespace(target.namespace)),
        *attempt(config, ID_KEY, lambda: parse_id(target.id)),
    ]
    yield from names or _check_identity(config)


def _check_identity(config: ConnectorConfig) -> Iterable[Problem]:
    regex = config.connector.topics_regex
    return attempt(
        config,
        ID_KEY,
        lambda: check_identity(
            parse_namespace(config.target.namespace),
            parse_id(config.target.id),
            config.connector.topics if regex is None else re.compile(regex),
        ),
    )


def check_namespaces(config: ConnectorConfig) -> Iterable[Problem]:
    """Whether the store can have the namespaces, as far as the settings alone say their names."""
    return attempt(config, NAMESPACE_KEY, lambda: _expect_namespaces(config))


def _expect_namespaces(config: ConnectorConfig) -> None:
    store, pattern = config.store_config, parse_namespace(config.target.namespace)
    topics = config.connector.topics if pattern.variables else ("",)
    if isinstance(store, Creation) and pattern.variables <= {"topic"}:
        for topic in topics:
            store.expect_namespace(pattern.fill(Place(topic)))


def check_reselect(config: ConnectorConfig) -> Iterable[Problem]:
    """Whether the source database's address can be used, and its library is installed."""
    return attempt(config, "reselect.url", lambda: _reselector(config.reselect))


def _reselector(settings: ReselectSettings) -> None:
    if settings.url is not None:
        Registry(RESELECTORS).load(settings.database)(settings).close()


CHECKS = (check_documents, check_namespaces, check_reselect)
