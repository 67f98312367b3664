"""The commands; each imports what it needs when it is called, so that ``--help`` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from worker import __version__

app = typer.Typer(
    name="vecsink",
    help="Debezium row changes to vectors: keeps a vector index equal to a database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH…", help="Connector JSON files, or folders of them."),
]
WorkerFile = Annotated[
    Path | None,
    typer.Option(
        "--worker-config",
        metavar="FILE",
        help="Worker settings (.properties); CONNECT_… variables override them.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"vecsink {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True),
    ] = False,
) -> None:
    """Options of the program as a whole."""


@app.command()
def run(
    paths: Paths,
    *,
    worker_config: WorkerFile = None,
    until_caught_up: Annotated[
        bool,
        typer.Option("--until-caught-up", help="End when the topics' present end is reached."),
    ] = False,
) -> None:
    """Run connectors."""
    from worker.cli.run import run as command  # noqa: PLC0415

    raise typer.Exit(command(paths, worker_file=worker_config, until_caught_up=until_caught_up))


@app.command()
def validate(
    paths: Paths,
    *,
    worker_config: WorkerFile = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Also ask Kafka, schema registry, provider and store."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every mistake of connector files, field by field."""
    from worker.checks import CHECKS  # noqa: PLC0415

    if live:
        from worker.cli.validate_live import validate_live as command  # noqa: PLC0415
    else:
        from worker.cli.validate import validate as command  # noqa: PLC0415

    raise typer.Exit(command(paths, worker_file=worker_config, as_json=as_json, checks=CHECKS))


@app.command()
def search(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The connector's JSON file.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    *,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="Number of matches.")] = 5,
    where: Annotated[
        str | None, typer.Option("--filter", metavar="JSON", help="The store's metadata filter.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="Look in this namespace; default: in all of the connector's.")
    ] = None,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Ask the index as its readers do."""
    from worker.cli.search import search as command  # noqa: PLC0415

    raise typer.Exit(
        command(
            file,
            text,
            worker_file=worker_config,
            k=k,
            where=where,
            namespace=namespace,
            as_json=as_json,
        )
    )


@app.command()
def estimate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The connector's JSON file.")],
    *,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Read about N records from all partitions, and extrapolate."
        ),
    ] = None,
    latency_ms: Annotated[
        float | None,
        typer.Option(min=0, help="Assumed time of one call of the embedder; 500 for providers."),
    ] = None,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Say what reading the topics to their present end will take, before anything is spent."""
    from worker.cli.estimate import estimate as command  # noqa: PLC0415

    raise typer.Exit(
        command(
            file,
            worker_file=worker_config,
            sample=sample,
            latency_ms=latency_ms,
            as_json=as_json,
        )
    )


@app.command()
def demo() -> None:
    """Show the main job on this machine: no account, no servers, no download."""
    from worker.cli.demo import demo as command  # noqa: PLC0415

    raise typer.Exit(command())


@app.command("pinecone-local")
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


@app.command("provider-local")
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


def main() -> None:
    """The console script: runs a command, and turns errors into sentences and exit codes."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 - what is not ours is shown with its traceback
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    from worker.cli.errors import exit_code  # noqa: PLC0415
    from worker.errors import WorkerError  # noqa: PLC0415

    if not isinstance(error, WorkerError):
        sys.excepthook(type(error), error, error.__traceback__)
        return exit_code(error)
    typer.secho("vecsink: ", fg="red", nl=False, err=True)
    typer.echo(str(error), err=True)
    return exit_code(error)
