"""How the REST API is guarded, and under which address the other pods find it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from worker.config.section import Section


def _user_info(given: SecretStr | None) -> SecretStr | None:
    if given is not None and not all(given.get_secret_value().partition(":")):
        raise ValueError("user:password")
    return given


class RestSettings(Section):
    """Beside ``listeners``; the names are Kafka Connect's where it has one."""

    advertised_host: str | None = Field(
        None,
        alias="rest.advertised.host.name",
        min_length=1,
        description="Host name under which other pods reach this one; by default the listener's, "
        "or the machine's name where that is every address.",
    )
    advertised_port: int | None = Field(
        None,
        alias="rest.advertised.port",
        ge=1,
        le=65535,
        description="Port under which other pods reach this one; by default the listener's.",
    )
    user_info: Annotated[SecretStr | None, AfterValidator(_user_info)] = Field(
        None,
        alias="rest.basic.auth.user.info",
        description="`user:password` that the REST API asks for (HTTP Basic), `/health` apart.",
    )
    certificate: str | None = Field(
        None,
        alias="listeners.https.ssl.certificate.location",
        description="PEM file of the certificate, with its chain, of `https` listeners.",
    )
    key: str | None = Field(
        None,
        alias="listeners.https.ssl.key.location",
        description="PEM file of its private key; by default it is in the certificate's file.",
    )
    key_password: SecretStr | None = Field(
        None,
        alias="listeners.https.ssl.key.password",
        description="Password of the private key.",
    )
    client_ca: str | None = Field(
        None,
        alias="listeners.https.ssl.ca.location",
        description="PEM file of the authorities that clients' certificates are checked with; "
        "set, each client needs one.",
    )
