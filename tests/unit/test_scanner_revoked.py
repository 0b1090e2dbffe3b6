"""A scan that goes on after its account was given back to the group, and perhaps got a new owner."""

from collections.abc import Sequence

import pytest

from libs.contracts import topics
from libs.contracts.events import FolderPlanned, ScanFailed
from libs.readmodel.rows import PlanRow
from tests.mail.trouble import Do, Fault, Refused
from tests.unit.world import WORLD, bodies, equal, reconciled


@pytest.mark.parametrize("then", [[], [Refused()]], ids=["it reads the folder", "the folder is refused"])
def test_rule_3_a_scan_that_outlives_its_account_stores_no_second_plan_and_fails_nothing(
    make: WORLD, then: Sequence[Fault]
) -> None:
    world = make()
    world.source.put("INBOX", *bodies(5))
    for fault in (Do(lambda: world.process.scanner.give_back(0)), *then):
        world.source.at("listing", 1, fault)
    job = world.request()
    process = world.start()
    world.wait_for(lambda: world.source.operations["listing"] > 0)
    process.scanner.give_back()

    assert world.store.rows(PlanRow) == []
    assert not any(isinstance(event, FolderPlanned | ScanFailed) for event in world.progress(job))
    assert world.done[topics.FOLDER_SCANS.name] == {0}, "the preparation alone"

    process.kill()
    world.finish(job)
    assert len(world.store.rows(PlanRow)) == 1
    equal(world)
    reconciled(world)
