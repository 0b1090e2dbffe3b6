"""A master key is replaced while jobs live: docs/operations.md."""

import pytest
from cryptography.fernet import Fernet

from tests.distributed.cluster import Cluster
from tests.distributed.moves import SLOW_MBPS, Move

pytestmark = pytest.mark.timeout(200)


def test_a_job_that_began_under_the_old_key_completes_when_only_the_new_one_is_left(cluster: Cluster) -> None:
    move = Move(cluster, *cluster.long_accounts(), SLOW_MBPS)
    move.wait(lambda view: view["items_completed"] > 0, 60)
    (api,) = cluster.of("api")
    old, new = api.setting("MASTER_KEYS"), Fernet.generate_key().decode()
    cluster.restart(MASTER_KEYS=f"{new},{old}")

    told = "credentials: 1 sealed anew, 0 open with none of these keys\n"
    assert api.command("admin", "rotate") == (
        0,
        f"{told}addresses to tell: 0 sealed anew, 0 open with none of these keys\n",
    )

    cluster.restart(MASTER_KEYS=new)
    move.hurry()
    move.arrives()
