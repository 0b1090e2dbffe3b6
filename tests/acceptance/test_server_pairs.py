"""Nine pairs of real servers: what arrives is equal, or it is listed (docs/servers.md says what each server does)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from libs.contracts.accounts import Account
from tests.acceptance.instance import Instance, Job, new_user
from tests.bench.corpora import A
from tests.mail.contents import Kept, by_uid, difference, folder_names, messages
from tests.mail.corpus import AWKWARD, Mail, small
from tests.mail.imap import plain_name
from tests.mail.seed import append
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.server import MailServer

Kind = Literal["maildir", "sdbox", "cyrus", "courier"]
PAIRS: list[tuple[Kind, Kind]] = [
    ("maildir", "sdbox"),
    ("sdbox", "cyrus"),
    ("maildir", "courier"),
    ("cyrus", "maildir"),
    ("cyrus", "cyrus"),
    ("cyrus", "courier"),
    ("courier", "sdbox"),
    ("courier", "cyrus"),
    ("courier", "courier"),
]


@dataclass(frozen=True)
class Moved:
    """One pair after its first and its second job."""

    source: Account
    destination: Account
    before: dict[tuple[str, int], Kept]
    listed: dict[tuple[str, int], str]  # what is said of messages of the source that its target does not keep
    after_first: dict[tuple[str, int], Kept]
    after_second: dict[tuple[str, int], Kept]
    first: Job
    second: Job


def corpus() -> Iterator[Mail]:
    """Corpus A at a hundredth of its size, strange mail in folders of strange names, and awkward mail."""
    yield from A.scaled(0.01).mails()
    yield from small(100).mails()
    for body in AWKWARD.values():
        yield Mail("INBOX", body, ("\\Seen", "$Forwarded"), "17-Jul-2021 02:44:25 -0330")


def taken(kind: Kind, mail: Mail) -> bool:
    """Whether mail can be put into a source of this kind at all; Dovecot and Courier take everything."""
    return kind != "cyrus" or (
        not re.search(rb"(?<!\r)\n|\0", mail.body)
        and bool(re.match(rb"\r\n|[!-9;-~]+:", mail.body))
        and not set('"\\') & set(mail.folder)
    )


def fate(kind: Kind, body: bytes) -> str | None:
    """What a target of this kind does to a message, as the table of docs/servers.md says it: why it is listed."""
    header = body.partition(b"\r\n\r\n")[0]
    bare_lf = re.search(rb"(?<!\r)\n", body)
    if kind == "cyrus":
        refused = bare_lf or b"\0" in body or not re.match(rb"\r\n|[!-9;-~]+:", body)
        return "message_refused" if refused else "rewritten" if re.search(rb"[\x80-\xff]", header) else None
    if kind == "courier":
        return "rewritten" if bare_lf or re.search(rb"\r(?!\n)", body) or not body.endswith(b"\n") else None
    return "rewritten" if bare_lf or b"\r\r\n" in body or b"\0" in body else None


@pytest.fixture(scope="module")
def moved(dovecot: Dovecot, cyrus: Cyrus, courier: Courier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """All pairs at once, in one Mailtide."""
    with ExitStack() as stack:
        sdbox = stack.enter_context(Dovecot(settings="mail_location = sdbox:~/sdbox\n"))
        servers: Mapping[Kind, MailServer] = {"maildir": dovecot, "sdbox": sdbox, "cyrus": cyrus, "courier": courier}
        running = stack.enter_context(Instance(tmp_path_factory.mktemp("pairs"), list(servers.values())))
        accounts = {
            (here, there): (servers[here].account(new_user()), servers[there].account(new_user()))
            for here, there in PAIRS
        }
        for (here, _), (source, _) in accounts.items():
            folders = [name for name in small(150).folders if taken(here, Mail(name, b"a: b\r\n", (), ""))]
            append(source, (mail for mail in corpus() if taken(here, mail)), create=folders)
        before, expected = dict[Any, dict[tuple[str, int], Kept]](), dict[Any, dict[tuple[str, int], str]]()
        for pair, (source, _) in accounts.items():
            found = [((kept.folder, uid), kept, fate(pair[1], body)) for uid, kept, body in messages(source)]
            before[pair] = {key: kept for key, kept, _ in found}
            expected[pair] = {key: reason for key, _, reason in found if reason}
        first = {pair: running.request(*both) for pair, both in accounts.items()}
        for job in first.values():
            job.wait_for_end()
        after_first = {pair: by_uid(destination) for pair, (_, destination) in accounts.items()}
        second = {pair: running.request(*both) for pair, both in accounts.items()}
        for job in second.values():
            job.wait_for_end()
        yield {
            pair: Moved(
                *both, before[pair], expected[pair], after_first[pair], by_uid(both[1]), first[pair], second[pair]
            )
            for pair, both in accounts.items()
        }


@pytest.fixture(params=PAIRS, ids=" to ".join)
def pair(request: pytest.FixtureRequest, moved: dict[tuple[Kind, Kind], Moved]) -> Moved:
    return moved[request.param]


def test_what_a_server_does_not_keep_is_listed_and_nothing_else(pair: Moved) -> None:
    told = {(folder_of(pair, one["folder"]), one["uid"]): one["reason"] for one in pair.first.get("/failures")}

    assert told == pair.listed
    assert len(pair.before) - len(pair.listed) > 150, "too little is left to be equal"


def test_all_that_arrives_is_equal_and_all_else_is_listed(pair: Moved) -> None:
    view = pair.first.view()
    failed = {key for key, reason in pair.listed.items() if reason != "rewritten"}
    rewritten = {key for key, reason in pair.listed.items() if reason == "rewritten"}
    names = renamed(pair)

    def there(keys: set[tuple[str, int]]) -> Counter[Kept]:
        return Counter(replace_folder(pair.before[key], names) for key in keys)

    equal = there(pair.before.keys() - failed - rewritten)
    arrived = Counter(pair.after_first.values())
    assert not equal - arrived, difference(equal, arrived)
    rest = arrived - equal
    # What was rewritten is there as well, with its flags and its date.
    assert Counter(map(without_bytes, rest.elements())) == Counter(map(without_bytes, there(rewritten).elements()))
    # Courier may number a folder anew with its first message: it is planned again then, and what is there is skipped.
    assert view["items_completed"] + view["items_skipped"] == len(pair.before) - len(failed)
    assert view["items_failed"] == len(failed)
    assert view["state"] == ("completed_with_errors" if pair.listed else "completed")


def test_every_folder_is_there_and_no_flag_or_keyword_is_lost(pair: Moved) -> None:
    names = renamed(pair)
    wanted = {names.get(name, name) for name in folder_names(pair.source)}

    assert wanted <= folder_names(pair.destination)
    assert len(set(names.values())) == len(names), "two folders became one"


def test_the_order_inside_each_folder_stays(pair: Moved) -> None:
    names = renamed(pair)
    for folder in {folder for folder, _ in pair.before}:
        source = iter([one.internaldate for (name, uid), one in sorted(pair.before.items()) if name == folder])
        arrived = [
            one.internaldate
            for (name, uid), one in sorted(pair.after_first.items())
            if name == names.get(folder, folder)
        ]
        assert all(one in source for one in arrived), "what was refused is left out, nothing else changes the order"


def test_a_second_job_copies_at_most_what_was_rewritten_in_another_size(pair: Moved) -> None:
    first, second = Counter(pair.after_first.values()), Counter(pair.after_second.values())
    names = renamed(pair)
    rewritten = Counter(without_bytes(replace_folder(pair.before[key], names)) for key in pair.listed)

    assert not first - second
    surplus = Counter(map(without_bytes, (second - first).elements()))
    assert not surplus - rewritten, difference(first, second)


# ---- names


def renamed(pair: Moved) -> dict[str, str]:
    """Source folder → destination folder, both as `contents` has them."""
    return {
        folder_of(pair, row["name"]): folder_of(pair, row["destination_name"] or row["name"])
        for row in pair.first.get("/breakdown")
    }


def folder_of(pair: Moved, name: str) -> str:
    return name if name == "INBOX" else plain_name(name, "INBOX.", "." if name.startswith("INBOX.") else "/")


def replace_folder(kept: Kept, names: Mapping[str, str]) -> Kept:
    return kept._replace(folder=names.get(kept.folder, kept.folder))


def without_bytes(kept: Kept) -> Kept:
    return kept._replace(sha256="")
