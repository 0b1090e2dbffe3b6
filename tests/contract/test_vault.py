"""Where credentials are kept, and that they are gone when they are destroyed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from libs.contracts.accounts import Account, OAuth
from libs.contracts.jobs import JobSecrets, Recipient
from libs.readmodel.database import Database
from libs.readmodel.model import ReadModel
from libs.readmodel.rows import TombstoneRow
from libs.vault.clickhouse import ClickHouseVault
from libs.vault.port import SecretsDestroyed
from libs.vault.recipients import Recipients
from libs.vault.rotation import rotate
from libs.vault.seal import Seal, SealBroken
from tests.contract.jobs import bytes_in, new_job, wait_until

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRETS = JobSecrets(
    source=Account(host="imap.old.example", username="vaulted-user", password=SecretStr("vaulted-pässword\0")),
    destination=Account(
        host="imap.new.example",
        username="vaulted-user-2",
        login_as="vaulted-master",
        oauth=OAuth(access_token=SecretStr("vaulted-token"), refresh_token=SecretStr("vaulted-refresh")),
    ),
)


RECIPIENT = Recipient(address=SecretStr("vaulted@new.example"), url=SecretStr("https://move.example/jobs/vaulted"))


@pytest.fixture
def vault(store: ReadModel) -> Iterator[ClickHouseVault]:
    return ClickHouseVault(store, [OLD])


def test_what_is_stored_is_opened_as_it_was(vault: ClickHouseVault) -> None:
    job = new_job()

    vault.store(job, SECRETS)

    assert vault.open(job) == SECRETS
    password = vault.open(job).source.password
    assert password is not None
    assert password.get_secret_value() == "vaulted-pässword\0"


def test_what_is_stored_again_replaces_what_was(vault: ClickHouseVault) -> None:
    job = new_job()
    vault.store(job, SECRETS)

    vault.store(job, JobSecrets(source=SECRETS.destination, destination=SECRETS.source))

    assert vault.open(job).source == SECRETS.destination


def test_no_file_holds_anything_in_clear_and_none_a_byte_once_it_is_destroyed(
    vault: ClickHouseVault, store: ReadModel, clickhouse_files: Path
) -> None:
    job, other = new_job(), new_job()
    vault.store(job, SECRETS)
    vault.store(other, SECRETS)
    sealed = store.sealed(job)
    assert sealed is not None
    pieces = [sealed[start : start + 24] for start in range(24, len(sealed) - 24, 24)]  # from behind version and time
    wait_until(lambda: in_files(clickhouse_files, pieces) == len(pieces))
    assert in_files(clickhouse_files, ["vaulted-"]) == 0

    vault.destroy(job)

    with pytest.raises(SecretsDestroyed):
        vault.open(job)
    wait_until(lambda: in_files(clickhouse_files, pieces) == 0, seconds=10)
    assert vault.open(other) == SECRETS


def test_destroying_what_is_not_held_is_fine(vault: ClickHouseVault) -> None:
    job = new_job()

    vault.destroy(job)
    vault.destroy(job)

    with pytest.raises(SecretsDestroyed):
        vault.open(job)


def test_nothing_is_stored_for_a_deleted_job(vault: ClickHouseVault, store: ReadModel) -> None:
    job = new_job()
    store.write([TombstoneRow(job_id=job, deleted_at=datetime.now(UTC))], now=datetime.now(UTC))

    vault.store(job, SECRETS)

    with pytest.raises(SecretsDestroyed):
        vault.open(job)


def test_what_was_sealed_for_one_job_does_not_open_for_another(vault: ClickHouseVault, store: ReadModel) -> None:
    job, thief = new_job(), new_job()
    vault.store(job, SECRETS)
    sealed = store.sealed(job)
    assert sealed is not None

    store.keep_sealed(thief, sealed, datetime.now(UTC))

    with pytest.raises(SealBroken):
        vault.open(thief)


def test_with_other_keys_nothing_opens_and_nothing_is_told(vault: ClickHouseVault, store: ReadModel) -> None:
    job = new_job()
    vault.store(job, SECRETS)

    with pytest.raises(SealBroken) as broken:
        ClickHouseVault(store, [NEW]).open(job)

    assert "vaulted" not in repr(broken.value)


def test_rotation_seals_anew_with_the_newest_key_and_leaves_nothing_of_the_old(
    vault: ClickHouseVault, store: ReadModel, database: Database, clickhouse_files: Path
) -> None:
    database.execute("TRUNCATE TABLE vault")
    database.execute("TRUNCATE TABLE notifications")
    job, stranger = new_job(), new_job()
    vault.store(job, SECRETS, run=2)
    Recipients(store, [OLD]).store(job, RECIPIENT)
    ClickHouseVault(store, [Fernet.generate_key().decode()]).store(stranger, SECRETS)
    before = store.sealed(job), store.notification(job)
    assert before[0] is not None
    assert before[1] is not None

    assert rotate(store, [NEW, OLD]) == {"vault": (1, 1), "notifications": (1, 0)}

    assert ClickHouseVault(store, [NEW]).open(job) == SECRETS
    assert Recipients(store, [NEW]).open(job) == RECIPIENT
    with pytest.raises(SealBroken):
        vault.open(job)
    old = [before[0][60:100], before[1][60:100]]
    wait_until(lambda: in_files(clickhouse_files, old) == 0, seconds=10)
    vault.destroy(job, run=1)
    assert ClickHouseVault(store, [NEW]).open(job) == SECRETS  # it is still of its second run


def test_what_is_stored_while_keys_are_rotated_stays(vault: ClickHouseVault, store: ReadModel) -> None:
    """A token that was refreshed: the one before it may not open anything any more."""
    job = new_job()
    vault.store(job, JobSecrets(source=SECRETS.destination, destination=SECRETS.source))

    def renew(sealed: str) -> str:
        vault.store(job, SECRETS)
        return sealed

    assert store.reseal("vault", job, renew, datetime.now(UTC))

    assert vault.open(job) == SECRETS


def test_a_broken_text_is_refused() -> None:
    seal = Seal([OLD], JobSecrets)
    sealed = seal.seal(new_job(), SECRETS)

    other = "B" if sealed[50] == "A" else "A"
    for text in ("", "nonsense", sealed[:-10], sealed[:50] + other + sealed[51:]):
        with pytest.raises(SealBroken):
            seal.open(new_job(), text)
        with pytest.raises(SealBroken):
            seal.renew(new_job(), text)


@pytest.mark.parametrize("keys", [[], ["short"], [OLD, "not a key"]])
def test_keys_that_are_none_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError):
        Seal(keys, JobSecrets)


def test_secrets_do_not_show_where_they_are_printed() -> None:
    assert "vaulted-p" not in repr(SECRETS) + str(SECRETS) + json.dumps(SECRETS.model_dump(mode="json"))


def in_files(directory: Path, pieces: list[str]) -> int:
    """How many of the pieces are in any file."""
    content = bytes_in(directory)
    return sum(piece.encode() in content for piece in pieces)
