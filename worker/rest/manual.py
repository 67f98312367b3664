"""The OpenAPI description as a page for people; it needs nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>vecsink REST API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer; overflow-wrap: anywhere }
code { font-family: ui-monospace, monospace; background: var(--soft); padding: .1em .3em;
border-radius: 4px }
b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid var(--line);
padding: .25rem .5rem; vertical-align: top } pre { overflow-x: auto; background: var(--soft);
padding: .6rem; border-radius: 6px }
</style></head><body>
<h1>vecsink REST API</h1>
<p>Kafka Connect's REST API. The same for programs: <a href="/openapi.json">openapi.json</a>.</p>
"""


def manual(description: Mapping[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    return _HEAD + "".join(_body(description)) + "</body></html>\n"


def _body(description: Mapping[str, Any]) -> Iterator[str]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
            yield f"{escape(operation['summary'])}</summary><table>"
            yield from _rows(operation)
            yield "</table></details>"
    yield "<h2>Shapes</h2>"
    for name, schema in description["components"]["schemas"].items():
        yield f'<details id="{name}"><summary><code>{name}</code></summary>'
        yield f"<pre>{escape(_outline(schema))}</pre></details>"


def _rows(operation: Mapping[str, Any]) -> Iterator[str]:
    for one in operation["parameters"]:
        meaning = escape(one.get("description", ""))
        yield f"<tr><td>{one['in']}</td><td><code>{one['name']}</code> {meaning}</td></tr>"
    if "requestBody" in operation:
        yield f"<tr><td>body</td><td>{_link(operation['requestBody'])}</td></tr>"
    for status, response in operation["responses"].items():
        said = f"{escape(response['description'])} {_link(response)}"
        yield f"<tr><td>{status}</td><td>{said}</td></tr>"


def _link(carrier: Mapping[str, Any]) -> str:
    content = carrier.get("content")
    if content is None:
        return ""
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return f'<a href="#{name}">{name}</a>'


def _outline(schema: Mapping[str, Any], indent: str = "") -> str:
    """The schema in a few words instead of JSON."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "oneOf" in schema:
        return "  or  ".join(_outline(one, indent) for one in schema["oneOf"])
    if schema["type"] == "array":
        return f"[{_outline(schema['items'], indent)}, …]"
    if schema["type"] != "object":
        kind = schema["type"]
        return kind if isinstance(kind, str) else " | ".join(kind)
    return _members(schema, indent)


def _members(schema: Mapping[str, Any], indent: str) -> str:
    inside = indent + "  "
    if "properties" not in schema:
        return f"{{name: {_outline(schema['additionalProperties'], inside)}, …}}"
    required = schema["required"]
    lines = [
        f"{inside}{name}{'' if name in required else '?'}: {_outline(one, inside)}\n"
        for name, one in schema["properties"].items()
    ]
    return "{\n" + "".join(lines) + indent + "}"
