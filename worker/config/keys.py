"""Which flat keys are ours, which of them exist, and what to say about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.config.batch import BatchSettings
from worker.config.budget import BudgetSettings
from worker.config.connector import ConnectorSettings, TargetSettings
from worker.config.converter import ConverterSettings
from worker.config.document import DocumentSettings
from worker.config.events import EventSettings
from worker.config.failures import ErrorSettings
from worker.config.parse import keys_of
from worker.config.problem import Problem, Severity, nearest
from worker.config.reselect import ReselectSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from worker.config.section import Section

SECTIONS: dict[str, tuple[type[Section], str]] = {
    "connector": (ConnectorSettings, ""),
    "key_converter": (ConverterSettings, "key."),
    "value_converter": (ConverterSettings, "value."),
    "events": (EventSettings, ""),
    "document": (DocumentSettings, ""),
    "target": (TargetSettings, ""),
    "errors": (ErrorSettings, ""),
    "batch": (BatchSettings, ""),
    "budget": (BudgetSettings, ""),
    "reselect": (ReselectSettings, ""),
}
"""By field of ``ConnectorConfig``: the section and what stands before its aliases."""

OVERRIDES = ("consumer.override.", "producer.override.", "admin.override.")
LITERAL = ("document.",)
"""Texts about rows: neither trimmed nor searched for references to secrets."""

OUR_PREFIXES = (
    "batch.", "budget.", "cache.", "dlq.", "document.", "embedder.", "errors.", "max.",
    "metadata.", "reselect.", "store.", "tasks.", "topics.", "truncate.", "unavailable.",
)  # fmt: skip
_LIKE_OURS = frozenset({"topic", "task", "tasks", "document", "metadata", "batch", "errors"})

NOT_YET = (
    "cache.max.rows", "document.chunk.",
    "errors.log.", "metadata.text",
)  # fmt: skip
"""Keys, or prefixes of keys, that are planned."""

_TRANSFORMS = ("transforms", "predicates")
_JAVA_TLS = "converter.schema.registry.ssl."
_SURELY_MEANT = 0.85


def subset(values: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    """The entries whose keys begin with one of the prefixes."""
    return {key: value for key, value in values.items() if key.startswith(prefixes)}


def below(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The entries under a prefix, by the rest of their keys."""
    return {key.removeprefix(prefix): text for key, text in subset(values, (prefix,)).items()}


def known_keys(*plugins: type[Section]) -> frozenset[str]:
    """All keys of a connector with these plug-ins, apart from overrides."""
    ours = {key for section, prefix in SECTIONS.values() for key in keys_of(section, prefix)}
    return frozenset(ours.union(*(keys_of(plugin) for plugin in plugins)))


def unknown_keys(
    raw: Mapping[str, str], known: Iterable[str], *, unchecked: tuple[str, ...], file: str
) -> Iterator[Problem]:
    """Complaints about keys that nobody reads; never with their values.

    ``unchecked`` are prefixes of which nothing is known, as the plug-in could not be loaded.
    """
    names = frozenset(known)
    for key in raw:
        if key in names or key.startswith((*OVERRIDES, *unchecked)):
            continue
        problem = _complaint(key, names, file)
        if problem is not None:
            yield problem


def _complaint(key: str, known: frozenset[str], file: str) -> Problem | None:
    if key.startswith(NOT_YET):
        return Problem(file, key, None, "not available in this version; leave it out")
    if key.partition(".")[0] in _TRANSFORMS:
        return Problem(
            file, key, None, "single message transforms are not supported here; "
            "use them in the source connector"
        )  # fmt: skip
    if key.partition(".")[2].startswith(_JAVA_TLS):
        return _java_store(key, known, file)
    if key.startswith(OUR_PREFIXES) or key in _LIKE_OURS:
        return Problem(file, key, None, "unknown key", nearest(key, known))
    near = nearest(key, known, likeness=_SURELY_MEANT)
    if near is None:
        return None
    return Problem(file, key, None, "ignored: unknown key", near, Severity.WARNING)


def _java_store(key: str, known: frozenset[str], file: str) -> Problem:
    """A registry behind TLS fails in a way that is hard to read if these are ignored."""
    near = "ssl.ca.location" if "truststore" in key else "ssl.certificate.location"
    owner = key.partition("ssl.")[0]
    meant = owner + near if "store" in key else nearest(key, known)
    return Problem(file, key, None, "Java key stores cannot be read here: use PEM files", meant)
