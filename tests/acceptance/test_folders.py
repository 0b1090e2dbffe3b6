"""Folders of any name, on servers that take not every name: none is lost, each arrives under a name that is told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from libs.mailbox.names import encode_name
from tests.acceptance.instance import Instance, Job, new_user
from tests.mail.contents import contents
from tests.mail.corpus import Mail
from tests.mail.imap import connected, plain_name, quoted
from tests.mail.model import mail
from tests.mail.seed import append
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.server import MailServer

NAMES = (
    *('say "hi"', "back\\slash", "A & B", "100% *real*", "😀", " lead", "trail ", "x" * 200, "a.b", "a_b", "v1.0/x.y"),
    *("~home", "#hash", "Grüße/日本語", "deep/er/and/deeper", "INBOX/below", "Sent&-", "semi;colon", "ä" * 40, "{5}"),
)
DELIMITERS = {"sdbox": "/", "maildir below INBOX": ".", "cyrus": "/", "cyrus below INBOX": ".", "courier": "."}
TARGETS = tuple(DELIMITERS)
# The names that each target can't hold as they are; every other one arrives as it is.
DOTS = {"a.b", "v1.0/x.y"}
SIGNS = {"{5}", "semi;colon", "100% *real*", "back\\slash", 'say "hi"'}
RENAMED = {
    "sdbox": set[str](),
    "maildir below INBOX": DOTS,
    "cyrus": SIGNS,
    "cyrus below INBOX": DOTS | SIGNS,
    "courier": DOTS | {"😀"},
}
DATE = "17-Jul-2024 02:44:25 +0545"


@pytest.fixture(scope="module")
def servers(dovecot_installed: None, cyrus: Cyrus, courier: Courier) -> Iterator[dict[str, MailServer]]:
    with ExitStack() as stack:
        yield {
            "sdbox": stack.enter_context(Dovecot(settings="mail_location = sdbox:~/sdbox\n")),
            "maildir": stack.enter_context(Dovecot()),
            "maildir below INBOX": stack.enter_context(Dovecot(separator=".", prefix="INBOX.")),
            "cyrus": cyrus,
            "cyrus below INBOX": stack.enter_context(Cyrus(altnamespace=False, unixhierarchysep=False, special=False)),
            "courier": courier,
        }


@pytest.fixture(scope="module")
def running(servers: dict[str, MailServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("folders"), list(servers.values())) as instance:
        yield instance


@pytest.fixture(scope="module")
def jobs(servers: dict[str, MailServer], running: Instance) -> dict[str, tuple[Any, Any, Job, Job]]:
    """From Dovecot with sdbox, which takes nearly every name, to each target; each job is done twice."""
    pairs = {name: (servers["sdbox"].account(new_user()), servers[name].account(new_user())) for name in TARGETS}
    taken = [name for name in NAMES if not name.startswith("~")]
    for source, _ in pairs.values():
        # Cyrus would change a name that is not ASCII in a header.
        mails = (Mail(name, mail(number), (), DATE) for number, name in enumerate(taken))
        append(source, mails, create=[*taken, "empty", "quiet"])
        with connected(source) as client:
            assert client.unsubscribe(quoted(b"quiet"))[0] == "OK"
    first = {name: running.request(*both) for name, both in pairs.items()}
    for job in first.values():
        job.wait_for_end()
    second = {name: running.request(*both) for name, both in pairs.items()}
    for job in second.values():
        job.wait_for_end()
    return {name: (*pairs[name], first[name], second[name]) for name in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
def test_every_folder_arrives_with_its_mail_and_another_name_is_told(
    target: str, jobs: dict[str, tuple[Any, Any, Job, Job]]
) -> None:
    source, destination, first, second = jobs[target]
    view, again = first.view(), second.view()

    assert (view["state"], again["state"]) == ("completed", "completed"), first.get("/failures")
    assert without_folders(destination) == without_folders(source)
    rows = first.get("/breakdown")
    told_of = {name: row["destination_name"] for row in rows for name in row["name"].split(", ")}
    arrived: dict[str, set[str]] = {}
    for name, digests in folders_of(source).items():
        arrived.setdefault(plain(told_of[name], DELIMITERS[target]), set()).update(digests)
    assert folders_of(destination) == arrived
    renamed = {name for name, there in told_of.items() if there != translated(name, DELIMITERS[target])}
    assert renamed == RENAMED[target]
    names = [row["destination_name"] or row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert (again["items_completed"], again["items_skipped"]) == (0, view["items_total"])
    changed = {row["destination_name"] for row in rows if row["name"].rpartition("/")[2] not in row["destination_name"]}
    told = " ".join(view["warnings"])
    assert all(name in told for name in changed)
    below = [row for row in rows if not row["name"].startswith("INBOX")]
    assert [levels(row["destination_name"] or row["name"], DELIMITERS[target]) for row in below] == [
        levels(row["name"], "/") for row in below
    ], "a sign became a level, or a level a sign"


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_subscribed_is_subscribed_and_what_is_not_stays_so(
    target: str, jobs: dict[str, tuple[Any, Any, Job, Job]]
) -> None:
    source, destination, first, _ = jobs[target]
    names = {row["name"]: row["destination_name"] or row["name"] for row in first.get("/breakdown")}

    wanted = {encode_name(names[name]) for name in names if encode_name(name) in subscribed(source)}

    assert wanted <= subscribed(destination)
    assert encode_name(names["quiet"]) not in subscribed(destination)
    assert encode_name(names["empty"]) in subscribed(destination)


def test_only_the_persons_own_folders_are_copied_and_that_is_said(
    dovecot_installed: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    public = "namespace {\n  type = public\n  separator = /\n  prefix = Public/\n  location = maildir:~/../public\n}\n"
    with Dovecot(settings=public) as server, Instance(tmp_path_factory.mktemp("shared"), server) as running:
        source, destination = server.account(new_user()), server.account(new_user())
        append(source, [Mail("own", mail(1), (), DATE), Mail("Public/common", mail(2), (), DATE)])

        job = running.request(source, destination)
        view = job.wait_for_end()

        assert (view["state"], view["items_completed"]) == ("completed", 1)
        assert not any("common" in row["name"] for row in job.get("/breakdown"))
        assert any("“Public/common”" in told and "Not copied" in told for told in view["warnings"])


def test_special_folders_of_any_language_meet_their_like(servers: dict[str, MailServer], running: Instance) -> None:
    """Courier tells no attributes: there names say what a folder is for."""
    source, destination = servers["courier"].account(new_user()), servers["cyrus"].account(new_user())
    german = ("Gesendete Elemente", "Entwürfe", "Papierkorb", "Junk-E-Mail", "Archiv", "Archiv/2023")
    append(source, (Mail(name, mail(number), ("\\Draft",), DATE) for number, name in enumerate(german)))

    view = running.request(source, destination).wait_for_end()

    assert view["state"] == "completed"
    assert {kept.folder for kept in contents(destination)} == {
        *("Sent", "Drafts", "Trash", "Junk", "Archive", "Archive/2023")
    }


def test_a_missing_special_folder_is_made_with_its_use(servers: dict[str, MailServer], running: Instance) -> None:
    source, destination = servers["maildir"].account(new_user()), servers["cyrus below INBOX"].account(new_user())
    append(source, [Mail("Sent", mail("sent"), (), DATE)])

    assert running.request(source, destination).wait_for_end()["state"] == "completed"

    with connected(destination) as client:
        listed = [line for line in client.list()[1] if isinstance(line, bytes)]
    assert any(b"\\sent" in line.lower() and b"INBOX.Sent" in line for line in listed)


def without_folders(account: Any) -> Counter[Any]:
    """Bytes, flags and dates."""
    return Counter(kept._replace(folder="") for kept in contents(account).elements())


def folders_of(account: Any) -> dict[str, set[str]]:
    """The digests of the mail in each folder."""
    found: dict[str, set[str]] = {}
    for kept in contents(account):
        found.setdefault(kept.folder, set()).add(kept.sha256)
    return found


def plain(name: str, delimiter: str) -> str:
    return plain_name(name, "INBOX." if delimiter == "." else "", delimiter)


def translated(name: str, delimiter: str) -> str:
    """A name of the source as the target has it, with its prefix and its delimiter."""
    below = delimiter == "." and not name.startswith("INBOX")
    return "INBOX." * below + name.replace("/", delimiter)


def levels(name: str, delimiter: str) -> int:
    return len(name.removeprefix("INBOX.").split(delimiter))


def subscribed(account: Any) -> set[str]:
    """Names on the wire."""
    with connected(account) as client:
        lines = client.lsub()[1]
    found: set[str] = set()
    for line in lines:
        if isinstance(line, tuple):
            found.add(line[1].decode())
        elif isinstance(line, bytes):
            name = line.split(b" ", 2)[2] if b'" " ' not in line else line
            found.add(name.decode().strip('"').replace('\\"', '"').replace("\\\\", "\\"))
    return found
