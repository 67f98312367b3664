"""The page's files, as they lie beside this module; it needs nothing from elsewhere."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

from worker.telemetry.exposition import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

ROOT = "/console"
HOME = "console/"
"""Where a browser that asks for ``/`` is sent, seen from there."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from other servers, nothing inline, in no frame of anybody."""
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
}
_FONT_HEADERS = {"cache-control": "max-age=86400"}


def pages() -> Mapping[str, Page]:
    """By path; all are read once."""
    found = {f"{ROOT}/{name}": _page(name, body) for name, body in _files()}
    home = found[f"{ROOT}/index.html"]
    moved = Page("text/plain", bytes, {"location": HOME}, HTTPStatus.TEMPORARY_REDIRECT)
    return {**found, f"{ROOT}/": home, ROOT: moved}


def _page(name: str, body: bytes) -> Page:
    suffix = f".{name.rpartition('.')[2]}"
    headers = _FONT_HEADERS if suffix == ".woff2" else _HEADERS
    return Page(_TYPES[suffix], lambda: body, headers)


def _files() -> Iterator[tuple[str, bytes]]:
    yield from _below(files("worker.console") / "static", "")


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda found: found.name):
        if one.is_dir():
            yield from _below(one, f"{prefix}{one.name}/")
        elif f".{one.name.rpartition('.')[2]}" in _TYPES:
            yield f"{prefix}{one.name}", one.read_bytes()
