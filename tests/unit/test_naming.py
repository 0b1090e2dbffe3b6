"""Which destination folder each source folder goes into."""

import unicodedata
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from libs.mailbox.port import Folder, Namespace
from services.scanner.naming import FolderMapping, Side, collision_warnings, fold, map_folders


def side(*names: str, delimiter: str | None = "/", prefix: str = "", uses: dict[str, str] | None = None) -> Side:
    return Side(
        folders=[
            Folder(wire=name, name=name, delimiter=delimiter, special_use=(uses or {}).get(name)) for name in names
        ],
        namespace=Namespace(prefix=prefix, delimiter=delimiter),
    )


def names(mappings: Sequence[FolderMapping]) -> dict[str, str]:
    return {folder.name: mapping.destination_name for mapping in mappings for folder in mapping.sources}


def mapped(source: Side, destination: Side, **options: object) -> dict[str, str]:
    return names(map_folders(source, destination, **{"folder_map": {}, **options}))  # type: ignore[arg-type]


def test_a_name_stays_where_delimiters_agree() -> None:
    assert mapped(side("INBOX", "Archive/2024"), side("INBOX")) == {"INBOX": "INBOX", "Archive/2024": "Archive/2024"}


def test_delimiters_are_translated_and_the_destinations_own_is_replaced_inside_a_name() -> None:
    assert mapped(side("a/b", "v1.0/x"), side("INBOX", delimiter=".")) == {"a/b": "a.b", "v1.0/x": "v1_0.x"}


def test_a_destination_without_levels_gets_one_name() -> None:
    assert mapped(side("a/b"), side("INBOX", delimiter=None)) == {"a/b": "a_b"}


def test_a_source_without_levels_keeps_its_names_whole() -> None:
    assert mapped(side("a.b", delimiter=None), side("INBOX", delimiter="/")) == {"a.b": "a.b"}


def test_the_sources_prefix_goes_and_the_destinations_comes() -> None:
    below = side("INBOX", "INBOX.Sent", "INBOX.a.b", delimiter=".", prefix="INBOX.")

    assert mapped(below, side("INBOX")) == {"INBOX": "INBOX", "INBOX.Sent": "Sent", "INBOX.a.b": "a/b"}
    assert mapped(side("INBOX", "Sent", "a/b"), below) == {"INBOX": "INBOX", "Sent": "INBOX.Sent", "a/b": "INBOX.a.b"}
    assert mapped(below, below) == {name: name for name in ("INBOX", "INBOX.Sent", "INBOX.a.b")}


def test_a_folder_below_the_inbox_is_not_put_below_it_twice() -> None:
    assert mapped(side("INBOX/x"), side("INBOX", delimiter=".", prefix="INBOX.")) == {"INBOX/x": "INBOX.x"}


def test_the_inbox_is_the_inbox_in_any_letter_case_and_comes_first() -> None:
    mappings = map_folders(side("a", "Inbox"), side("INBOX"), folder_map={})

    assert [mapping.destination_name for mapping in mappings] == ["INBOX", "a"]


def test_special_use_comes_before_the_name() -> None:
    source = side(
        "Gesendet", "Papierkorb", "Alle", uses={"Gesendet": "\\Sent", "Papierkorb": "\\Trash", "Alle": "\\All"}
    )
    destination = side("INBOX", "Sent Items", "All", uses={"Sent Items": "\\Sent", "All": "\\All"})

    assert mapped(source, destination) == {"Gesendet": "Sent Items", "Papierkorb": "Papierkorb", "Alle": "Alle"}


def test_the_folder_map_comes_before_everything() -> None:
    source = side("INBOX", "Sent", uses={"Sent": "\\Sent"})
    destination = side("INBOX", "Sent Items", uses={"Sent Items": "\\Sent"})

    assert mapped(source, destination, folder_map={"INBOX": "Old/Inbox", "Sent": "Old/Sent"}) == {
        "INBOX": "Old/Inbox",
        "Sent": "Old/Sent",
    }


def test_folders_that_hold_no_mail_are_left_out() -> None:
    source = Side(
        folders=[
            Folder(wire="a", name="a", delimiter="/", selectable=False),
            Folder(wire="a/b", name="a/b", delimiter="/"),
        ],
        namespace=Namespace(prefix="", delimiter="/"),
    )

    assert mapped(source, side("INBOX")) == {"a/b": "a/b"}


def test_globs_include_and_exclude_without_letter_case_and_with_a_slash_for_any_delimiter() -> None:
    source = side("INBOX", "Archive.2023", "Archive.2024", "Junk", delimiter=".")

    assert set(mapped(source, side("INBOX"), include=["archive/*"])) == {"Archive.2023", "Archive.2024"}
    assert set(mapped(source, side("INBOX"), include=["Archive.*"], exclude=["*2023"])) == {"Archive.2024"}
    assert set(mapped(source, side("INBOX"), exclude=["JUNK"])) == {"INBOX", "Archive.2023", "Archive.2024"}


def test_names_that_differ_in_letter_case_or_composition_share_one_folder_and_it_is_said() -> None:
    composed = "Gr\u00f6\u00dfe"
    decomposed = unicodedata.normalize("NFD", composed).upper()
    mappings = map_folders(side(composed, decomposed, "other"), side("INBOX"), folder_map={})

    assert len(mappings) == 2
    (warning,) = collision_warnings(mappings)
    assert composed in warning
    assert decomposed in warning


def test_a_folder_that_exists_keeps_its_spelling() -> None:
    assert mapped(side("archive"), side("INBOX", "Archive")) == {"archive": "Archive"}


def test_letters_that_case_folding_takes_apart_are_composed_again() -> None:
    assert fold("\u0390") == fold("\u03aa\u0301") == fold("\u03b9\u0308\u0301")


PART = st.text(st.sampled_from("aAbäÄ\u0308./_ß"), min_size=1, max_size=4)
DELIMITER = st.sampled_from(["/", ".", "\\", None])


@given(
    parts=st.lists(st.lists(PART, min_size=1, max_size=3), max_size=8),
    existing=st.lists(PART, max_size=3),
    delimiters=st.tuples(DELIMITER, DELIMITER),
    prefix=st.sampled_from(["", "INBOX"]),
    used=st.none() | st.integers(0, 7),
)
def test_every_source_folder_has_one_destination_and_no_two_destinations_are_one_name(
    parts: list[list[str]],
    existing: list[str],
    delimiters: tuple[str | None, str | None],
    prefix: str,
    used: int | None,
) -> None:
    here, there = delimiters
    given_names = sorted({(here or "").join(part) for part in parts})
    uses = {given_names[used]: "\\Sent"} if used is not None and used < len(given_names) else {}
    source = side("INBOX", *given_names, delimiter=here, uses=uses)
    destination = side(
        "INBOX",
        *existing,
        delimiter=there,
        prefix=prefix + there if prefix and there else "",
        uses=dict.fromkeys(existing[:1], "\\Sent"),
    )

    mappings = map_folders(source, destination, folder_map={})

    assert sorted(folder.name for mapping in mappings for folder in mapping.sources) == sorted(["INBOX", *given_names])
    folded = [fold(mapping.destination_name) for mapping in mappings]
    assert len(set(folded)) == len(folded)
