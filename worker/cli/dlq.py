"""``vecsink dlq``: its commands and their options; each imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from worker.triage.selection import Selection

app = typer.Typer(
    help="Look after dead letters: what failed, why, since when; put them back, or discard them.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The connector's JSON file.")]
WorkerFile = Annotated[
    Path | None,
    typer.Option(
        "--worker-config",
        metavar="FILE",
        help="Worker settings (.properties); CONNECT_… variables override them.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME", help="Of this error class, such as TextRefused."),
]
Stages = Annotated[
    list[str] | None,
    typer.Option("--stage", metavar="NAME", help="That failed at this stage, such as EMBED."),
]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="NAME", help="Of this table, with or without its schema."),
]
RowKey = Annotated[
    str | None, typer.Option("--key", metavar="KEY", help="Of this row: 42, id=42 or JSON.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="That came then or later: an ISO time, or 2h."),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="That came before: as --since.")
]
Places = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="P[:O[-O]]", help="At this partition, offset or range: 0:17."),
]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="open, asked, quarantined, replayed, superseded, returned, discarded or all; "
        "default: what is not closed.",
    ),
]


@app.command("list")
def list_(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
    kind: Kinds = None,
    stage: Stages = None,
    table: Tables = None,
    key: RowKey = None,
    since: Since = None,
    until: Until = None,
    at: Places = None,
    state: States = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Records shown, the newest ones first.")
    ] = 50,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Count the letters by class, stage, table and hour, then show them."""
    from worker.cli.dlq_list import list_letters as command  # noqa: PLC0415

    chosen = _selection(
        kinds=kind,
        stages=stage,
        tables=table,
        key=key,
        since=since,
        until=until,
        places=at,
        states=state,
    )
    raise typer.Exit(command(file, chosen, worker_file=worker_config, limit=limit, as_json=as_json))


@app.command()
def show(
    file: File,
    letter: Annotated[
        str, typer.Argument(metavar="PARTITION:OFFSET", help="Of the dead-letter topic: 0:17.")
    ],
    *,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Show one letter fully: its failures, its row, its text, and what would happen to it now."""
    from worker.cli.dlq_show import show as command  # noqa: PLC0415

    raise typer.Exit(command(file, letter, worker_file=worker_config, as_json=as_json))


@app.command()
def replay(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
    kind: Kinds = None,
    stage: Stages = None,
    table: Tables = None,
    key: RowKey = None,
    since: Since = None,
    until: Until = None,
    at: Places = None,
    state: States = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of them; change nothing.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, metavar="N", help="Letters a second; default: no limit of its own."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Those in quarantine, too; closed ones if --state says so."),
    ] = False,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Put letters back: a worker writes those that nothing newer has superseded.

    All that are open, or those that the filters choose. Stopped half-way, the rest stays asked for.
    """
    chosen = _selection(
        kinds=kind,
        stages=stage,
        tables=table,
        key=key,
        since=since,
        until=until,
        places=at,
        states=state,
    )
    if dry_run:
        from worker.cli.dlq_rehearse import rehearse  # noqa: PLC0415

        code = rehearse(file, chosen, worker_file=worker_config, force=force, as_json=as_json)
        raise typer.Exit(code)
    from worker.cli.dlq_replay import replay as command  # noqa: PLC0415

    raise typer.Exit(
        command(file, chosen, worker_file=worker_config, rate=rate, force=force, as_json=as_json)
    )


@app.command()
def discard(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it stays on record.")
    ],
    kind: Kinds = None,
    stage: Stages = None,
    table: Tables = None,
    key: RowKey = None,
    since: Since = None,
    until: Until = None,
    at: Places = None,
    state: States = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that are not closed; needed without a filter.")
    ] = False,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Close letters that are not needed, for a reason."""
    from worker.cli.dlq_discard import discard as command  # noqa: PLC0415

    chosen = _selection(
        kinds=kind,
        stages=stage,
        tables=table,
        key=key,
        since=since,
        until=until,
        places=at,
        states=state,
    )
    _filtered(chosen, everything=everything)
    raise typer.Exit(
        command(file, chosen, worker_file=worker_config, reason=reason, as_json=as_json)
    )


@app.command()
def watch(
    file: File,
    *,
    as_json: AsJson = False,
    worker_config: WorkerFile = None,
) -> None:
    """Show counts and the newest errors, refreshed every two seconds, until Ctrl-C."""
    from worker.cli.dlq_watch import watch as command  # noqa: PLC0415

    raise typer.Exit(command(file, worker_file=worker_config, as_json=as_json))


def _selection(  # noqa: PLR0913 - the filters of a command
    *,
    kinds: list[str] | None,
    stages: list[str] | None,
    tables: list[str] | None,
    key: str | None,
    since: str | None,
    until: str | None,
    places: list[str] | None,
    states: list[str] | None,
) -> Selection:
    from worker.explain.wanted import Wanted  # noqa: PLC0415
    from worker.triage.selection import Selection, Stretch, moment_of, states_of  # noqa: PLC0415

    return Selection(
        kinds=frozenset(kinds or ()),
        stages=frozenset(name.upper() for name in stages or ()),
        tables=frozenset(tables or ()),
        states=states_of(states),
        stretches=tuple(Stretch.parse(place) for place in places or ()),
        since_ms=None if since is None else moment_of(since),
        until_ms=None if until is None else moment_of(until),
        key=None if key is None else Wanted.parse(key),
    )


def _filtered(chosen: Selection, *, everything: bool) -> None:
    from worker.errors import ConfigError  # noqa: PLC0415

    if not everything and not chosen.has_filter:
        raise ConfigError("say which letters by filters (see --help), or --all for all of them")
