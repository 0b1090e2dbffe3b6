"""A real server that shows every folder of an account under two names."""

from collections import Counter
from functools import partial

import pytest

from libs.mailbox.connect import connect
from tests.integration.conftest import policy_for
from tests.integration.test_changes_during_a_run import mail, put
from tests.mail.imap import connected
from tests.mail.real import Real
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

        with connected(there) as client:
            client.select("Letters", readonly=True)
            found = client.uid("FETCH", "1:*", "BODY.PEEK[]")[1]
    arrived = Counter(part[1] for part in found if isinstance(part, tuple))
    assert ["Alias/Letters", "Letters"] in [sorted(row.source_names) for row in world.store.folders(job)]
    assert arrived == Counter(mail(name) for name in ("before", "one", "two", "one", "two"))
