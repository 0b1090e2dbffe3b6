import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.uidset import MAX_UID, count, decode, encode

UIDS = st.lists(st.one_of(st.integers(1, 30), st.integers(1, MAX_UID)), max_size=60)


@given(UIDS)
def test_what_is_encoded_is_decoded_in_its_order(uids):
    assert list(decode(encode(uids))) == uids
    assert count(encode(uids)) == len(uids)


@given(st.sets(st.integers(1, 60)))
def test_sorted_uids_take_the_fewest_ranges(uids):
    ranges = sum(1 for uid in uids if uid - 1 not in uids)
    assert len([part for part in encode(sorted(uids)).split(",") if part]) == ranges


def test_the_text_is_what_imap_writes():
    assert encode([1, 2, 3, 7]) == "1:3,7"
    assert encode([7, 1, 2]) == "7,1:2"
    assert encode([]) == ""


def test_a_range_means_the_same_in_both_directions():
    assert list(decode("3:1")) == list(decode("1:3")) == [1, 2, 3]
    assert count("3:1") == 3


@pytest.mark.parametrize(
    "text",
    ["0", "1:0", "*", "1:*", "-1", "+1", " 1", "1_0", "1:", ":1", "1,,2", ",", "1:2:3", "4294967296", "a", "²", "١"],
)
def test_what_is_not_a_uid_set_is_refused(text):
    with pytest.raises(ValueError, match="not a UID set"):
        list(decode(text))


def test_a_large_range_is_decoded_and_counted_without_making_it():
    assert next(decode(f"1:{MAX_UID}")) == 1
    assert count(f"1:{MAX_UID}") == MAX_UID


@given(st.text(alphabet="0123456789:,*", max_size=12))
def test_any_text_is_either_counted_as_it_is_decoded_or_refused(text):
    try:
        counted = count(text)
    except ValueError:
        with pytest.raises(ValueError, match="not a UID set"):
            list(decode(text))
    else:
        if counted < 1000:
            assert len(list(decode(text))) == counted
