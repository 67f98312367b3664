"""From a connector's keys to the settings of the steps; nothing is made of them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.decode.decoder import DecoderSettings, Format, PartSettings
from worker.decode.registry_http import RegistrySettings
from worker.document.spec import parse_spec
from worker.flow.batching import BatchPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from worker.config.connector import ConnectorConfig
    from worker.config.converter import ConverterSettings
    from worker.document.spec import DocumentSpec
    from worker.embed.port import Limits

_KIP_848_SESSION_S = 45.0
"""``group.consumer.session.timeout.ms`` of a broker that nobody configured."""
_MILLISECOND = 0.001


def document_spec(config: ConnectorConfig) -> DocumentSpec:
    """How the connector's rows become documents.

    Raises:
        ConfigError: a key is wrong; ``worker.checks`` finds all of them.
    """
    return parse_spec(
        fields=config.document.fields,
        template=config.document.template,
        when=config.document.when,
        metadata=config.document.metadata_fields,
        keeps_text=config.document.metadata_text,
        namespace=config.target.namespace,
        point_id=config.target.id,
    )


def batch_policy(config: ConnectorConfig, limits: Limits) -> BatchPolicy:
    """When a batch goes; its rows fill whole calls of the embedder."""
    batch = config.batch
    policy = BatchPolicy(batch.max_rows, batch.max_bytes, batch.linger_s, batch.in_flight)
    return policy.rounded_to(limits.texts)


def decoder_settings(config: ConnectorConfig, columns: frozenset[str] | None) -> DecoderSettings:
    """How the connector's records are decoded; only these columns of a row are read."""
    return DecoderSettings(
        key=_part(config.key_converter),
        value=_part(config.value_converter),
        columns=columns,
        unavailable_value=config.events.unavailable_placeholder,
    )


def _part(converter: ConverterSettings) -> PartSettings:
    registry = RegistrySettings(
        urls=converter.urls,
        credentials=_shown(converter.credentials),
        bearer_token=_shown(converter.bearer_token),
        ssl_ca_location=converter.ssl_ca_location,
        ssl_certificate_location=converter.ssl_certificate_location,
        ssl_key_location=converter.ssl_key_location,
        ssl_key_password=_shown(converter.ssl_key_password),
    )
    return PartSettings(
        format=Format(converter.format.value),
        schemas_enable=converter.schemas_enable,
        registry=registry if converter.urls else None,
    )


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def session_of(consumer: Mapping[str, object]) -> float:
    """Seconds without a sign of life after which a member of this kind is out of its group."""
    session_ms = consumer.get("session.timeout.ms")
    return _KIP_848_SESSION_S if session_ms is None else float(str(session_ms)) * _MILLISECOND
