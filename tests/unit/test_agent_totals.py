"""From increments to totals: whatever is repeated, lost on the way or done twice, the numbers are those of the log."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.events import AgentReported, Delta, EntityReport
from libs.contracts.ids import AgentId, JobId
from libs.readmodel.rows import AgentBatchRow, AgentTotalsRow, BatchRow, EntityTotalsRow
from libs.readmodel.upkeep import Reported
from services.aggregator.reports import MOST, Report, counted

JOB = JobId("j")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def report(offset: int, batch: str, **change: Any) -> Report:
    event = AgentReported(
        job_id=JOB,
        agent_id=AgentId("a"),
        batch_id=batch,
        completed=1,
        failed=0,
        skipped=0,
        bytes_completed=100,
        delta=Delta(items=1, bytes=100, seconds=0),
    )
    return Report(replace(event, **change), offset, AT + timedelta(seconds=offset))


class Table:
    """What is stored, as the aggregator reads it back."""

    def __init__(self) -> None:
        self.known = Reported()
        self.history: dict[int, BatchRow] = {}

    def apply(self, reports: Sequence[Report], *, killed_after: int | None = None) -> list[JobId]:
        """`killed_after`: so many rows are written, then the process ends."""
        stamped, begun = counted(reports, self.known)
        for each in stamped[:killed_after]:
            match each.row:
                case AgentBatchRow():
                    first = self.known.first.get((JOB, each.row.batch_id), each.row.offset)
                    self.known.first[JOB, each.row.batch_id] = min(first, each.row.offset)
                case EntityTotalsRow():
                    self.known.entities[JOB, each.row.entity_id] = each.row
                case AgentTotalsRow():
                    self.known.totals[JOB] = each.row
                case BatchRow():
                    self.history[each.row.offset] = each.row
                case _:
                    raise AssertionError(each)
        return begun

    @property
    def totals(self) -> AgentTotalsRow:
        return self.known.totals[JOB]


def test_a_repeated_report_counts_once() -> None:
    table = Table()
    table.apply([report(1, "a", completed=5), report(2, "b", completed=2), report(3, "a", completed=5)])
    table.apply([report(4, "b", completed=2)])

    assert (table.totals.completed, table.totals.bytes_completed) == (7, 200)
    assert sum(row.items for row in table.history.values()) == 7


def test_of_two_reports_with_one_id_the_first_in_the_log_counts() -> None:
    table = Table()
    table.apply([report(1, "a", completed=5)])
    table.apply([report(2, "a", completed=50)])

    assert table.totals.completed == 5


def test_nothing_counts_after_the_report_that_ended_the_job() -> None:
    table = Table()
    table.apply([report(1, "a", state="completed"), report(2, "b")])
    table.apply([report(3, "c", state="running")])

    assert (table.totals.completed, table.totals.state) == (1, "completed")


def test_a_job_begins_with_its_first_report() -> None:
    table = Table()

    assert table.apply([report(1, "a"), report(2, "b")]) == [JOB]
    assert table.apply([report(3, "c")]) == []
    assert table.totals.started_at == AT + timedelta(seconds=1)


def test_what_is_announced_stays_until_it_is_announced_anew() -> None:
    table = Table()
    table.apply([report(1, "a", items_total=10, bytes_total=99), report(2, "b"), report(3, "c", items_total=12)])

    assert (table.totals.items_total, table.totals.bytes_total) == (12, 99)


def test_the_seconds_of_a_batch_are_those_since_the_last_report() -> None:
    table = Table()
    table.apply([report(1, "a"), report(4, "b", completed=0, bytes_completed=0), report(9, "c"), report(900, "d")])

    assert [(offset, row.seconds) for offset, row in table.history.items()] == [(1, 1.0), (9, 5.0), (900, 60.0)]


def test_an_absurd_number_fits_into_the_table() -> None:
    table = Table()
    table.apply([report(n, str(n), bytes_completed=MOST) for n in range(1, 4)])

    assert table.totals.bytes_completed == MOST


COUNTS = st.integers(0, 9)
SENT = st.lists(st.tuples(st.integers(0, 5), COUNTS, COUNTS), min_size=1, max_size=12)


@given(SENT, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 40)), max_size=6))
def test_the_totals_are_those_of_the_log_however_it_is_delivered(
    sent: list[tuple[int, int, int]], failures: list[tuple[int, int, int]]
) -> None:
    """Each failure delivers the log from somewhere at or before what was acknowledged, and is killed on the way."""
    entities = [(EntityReport(entity_id="e", imported=more, skipped=0, errored=0),) for _, _, more in sent]
    log = [
        report(offset, str(batch), completed=items, bytes_completed=items, entities=entities[offset])
        for offset, (batch, items, _) in enumerate(sent)
    ]
    table, acknowledged = Table(), 0
    for begin, length, rows in failures:
        begin = min(begin, acknowledged)
        delivered = log[begin : begin + length]
        before = counted(delivered, table.known)[0]
        table.apply(delivered, killed_after=rows)
        if rows >= len(before):
            acknowledged = max(acknowledged, begin + len(delivered))
    table.apply(log[acknowledged:])

    counting = {batch: index for index, (batch, _, _) in reversed(list(enumerate(sent)))}.values()
    assert table.totals.completed == sum(sent[index][1] for index in counting)
    assert table.known.entities[JOB, "e"].imported == sum(sent[index][2] for index in counting)
    assert sum(row.items for row in table.history.values()) == table.totals.completed
