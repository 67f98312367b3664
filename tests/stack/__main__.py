"""``python -m tests.stack up|down|status``: the stack for a person to play with.

``weaviate`` builds that server, which no test does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack import artifacts
from tests.stack import stack as stacks
from tests.stack.connect import postgres_settings
from tests.stack.home import personal_run
from tests.stack.process import memory_mib
from tests.stack.unavailable import StackUnavailable

if TYPE_CHECKING:
    from tests.stack.stack import Stack

USAGE = "usage: python -m tests.stack up|down|status|weaviate"


def main(arguments: list[str]) -> int:
    """Do one of them; the exit code."""
    match arguments:
        case ["up"]:
            return _up()
        case ["down"]:
            stacks.down(personal_run())
            print("stack is down")
            return 0
        case ["status"]:
            return _status()
        case ["weaviate"]:
            return _build_weaviate()
        case ["guard", folder]:
            return _guard(Path(folder))
    print(USAGE, file=sys.stderr)
    return 2


def _up() -> int:
    began = time.monotonic()
    try:
        stack = stacks.up(personal_run())
    except StackUnavailable as error:
        print(f"the stack cannot run here: {error}", file=sys.stderr)
        return 3
    print(f"stack is up after {time.monotonic() - began:.0f} s")
    _show(stack)
    return 0


def _status() -> int:
    stack = stacks.find(personal_run())
    if stack is None:
        print("stack is down")
        return 1
    for process in stack.processes:
        pid = process.pid or 0
        print(f"{process.name:<9} pid {pid:<8} {memory_mib(pid):>5} MiB   {process.log_file}")
    _show(stack)
    return 0


def _build_weaviate() -> int:
    if not (artifacts.has_weaviate() or artifacts.can_build_weaviate()):
        print("Weaviate's tests will be left out: it is built with Go, which is not here")
        return 0
    began = time.monotonic()
    try:
        program = artifacts.weaviate()
    except StackUnavailable as error:
        print(f"Weaviate was not built, and where Go is its tests run: {error}", file=sys.stderr)
        return 3
    print(f"{program} is there after {time.monotonic() - began:.0f} s")
    return 0


def _guard(folder: Path) -> int:
    """Wait until the process at the other end of our standard input is gone, then stop all."""
    sys.stdin.read()
    stacks.down(folder)
    return 0


def _show(stack: Stack) -> None:
    for name, address in stack.addresses().items():
        print(f"  {name:<9} {address}")
    config = postgres_settings(stack.postgres, "shop", "postgres", "shop", ["public.products"])
    print(
        "for example, with a table public.products\n"
        f"  psql {stack.postgres.dsn()}\n"
        "  curl -X PUT -H 'Content-Type: application/json'"
        f" {stack.connect.url}/connectors/shop/config -d '{json.dumps(config)}'\n"
        f"  curl {stack.connect.url}/connectors/shop/status\n"
        f"  curl {stack.registry.url}/subjects\n"
        "and to stop it\n"
        "  make stack-down"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
