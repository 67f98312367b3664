"""The commands; each imports what it needs when it is called, so that ``--help`` is instant."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from worker import __version__
from worker.cli.dlq import app as dlq
from worker.cli.local_servers import pinecone_local, provider_local

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
        typer.Option(
            "--version",
            callback=lambda value: _version(wanted=value),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Options of the program as a whole."""


@app.command()
def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH…]",
            help="Connector JSON files, or folders of them, which are watched. None: all "
            "connectors are those of config.storage.topic.",
        ),
    ] = None,
    *,
    worker_config: WorkerFile = None,
    until_caught_up: Annotated[
        bool,
        typer.Option("--until-caught-up", help="End when the topics' present end is reached."),
    ] = False,
) -> None:
    """Run connectors."""
    from worker.cli.starting import start_lean  # noqa: PLC0415

    start_lean()
    from worker.cli.run import run as command  # noqa: PLC0415

    given = paths or []
    command(given, worker_file=worker_config, until_caught_up=until_caught_up)


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
def explain(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The connector's JSON file.")],
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="The row's key: 42, id=42, region=eu,id=7 or '{\"id\": 42}'; "
            "a negative one as id=-42.",
        ),
    ],
    *,
    topic: Annotated[
        str | None, typer.Option(help="The row's topic, where the connector reads several.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Look at the last N records only; default: the whole topic."
        ),
    ] = None,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Say why a row is, or is not, in the index: its records, text, point and dead letters."""
    from worker.cli.explain import explain as command  # noqa: PLC0415

    raise typer.Exit(
        command(file, key, worker_file=worker_config, topic=topic, limit=limit, as_json=as_json)
    )


@app.command()
def status(
    paths: Paths,
    *,
    worker_config: WorkerFile = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show who works, what waits, what failed and what was spent, as Kafka tells it."""
    from worker.cli.status import status as command  # noqa: PLC0415

    raise typer.Exit(command(paths, worker_file=worker_config, watch=watch, as_json=as_json))


@app.command()
def demo() -> None:
    """Show the main job on this machine: no account, no servers, no download."""
    from worker.cli.demo import demo as command  # noqa: PLC0415

    raise typer.Exit(command())


app.add_typer(dlq, name="dlq")
app.command("pinecone-local")(pinecone_local)
app.command("provider-local")(provider_local)


def main() -> None:
    """The console script: runs a command, and turns errors into sentences and exit codes."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
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
