"""UID sets as they are asked for."""

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts import uidset
from libs.mailbox.uidranges import SET_CHARACTERS, UidRanges, split

UIDS = st.sets(st.integers(1, 2**32 - 1), min_size=1, max_size=200)


def test_an_open_end_means_those_above_and_not_the_last_one_below() -> None:
    ranges = UidRanges("100:*")

    assert 3 not in ranges
    assert 100 in ranges
    assert 2**32 - 1 in ranges


@given(UIDS)
def test_a_set_holds_its_members_and_nothing_else(uids: set[int]) -> None:
    ranges = UidRanges(uidset.encode(sorted(uids, reverse=True)))

    assert all(uid in ranges for uid in uids)
    assert not any(uid + 1 in ranges for uid in uids if uid + 1 not in uids)


@given(st.lists(st.integers(1, 2**32 - 1), max_size=3000))
def test_a_long_set_is_asked_for_in_parts(uids: list[int]) -> None:
    whole = uidset.encode(uids)
    parts = list(split(whole))

    assert ",".join(parts) == whole
    assert all(0 < len(part) <= SET_CHARACTERS for part in parts)
