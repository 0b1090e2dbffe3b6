"""Names for servers that refuse a folder's own."""

import pytest

from services.scanner.naming import fold
from services.scanner.standins import stand_ins


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ('say "hi"', "say _hi_"),
        ("back\\slash", "back_slash"),
        ("100%", "100_"),
        ("~mine", "_mine"),
        ("a.b/c", "a_b/c"),
        (" blanks ", "blanks"),
        ("A & B", None),
        ("Entwürfe", None),
    ],
)
def test_signs_are_replaced_first(name: str, first: str | None) -> None:
    found = next(stand_ins(name, "/", ()), None)

    assert found == first or (first is None and found not in (name, None))


def test_what_no_letter_is_goes_next_and_then_what_is_not_ascii() -> None:
    assert [*stand_ins("Grün 😀", "/", ())] == ["Grün _", "Grun _"]


def test_a_long_name_is_cut_in_each_level() -> None:
    assert max(map(len, [*stand_ins("x" * 200 + "/" + "y" * 200, "/", ())][-1].split("/"))) == 60


def test_a_name_that_is_taken_is_numbered() -> None:
    taken = {fold("a_b"), fold("A_B 2")}

    assert next(stand_ins("a%b", "/", taken)) == "a_b 3"


def test_an_empty_level_has_a_name_still() -> None:
    assert next(stand_ins("a/ /b", "/", ())) == "a/_/b"


def test_the_prefix_stays() -> None:
    assert next(stand_ins("INBOX.a*b", ".", ())) == "INBOX.a_b"
