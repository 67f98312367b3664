"""The options of the servers that stand in for others, as commands of ``vecsink``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer


def pinecone_local(  # noqa: PLR0913 - the options of a command
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Of the control plane; 0: any free one.")
    ] = 5080,
    data_ports: Annotated[
        str, typer.Option(metavar="PORTS", help="One for each index; empty: any free ones.")
    ] = "5081-5180",
    advertise: Annotated[
        str, typer.Option(metavar="HOST", help="Name of this machine in the hosts of indexes.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep indexes here; else in memory alone.")
    ] = None,
    api_key: Annotated[
        str,
        typer.Option(envvar="PINECONE_LOCAL_API_KEY", help="The only key accepted; empty: any."),
    ] = "",
    latency_ms: Annotated[float, typer.Option(min=0, help="Wait before each answer.")] = 0,
    jitter_ms: Annotated[float, typer.Option(min=0, help="Up to this much more, at random.")] = 0,
    visibility_ms: Annotated[float, typer.Option(min=0, help="Until reads see a write.")] = 0,
    rate_limit: Annotated[
        float | None,
        typer.Option(help="Calls per second for each operation of each index; more get 429."),
    ] = None,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JSON",
            help='Calls that fail, may be repeated: {"operations":["upsert"],"count":2}.',
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers behind jitter and rates.")] = 0,
) -> None:
    """Serve Pinecone's REST API on this machine, with faults on demand."""
    from worker.cli.pinecone_local import faults_of, ports_of  # noqa: PLC0415
    from worker.cli.pinecone_local import pinecone_local as command  # noqa: PLC0415
    from worker.pinecone_local.server import Settings  # noqa: PLC0415

    faults = faults_of(
        fail or (),
        latency_s=latency_ms / 1000,
        jitter_s=jitter_ms / 1000,
        visibility_s=visibility_ms / 1000,
        rate_limit_per_s=rate_limit,
        seed=seed,
    )
    settings = Settings(
        host=host,
        control_port=port,
        data_ports=ports_of(data_ports),
        advertise=advertise,
        data_dir=data,
        api_key=api_key,
        faults=faults,
    )
    raise typer.Exit(command(settings))


def provider_local(  # noqa: PLR0913 - the options of a command
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 5090,
    api_key: Annotated[
        str,
        typer.Option(envvar="PROVIDER_LOCAL_API_KEY", help="The only key accepted; empty: any."),
    ] = "",
    latency_ms: Annotated[float, typer.Option(min=0, help="Wait before each answer.")] = 0,
    jitter_ms: Annotated[float, typer.Option(min=0, help="Up to this much more, at random.")] = 0,
    requests_per_minute: Annotated[int | None, typer.Option(min=1, help="More get 429.")] = None,
    inputs_per_minute: Annotated[int | None, typer.Option(min=1, help="Texts.")] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(min=1, help="As billed.")] = None,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JSON",
            help='Calls that go wrong, may be repeated: {"status":429,"count":2}.',
        ),
    ] = None,
    marker: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART=FATE",
            help="Texts with this part are refused, or get nan or zero vectors; may be repeated.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers behind jitter and rates.")] = 0,
) -> None:
    """Stand in for Cohere, OpenAI and Voyage on this machine, with faults on demand."""
    from worker.cli.provider_local import faults_of  # noqa: PLC0415
    from worker.cli.provider_local import provider_local as command  # noqa: PLC0415
    from worker.provider_local.server import Settings  # noqa: PLC0415

    faults = faults_of(
        fail or (),
        marker or (),
        {
            "requests": requests_per_minute,
            "inputs": inputs_per_minute,
            "tokens": tokens_per_minute,
        },
        latency_s=latency_ms / 1000,
        jitter_s=jitter_ms / 1000,
        seed=seed,
    )
    raise typer.Exit(command(Settings(host=host, port=port, api_key=api_key, faults=faults)))
