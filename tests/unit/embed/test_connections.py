"""Connections are shared by account and closed with the last user."""

from __future__ import annotations

from worker.embed.connections import Connections


def test_one_account_has_one_client_until_its_last_user_is_done() -> None:
    first, second, other = Connections("a"), Connections("a"), Connections("b")
    client = first.client
    assert second.client is client
    assert other.client is not client
    first.close()
    first.close()
    assert not client.is_closed
    second.close()
    assert client.is_closed
    other.close()


def test_closed_connections_open_again() -> None:
    connections = Connections("c")
    before = connections.client
    connections.close()
    assert not connections.client.is_closed
    assert connections.client is not before
    connections.close()


def test_closing_what_was_never_opened_does_nothing() -> None:
    Connections("d").close()
