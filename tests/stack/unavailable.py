"""What is raised where the real stack cannot run."""

from __future__ import annotations


class StackUnavailable(Exception):  # noqa: N818 - says a state of the machine, not a mistake
    """Something that the stack needs is missing here; the message names it."""
