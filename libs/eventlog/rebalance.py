"""How a consumer gives its partitions back: nothing of them is acknowledged any more once that has begun.

Faust drops what it knows of a revoked partition and then goes on serving: a message acknowledged a moment later
would be the only one it knows, and be committed past all that are unfinished before it.
"""

from typing import TYPE_CHECKING, cast

from faust.transport.consumer import Consumer
from faust.types import TP

if TYPE_CHECKING:
    from libs.eventlog.app import App


class RebalancingConsumer(Consumer):
    """What both transports' consumers share."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        app = cast("App", self.app)
        app.give_back()
        await super().on_partitions_revoked(revoked)
        await app.wait_for_work(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        for tp in assigned:
            self._acked.pop(tp, None)
            self._acked_index.pop(tp, None)
        cast("App", self.app).take_over()
        await super().on_partitions_assigned(assigned, generation_id)
