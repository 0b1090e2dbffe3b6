"""Names of one folder, and folders that look like one, on real servers."""

from collections import Counter
from functools import partial

import pytest

from libs.contracts.accounts import Account
from libs.mailbox.connect import connect
from tests.integration.conftest import policy_for
from tests.integration.test_changes_during_a_run import mail, put
from tests.mail.imap import connected
from tests.mail.real import Real
from tests.servers.courier import Courier
from tests.servers.dovecot import Dovecot
from tests.unit.world import World

ALIAS = """namespace alias {
  prefix = Alias/
  separator = /
  alias_for =
  list = yes
}
"""


@pytest.mark.usefixtures("dovecot_installed")
def test_rule_1_two_names_of_one_folder_share_a_plan_and_no_copy_is_missing() -> None:
    with Dovecot() as plain, Dovecot(settings=ALIAS) as aliased:
        here, there, world = plain.account("ann"), aliased.account("ann"), World()
        world.models["source.example"] = Real(partial(connect, here, policy_for(plain)))  # type: ignore[assignment]
        world.models["destination.example"] = Real(partial(connect, there, policy_for(aliased)))  # type: ignore[assignment]
        for account, folder, names in (
            (there, "Letters", ["before"]),
            (here, "Letters", ["one", "two"]),
            (here, "Alias/Letters", ["one", "two", "before"]),
        ):
            with connected(account) as client:
                client.create(folder)
            put(account, folder, *names)

        job = world.run(seconds=60)
        world.close()

        arrived = mail_in(there, "Letters")
    assert ["Alias/Letters", "Letters"] in [sorted(row.source_names) for row in world.store.folders(job)]
    assert arrived == Counter(mail(name) for name in ("before", "one", "two", "one", "two"))


@pytest.mark.usefixtures("dovecot_installed")
def test_rule_1_two_folders_with_the_same_mail_and_the_same_numbers_stay_two(courier: Courier) -> None:
    with Dovecot() as dovecot:
        here, there, world = dovecot.account("ann"), courier.account("alike"), World()
        world.models["source.example"] = Real(partial(connect, here, policy_for(dovecot)))  # type: ignore[assignment]
        world.models["destination.example"] = Real(partial(connect, there, policy_for(courier)))  # type: ignore[assignment]
        with connected(here) as client:
            client.create("Letters")
            client.create("Copies")
        put(here, "Letters", "one", "two")
        copy(here, "1:2", "Letters", "Copies")
        make_at_once(there, "INBOX.Letters", "INBOX.Copies")
        world.end(world.run(seconds=60, job_id="first"))
        put(here, "Letters", "three")
        copy(here, "3", "Letters", "Copies")

        world.run(seconds=60, job_id="second")
        world.close()

        arrived = [mail_in(there, f"INBOX.{folder}") for folder in ("Letters", "Copies")]
    assert arrived == [Counter(mail(name) for name in ("one", "two", "three"))] * 2


def mail_in(account: Account, folder: str) -> Counter[bytes]:
    with connected(account) as client:
        client.select(folder, readonly=True)
        found = client.uid("FETCH", "1:*", "BODY.PEEK[]")[1]
    return Counter(part[1] for part in found if isinstance(part, tuple))


def copy(account: Account, messages: str, folder: str, into: str) -> None:
    with connected(account) as client:
        client.select(folder)
        assert client.copy(messages, into)[0] == "OK"


def make_at_once(account: Account, *folders: str) -> None:
    """Folders with the same UIDVALIDITY."""
    with connected(account) as client:
        while True:
            for folder in folders:
                client.create(folder)
            if len({client.status(folder, "(UIDVALIDITY)")[1][0].rpartition(b'"')[2] for folder in folders}) == 1:
                return
            for folder in folders:
                client.delete(folder)
