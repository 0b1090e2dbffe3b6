"""Folders that a server can't open because of an error of its own: a few tries, then they fail alone."""

import pytest

from libs.contracts.reasons import Reason
from tests.unit.world import WORLD, bodies, equal, reconciled


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_folder_that_can_not_be_opened_fails_alone_with_the_servers_words(make: WORLD, side: str) -> None:
    world = make()
    world.source.put("INBOX", *bodies(3))
    world.source.put("Broken", *bodies(2, "broken"))
    world.destination.add_folder("Broken")
    world.models[f"{side}.example"].failing["Broken"] = float("inf")

    job = world.run()

    assert world.destination.bodies("INBOX") == bodies(3)
    failed = world.failures()
    assert {(row.reason, row.server_text) for row in failed} == {
        (Reason.FOLDER_FAILING, "NO [SERVERBUG] internal error")
    }
    assert [row.uid for row in failed] == ([0] if side == "source" else [1, 2])
    assert set(world.destination.folders) == {"INBOX", "Broken"}  # no other name: it may be well tomorrow
    assert world.scan_failures(job) == []
    reconciled(world)


def test_source_folders_that_share_a_destination_folder_fail_one_by_one(make: WORLD) -> None:
    world = make()
    world.source.put("Post", *bodies(3))
    world.source.put("post", *bodies(2, "broken"))
    world.source.failing["post"] = float("inf")

    world.run()

    assert world.destination.bodies("Post") == bodies(3)
    assert [(row.reason, row.source, row.uid) for row in world.failures()] == [(Reason.FOLDER_FAILING, 1, 0)]


@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_error_that_passes_fails_nothing_and_changes_no_name(make: WORLD, side: str) -> None:
    world = make()
    world.source.put("Shaky", *bodies(3))
    world.destination.add_folder("Shaky")
    world.models[f"{side}.example"].failing["Shaky"] = 3

    world.run()

    equal(world)
    assert world.failures() == []
    assert set(world.destination.folders) == {"INBOX", "Shaky"}
    reconciled(world)


def test_a_folder_that_fails_when_its_state_is_asked_is_listed_as_if_it_were_unknown(make: WORLD) -> None:
    world = make()
    world.source.put("Sent", *bodies(3))
    world.end(world.run(job_id="first"))
    world.destination.failing["Sent"] = 1

    second = world.run(job_id="second")

    assert (world.counts(second).completed, world.counts(second).skipped) == (0, 3)
    equal(world)
