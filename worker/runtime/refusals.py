"""What a herder refuses a request with: Kafka Connect's words and statuses, for its clients."""

from __future__ import annotations

from http import HTTPStatus
from typing import Self

from worker.errors import WorkerError


class HerderError(WorkerError):
    """What a request is refused with; the message goes to the client."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class BadRequestError(HerderError):
    """The request cannot be carried out as it is."""

    status = HTTPStatus.BAD_REQUEST


class NotStoppedError(BadRequestError):
    """Offsets of a connector that is not STOPPED."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "Connectors must be in the STOPPED state before their offsets can be modified. This "
            "can be done for the specified connector by issuing a 'PUT' request to the "
            f"'/connectors/{name}/stop' endpoint"
        )


class NotFoundError(HerderError):
    """There is no such thing; Connect has a wording for each kind of request."""

    status = HTTPStatus.NOT_FOUND

    @classmethod
    def connector(cls, name: str) -> Self:
        """Of what reads or deletes a connector."""
        return cls(f"Connector {name} not found")

    @classmethod
    def unknown(cls, name: str) -> Self:
        """Of what pauses, resumes or stops it."""
        return cls(f"Unknown connector {name}")

    @classmethod
    def unknown_to_restart(cls, name: str) -> Self:
        """Of what restarts it or one of its tasks."""
        return cls(f"Unknown connector: {name}")

    @classmethod
    def status_of(cls, name: str) -> Self:
        """Of what asks for its state."""
        return cls(f"No status found for connector {name}")

    @classmethod
    def unknown_task(cls, name: str, number: int) -> Self:
        """Of what restarts one task."""
        return cls(f"Unknown task: {name}-{number}")


class ConflictError(HerderError):
    """Try the same again soon, such as while tasks move; clients do so by themselves."""

    status = HTTPStatus.CONFLICT

    @classmethod
    def rebalance(cls) -> Self:
        """Tasks move between pods right now, or this one does not know all connectors yet."""
        return cls("Request cannot be completed because a rebalance is expected")


class AlreadyExistsError(HerderError):
    """A name that another connector has."""

    status = HTTPStatus.CONFLICT

    def __init__(self, name: str) -> None:
        super().__init__(f"Connector {name} already exists")
