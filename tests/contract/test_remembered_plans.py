"""What an earlier job left behind, as the scanner of a later one may rely on it."""

from dataclasses import replace
from typing import Any

import pytest

from libs.contracts.ids import AccountDigest, FolderId, JobId
from libs.contracts.jobs import JobOptions
from libs.readmodel.model import ReadModel
from libs.readmodel.port import Remembered
from libs.readmodel.rows import AuditRow, PlanRow, PlanSource, TombstoneRow, TotalsRow
from tests.contract.jobs import at, new_job, plan_id, request


def accounts(job: JobId) -> dict[str, AccountDigest]:
    return {"account_digest": AccountDigest(f"to {job}"), "source_digest": AccountDigest(f"from {job}")}


def planned(job: JobId, number: int = 1) -> PlanRow:
    return PlanRow(
        job_id=job,
        folder_id=FolderId("1"),
        plan_id=plan_id("1", number),
        number=number,
        destination_wire="there",
        destination_uidvalidity=9,
        destination_uidnext=2**32,
        destination_exists=7,
        boundary=8,
        sources=(PlanSource(wire="é", uidvalidity=7, uids="1:6", uidnext=2**32 - 1, exists=6),),
        items=6,
        bytes=600,
        skipped_present=0,
        skipped_filtered=0,
        bytes_skipped=0,
    )


def carried_out(job: JobId, totals: dict[str, Any], audit: dict[str, Any]) -> list[TotalsRow | AuditRow]:
    done = TotalsRow(
        job_id=job,
        plan_id=plan_id("1"),
        folder_id=FolderId("1"),
        worker="w",
        completed=6,
        skipped=0,
        failed=0,
        bytes_completed=600,
        finished=True,
        stopped=False,
        reported_at=at(5),
    )
    seen = AuditRow(
        job_id=job, plan_id=plan_id("1"), level="size", verified=6, rewritten=0, removed=0, recovered=0, surplus=0
    )
    return [replace(done, **totals), replace(seen, **audit)]


def test_a_plan_that_was_carried_out_is_found_by_a_later_job_between_the_same_accounts(store: ReadModel) -> None:
    job = new_job()
    options = JobOptions(max_item_bytes=5, verify="deep")
    store.write([request(job, options=options, **accounts(job)), planned(job), *carried_out(job, {}, {})], now=at(0))
    later = request(new_job(), **accounts(job))

    assert store.remembered(later) == {"there": Remembered(planned(job), options)}
    assert store.remembered(request(job, **accounts(job))) == {}
    for digest in ("account_digest", "source_digest"):
        assert store.remembered(replace(later, **{digest: AccountDigest("another")})) == {}


@pytest.mark.parametrize(
    ("totals", "audit"),
    [
        ({"finished": False}, {}),
        ({"stopped": True}, {}),
        ({"completed": 5}, {}),
        ({"completed": 5, "failed": 1}, {}),
        ({"completed": 5, "skipped": 1}, {}),
        ({}, {"verified": 5}),
        ({}, {"rewritten": 1}),
        ({}, {"removed": 1}),
    ],
)
def test_a_plan_with_any_flaw_is_not_found(store: ReadModel, totals: dict[str, Any], audit: dict[str, Any]) -> None:
    job = new_job()
    store.write([request(job, **accounts(job)), planned(job), *carried_out(job, totals, audit)], now=at(0))

    assert store.remembered(request(new_job(), **accounts(job))) == {}


def test_nothing_is_remembered_of_a_deleted_job(store: ReadModel) -> None:
    job = new_job()
    store.write([request(job, **accounts(job)), planned(job), *carried_out(job, {}, {})], now=at(0))
    store.write([TombstoneRow(job_id=job, deleted_at=at(1))], now=at(1))

    assert store.remembered(request(new_job(), **accounts(job))) == {}
