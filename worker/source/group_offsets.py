"""A consumer group's offsets, read and changed through the admin client while it has no members."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
)
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are exported
    OffsetSpec,
)

from worker.brokers import is_silence, no_answer
from worker.errors import ConfigError, FatalError, RetriableError, WorkerError
from worker.lasting import LastingAdmin
from worker.model import TopicPartition
from worker.source.failures import verdict
from worker.source.port import Commit, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from confluent_kafka.admin import AdminClient

_log = logging.getLogger(__name__)

_ASK_S = 10.0
_AGAIN_S = 0.5
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the library
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the library
_HAS_MEMBERS = frozenset(
    {
        KafkaError.NON_EMPTY_GROUP,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.GROUP_SUBSCRIBED_TO_TOPIC,
    }
)
"""What the coordinator answers, for one request or another, while somebody is in the group."""
_NO_GROUP = KafkaError.GROUP_ID_NOT_FOUND


def _is_held(error: KafkaError) -> bool:
    return error.code() in _HAS_MEMBERS


class KafkaGroupOffsets:
    """See ``worker.runtime.offsets.GroupOffsets``.

    A static member leaves its group only when its session ends, so changes are tried again for
    ``patience_s``. ``connect`` makes the admin client of its properties.

    Raises:
        ConfigError: librdkafka does not take the properties.
    """

    def __init__(
        self,
        group_id: str,
        admin: Mapping[str, Any],
        *,
        patience_s: float = 15.0,
        connect: Callable[[dict[str, Any]], AdminClient] = LastingAdmin,
    ) -> None:
        self._group_id = group_id
        self._properties = admin
        self._patience_s = patience_s
        try:
            self._admin = connect({"log_level": 2, **admin})
        except KafkaException as error:
            raise ConfigError(f"Kafka client: {error.args[0].str()}") from error

    def committed(self) -> Mapping[TopicPartition, int]:
        """Ask the coordinator."""
        return {_place(one): one.offset for one in self._listed()}

    def bounds(self, places: frozenset[TopicPartition]) -> Mapping[TopicPartition, tuple[int, int]]:
        """Ask the leaders of those that exist."""
        try:
            topics = self._admin.list_topics(timeout=_ASK_S).topics
        except KafkaException as error:
            raise self._meaning(error.args[0]) from error
        known = [
            place
            for place in sorted(places)
            if place.topic in topics and place.partition in topics[place.topic].partitions
        ]
        starts, ends = self._ends(known, _EARLIEST), self._ends(known, _LATEST)
        return {place: (starts[place], ends[place]) for place in known}

    def alter(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        """Commit; to forget single ones all are forgotten, and the others committed again."""
        before = {_place(one): one for one in self._listed()}
        dropped = {place for place, offset in offsets.items() if offset is None}
        wanted = {
            place: _moved(place, offset, before.get(place))
            for place, offset in offsets.items()
            if offset is not None
        }
        if dropped & before.keys():
            kept = {place: one for place, one in before.items() if place not in offsets}
            self._begin_again(sorted([*kept.values(), *wanted.values()], key=_place))
        elif wanted:
            self._insist(lambda: self._commit([*wanted.values()]))

    def _begin_again(self, partitions: Sequence[KafkaPartition]) -> None:
        """Forget all but these. They are committed before, too, so that a refusal loses nothing."""
        if partitions:
            self._insist(lambda: self._commit(partitions))
        said = ", ".join(f"{one.topic}-{one.partition}: {one.offset}" for one in partitions)
        _log.info("Group %s is deleted, and committed again: %s.", self._group_id, said or "none")
        self.reset()
        if not partitions:
            return
        try:
            self._insist(lambda: self._commit(partitions), passes=lambda _: True)
        except WorkerError as error:
            _log.error("Group %s has lost its offsets: %s.", self._group_id, said)
            raise FatalError(
                f"the group {self._group_id} was deleted, and its other offsets could not be "
                f"committed again: alter the offsets to {said} ({error})"
            ) from error

    def reset(self) -> None:
        """Delete the group, which holds nothing but its offsets."""
        self._insist(self._delete)

    def _listed(self) -> list[KafkaPartition]:
        request = [ConsumerGroupTopicPartitions(self._group_id)]
        asked = self._admin.list_consumer_group_offsets(request, request_timeout=_ASK_S)
        try:
            found = asked[self._group_id].result(_ASK_S + 1)
        except KafkaException as error:
            if error.args[0].code() == _NO_GROUP:
                return []
            raise self._meaning(error.args[0]) from error
        except TimeoutError as error:
            raise self._silence() from error
        return [one for one in found.topic_partitions or [] if one.offset >= 0]

    def _ends(
        self, places: Iterable[TopicPartition], spec: OffsetSpec
    ) -> dict[TopicPartition, int]:
        request = {KafkaPartition(*place): spec for place in places}
        if not request:
            return {}
        asked = self._admin.list_offsets(request, request_timeout=_ASK_S)
        return {_place(one): self._answer(future).offset for one, future in asked.items()}

    def _commit(self, partitions: Sequence[KafkaPartition]) -> None:
        request = [ConsumerGroupTopicPartitions(self._group_id, [*partitions])]
        asked = self._admin.alter_consumer_group_offsets(request, request_timeout=_ASK_S)
        for one in asked[self._group_id].result(_ASK_S + 1).topic_partitions:
            if one.error is not None:
                raise KafkaException(one.error)

    def _delete(self) -> None:
        try:
            asked = self._admin.delete_consumer_groups([self._group_id], request_timeout=_ASK_S)
            asked[self._group_id].result(_ASK_S + 1)
        except KafkaException as error:
            if error.args[0].code() != _NO_GROUP:
                raise

    def _insist(
        self, change: Callable[[], None], passes: Callable[[KafkaError], bool] = _is_held
    ) -> None:
        """Try again while it is held up by what ``passes``."""
        deadline_s = time.monotonic() + self._patience_s
        while True:
            try:
                change()
            except KafkaException as error:
                if not passes(error.args[0]) or time.monotonic() >= deadline_s:
                    raise self._refused(error.args[0]) from error
                time.sleep(_AGAIN_S)
            except TimeoutError as error:
                raise self._silence() from error
            else:
                return

    def _refused(self, error: KafkaError) -> FatalError | RetriableError:
        if _is_held(error):
            return RetriableError(
                f"the group {self._group_id} still has members: stop its workers, or wait until "
                "their session ends"
            )
        return self._meaning(error)

    def _answer(self, future: Future[Any]) -> Any:  # noqa: ANN401 - untyped in the library
        try:
            return future.result(_ASK_S + 1)
        except KafkaException as error:
            raise self._meaning(error.args[0]) from error
        except TimeoutError as error:
            raise self._silence() from error

    def _silence(self) -> RetriableError:
        return RetriableError(no_answer(self._properties))

    def _meaning(self, error: KafkaError) -> FatalError | RetriableError:
        refused = verdict(error)
        if refused is not None:
            return refused
        if is_silence(error):
            return self._silence()
        return RetriableError(f"Kafka does not answer: {error.str()}")


def _place(one: KafkaPartition) -> TopicPartition:
    return TopicPartition(one.topic, one.partition)


def _moved(place: TopicPartition, offset: int, before: KafkaPartition | None) -> KafkaPartition:
    """A partition that was left in order stays so; one that was not needs its second look."""
    left = Commit(offset, Standing.CLEAN) if before is None else Commit.of(offset, before.metadata)
    left = left._replace(key_schema=None, letters=None)
    return KafkaPartition(place.topic, place.partition, offset, left.metadata)
