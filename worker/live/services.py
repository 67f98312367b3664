"""What can be asked of schema registry, provider and store without writing to them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.decode.columns import expect
from worker.decode.registry import HttpRegistry
from worker.embed.port import Purpose
from worker.errors import FatalError, RecordError
from worker.pipeline.model_guard import ModelGuard
from worker.store.port import MissingIndexError

if TYPE_CHECKING:
    from worker.decode.registry_http import RegistrySettings
    from worker.embed.port import Embedder
    from worker.index import Index
    from worker.pipeline.model_guard import Form

_PROBE = "A short text that every model can embed."
_REGISTRY_S = 5.0


def ask_registry(settings: RegistrySettings, subject: str) -> str:
    """Whether it answers and takes our credentials.

    Raises:
        RetriableError, FatalError: it does not.
    """
    with closing(HttpRegistry(replace(settings, timeout_s=_REGISTRY_S))) as registry:
        versions = registry.versions(subject)
    if versions is None:
        return f"answers; it has no subject {subject} (yet)"
    return f"{subject} has {len(versions)} version{'s' if len(versions) > 1 else ''}"


def ask_columns(settings: RegistrySettings, topic: str, columns: frozenset[str]) -> str:
    """Whether rows of a topic have the columns that documents are made of.

    Raises:
        RetriableError, FatalError: the registry does not answer, or refuses; a column never was.
    """
    with closing(HttpRegistry(replace(settings, timeout_s=_REGISTRY_S))) as registry:
        missing = expect(columns, topic, registry)
    if missing is None:
        return f"not known, as the registry has no schema of rows of {topic} (yet)"
    if missing:
        return f"rows of {topic} have no {', '.join(sorted(missing))} any more: null"
    return f"rows of {topic} have {', '.join(sorted(columns))}"


def ask_provider(embedder: Embedder) -> str:
    """Embed one short text, which costs some ten tokens: key, model and dimensions.

    Raises:
        RetriableError, FatalError: the provider does not answer, or refuses.
    """
    model = embedder.model
    try:
        answer = embedder.embed([_PROBE], Purpose.QUERY)
    except RecordError as error:
        raise FatalError(f"{error}: check embedder.model and embedder.dimensions") from error
    made = answer.vectors.shape[1]
    if made != model.dimensions:
        raise FatalError(
            f"{model.name} makes vectors of {made} dimensions, not of {model.dimensions}: set "
            "embedder.dimensions to what it makes"
        )
    tokens = f", {answer.tokens} tokens for a probe" if answer.tokens else ""
    return f"{model} works{tokens}"


def ask_store(index: Index, form: Form) -> str:
    """Key, index and dimensions; and that no namespace has another model or form of points.

    An index that the first run makes is as it should be.

    Raises:
        RetriableError, FatalError: the store does not answer, or refuses.
    """
    model = index.embedder.model
    try:
        index.store.check(model.dimensions)
    except MissingIndexError as missing:
        if not missing.coming:
            raise
        return missing.coming
    guard = ModelGuard(index.store, model, form)
    namespaces = index.namespaces()
    for namespace in namespaces:
        guard.check(namespace)
    written = ", ".join(namespaces) or "none written yet"
    return f"takes {model.dimensions} dimensions; namespaces: {written}"
