"""What is known of a plan, and that it is known again after a crash."""

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts import uidset
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AckRow, FailureRow, PlanSource
from services.copier.ledger import Ledger, Ref, Totals
from tests.unit.fakes import utc_now
from tests.unit.plans import plan_of

PLAN = plan_of(
    [PlanSource(wire="a", uidvalidity=7, uids="1:6,9"), PlanSource(wire="b", uidvalidity=8, uids="2:5")],
    destination_uidvalidity=70,
)
REFS = list(Ledger(PLAN).order())


def test_the_order_is_that_of_the_plan_folder_by_folder() -> None:
    assert [Ref(0, uid) for uid in (1, 2, 3, 4, 5, 6, 9)] + [Ref(1, uid) for uid in (2, 3, 4, 5)] == REFS


def test_what_is_delivered_failed_or_gone_does_not_remain() -> None:
    ledger = Ledger(PLAN)
    ledger.deliver([Ref(0, 1), Ref(0, 3)], [10, 30], 70, [100, 101])
    ledger.fail(Ref(0, 2), Reason.MESSAGE_REFUSED, "NO", 20, utc_now())
    ledger.gone(Ref(1, 2), utc_now())

    assert ledger.remaining() == [ref for ref in REFS if ref not in (Ref(0, 1), Ref(0, 2), Ref(0, 3), Ref(1, 2))]
    assert ledger.totals() == Totals(completed=2, skipped=1, failed=1, bytes_completed=40)
    assert ledger.delivered_uids() == {100: Ref(0, 1), 101: Ref(0, 3)}


def test_what_could_not_be_stored_comes_first_the_next_time() -> None:
    ledger = Ledger(PLAN)
    ledger.deliver([Ref(0, 1)], [10], 70, [100])
    unflushed, totals = ledger.take_unflushed()
    ledger.deliver([Ref(0, 2)], [10], 70, [101])
    ledger.give_back(unflushed)

    again, _ = ledger.take_unflushed()

    assert totals.completed == 1
    assert [ack.source_uids for ack in again.acks] == ["1", "2"]
    assert ledger.take_unflushed()[0].acks == []


def test_a_note_changes_no_total() -> None:
    ledger = Ledger(PLAN)
    ledger.deliver([Ref(0, 1)], [10], 70, [100])
    before = ledger.totals()

    ledger.note(Ref(0, 1), Reason.REWRITTEN, utc_now())

    assert ledger.totals() == before
    assert [row.outcome for row in ledger.take_unflushed()[0].failures] == ["noted"]


def test_an_answer_without_uids_is_known_as_delivered_under_none() -> None:
    ledger = Ledger(PLAN)
    ledger.deliver([Ref(0, 1), Ref(0, 2)], [10, 20], None, None)
    ledger.name(Ref(0, 2), 55)

    assert ledger.delivered_unnamed() == [Ref(0, 1)]
    assert ledger.delivered_uids() == {55: Ref(0, 2)}
    assert ledger.totals().bytes_completed == 30


@given(st.permutations(REFS), st.data())
def test_a_ledger_rebuilt_from_its_rows_equals_itself(refs: list[Ref], data: st.DataObject) -> None:
    ledger, acks, failures = Ledger(PLAN), list[AckRow](), list[FailureRow]()
    uid = 1000
    while refs:
        part = [refs.pop()]
        match data.draw(st.sampled_from(["deliver", "deliver unnamed", "fail", "fail, then deliver", "gone", "leave"])):
            case "deliver":
                while refs and refs[-1].source == part[0].source and len(part) < 4:
                    part.append(refs.pop())
                uids = data.draw(st.permutations(range(uid, uid + len(part))))
                ledger.deliver(part, [ref.uid * 10 for ref in part], 70, uids)
            case "deliver unnamed":
                ledger.deliver(part, [1], None, None)
            case "fail":
                ledger.fail(part[0], Reason.MESSAGE_REFUSED, "NO", 1, utc_now())
            case "fail, then deliver":
                ledger.fail(part[0], Reason.MESSAGE_REFUSED, "NO", 1, utc_now())
                ledger.deliver(part, [1], 70, [uid])
            case "gone":
                ledger.gone(part[0], utc_now())
            case _:
                pass
        uid += len(part)
        if data.draw(st.booleans()):
            unflushed, _ = ledger.take_unflushed()
            acks += unflushed.acks
            failures += unflushed.failures
    unflushed, totals = ledger.take_unflushed()

    rebuilt = Ledger(PLAN, acks + unflushed.acks, failures + unflushed.failures)

    assert rebuilt.totals() == totals == ledger.totals()
    assert rebuilt.remaining() == ledger.remaining()
    assert rebuilt.delivered_uids() == ledger.delivered_uids()
    assert set(rebuilt.delivered_unnamed()) == set(ledger.delivered_unnamed())
    done = totals.completed + totals.skipped + totals.failed
    assert done + len(ledger.remaining()) == PLAN.items == len(REFS)
    assert all(ack.items == uidset.count(ack.source_uids) for ack in acks + unflushed.acks)
