"""Which destination folders a job subscribes to."""

import pytest

from libs.contracts.ids import JobId
from libs.mailbox.port import Folder
from services.scanner.folders import folder_row
from services.scanner.naming import FolderMapping


def folder(*, subscribed: bool) -> Folder:
    return Folder(wire="Post", name="Post", delimiter="/", subscribed=subscribed)


@pytest.mark.parametrize(
    ("at_source", "at_destination", "any_at_source", "wanted"),
    [
        (True, None, True, True),
        (False, None, True, False),  # it was hidden on purpose
        (False, None, False, True),  # who subscribes to nothing has a program that shows every folder
        (True, False, True, True),
        (True, True, True, False),  # nothing is left to be done
        (False, False, True, False),
        (False, False, False, False),  # it was not subscribed before, and nobody asked for it
    ],
)
def test_what_is_subscribed_at_the_source_is_subscribed_at_the_destination(
    at_source: bool, at_destination: bool | None, any_at_source: bool, wanted: bool
) -> None:
    existing = None if at_destination is None else folder(subscribed=at_destination)
    mapping = FolderMapping(sources=(folder(subscribed=at_source),), destination_name="Post")

    row = folder_row(JobId("job"), 1, mapping, existing, subscribes=any_at_source)

    assert row.subscribe is wanted
