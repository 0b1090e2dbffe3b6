"""What is stored of a destination account is read when its partition is taken over, and after a write that failed."""

from libs.contracts.ids import AccountDigest
from libs.readmodel.rows import BehaviourRow, ClaimRow
from services.copier.account_records import AccountRecords
from services.copier.lease import LogLease
from tests.unit.fakes import MemoryStore, utc_now

ACCOUNT = AccountDigest("account")


def claim(folder: str, incarnation: str) -> ClaimRow:
    return ClaimRow(account_digest=ACCOUNT, folder_digest=folder, incarnation=incarnation, open=True)


def test_claims_and_behaviours_are_found_by_their_folder() -> None:
    store = MemoryStore()
    learned = BehaviourRow(account_digest=ACCOUNT, folder_digest="f", survives="headers", filters=True)
    store.write([claim("f", "one"), claim("f", "two"), claim("g", "one"), learned], now=utc_now())

    record = AccountRecords(store).of(ACCOUNT, LogLease())

    assert record.open_claims == {"f": frozenset({"one", "two"}), "g": frozenset({"one"})}
    assert record.behaviours == {"f": learned}


def test_what_a_former_owner_wrote_is_seen_after_a_take_over_and_not_asked_for_before() -> None:
    store, lease = MemoryStore(), LogLease()
    records = AccountRecords(store)
    assert records.of(ACCOUNT, lease).open_claims == {}

    store.write([claim("f", "another")], now=utc_now())

    assert records.of(ACCOUNT, lease).open_claims == {}
    assert records.of(ACCOUNT, LogLease()).open_claims == {"f": frozenset({"another"})}


def test_after_a_write_that_failed_it_is_read_again() -> None:
    store, lease = MemoryStore(), LogLease()
    records = AccountRecords(store)
    records.of(ACCOUNT, lease)
    store.write([claim("f", "one")], now=utc_now())

    records.forget(ACCOUNT)

    assert records.of(ACCOUNT, lease).open_claims == {"f": frozenset({"one"})}
