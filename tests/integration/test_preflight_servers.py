"""What servers tell before anything is written, and sessions that can't write."""

import pytest

from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import MailboxBusy, WritingForbidden
from libs.mailbox.port import Message, Quota, Session
from tests.integration.conftest import LOOPBACK, Open
from tests.mail.imap import connected
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import CAPABILITIES, Scripted, Talk

QUOTA = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=1M:messages=7
}
"""


def session(server: Scripted) -> Session:
    return connect(
        server.account(), ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[server.port], allow_plain=True)
    )


# ---- quota and the size of a message


def test_a_real_server_tells_how_much_room_is_left(opened: Open, dovecot_installed: None) -> None:
    with Dovecot(settings=QUOTA) as server:
        account = server.account("joe")
        opened(account, server).append("INBOX", [message(b"x" * 100 * 1024)], lambda: None)

        left = opened(account, server).quota()

        assert left.messages_free == 6
        assert left.bytes_free is not None
        assert 920 * 1024 <= left.bytes_free <= 924 * 1024
        assert left.bytes_used == 1024 * 1024 - left.bytes_free


def test_a_server_without_quota_has_no_limit_that_is_known(dovecot: Dovecot, opened: Open) -> None:
    assert opened(dovecot.account("joe")).quota() == Quota()


def test_of_several_quota_roots_the_one_with_the_least_room_counts() -> None:
    def talk(server: Talk) -> None:
        server.let_in(f"{CAPABILITIES} QUOTA QUOTA=RES-STORAGE")
        server.answer(
            'GETQUOTAROOT "INBOX"',
            '* QUOTAROOT INBOX "user" group {3}',
            "all",
            '* QUOTA "user" (STORAGE 10 512)',
            "* QUOTA group (STORAGE 500 512 MESSAGE 9 10)",
            "* QUOTA all ()",
            "* QUOTA odd (STORAGE 1)",
            "* QUOTA full (MESSAGE 11 10)",
        )

    with Scripted(talk) as server:
        assert session(server).quota() == Quota(bytes_free=12 * 1024, messages_free=0, bytes_used=500 * 1024)


def test_a_server_that_will_not_tell_its_quota_stops_nothing() -> None:
    def talk(server: Talk) -> None:
        server.let_in(f"{CAPABILITIES} QUOTA")
        server.hear("GETQUOTAROOT")
        server.say("{tag} NO [NOPERM] not yours")
        server.hear("GETQUOTAROOT")
        server.say("{tag} NO [UNAVAILABLE] later")

    with Scripted(talk) as server:
        asking = session(server)
        assert asking.quota() == Quota()
        with pytest.raises(MailboxBusy):
            asking.quota()


@pytest.mark.parametrize(
    ("capability", "answer", "limit"),
    [
        ("APPENDLIMIT=35651584", "", 35_651_584),
        ("APPENDLIMIT", "* STATUS Sent (APPENDLIMIT 1000)", 1_000),
        ("APPENDLIMIT", "* STATUS Sent (APPENDLIMIT NIL)", None),
        ("APPENDLIMIT", "", None),
        ("ID", "", None),
    ],
)
def test_the_size_of_a_message_is_told_for_the_server_or_for_a_folder(
    capability: str, answer: str, limit: int | None
) -> None:
    def talk(server: Talk) -> None:
        server.let_in(f"{CAPABILITIES} {capability}")
        if capability == "APPENDLIMIT":
            server.answer('STATUS "Sent" (APPENDLIMIT)', *([answer] if answer else []))
        server.answer("NOOP")

    with Scripted(talk) as server:
        asking = session(server)
        assert asking.append_limit("Sent") == limit
        asking.noop()


def test_keywords_a_folder_knows_are_told_when_it_is_opened(dovecot: Dovecot, opened: Open) -> None:
    account = dovecot.account("keywords")
    writer = opened(account)
    writer.append("INBOX", [message(b"Subject: x\r\n\r\n", flags=("\\Seen", "$Forwarded", "Custom"))], lambda: None)

    assert opened(account).examine("INBOX").keywords == {"$Forwarded", "Custom"}


# ---- sessions that can't write


def test_a_session_that_may_only_read_sends_no_command_that_writes() -> None:
    heard: list[bytes] = []

    def talk(server: Talk) -> None:
        server.let_in()
        heard.append(server.hear())
        server.say("{tag} OK done")

    with Scripted(talk) as server:
        reading = session(server)
        reading.forbid_writing()
        for write in (
            lambda: reading.create("new"),
            lambda: reading.append("INBOX", [message(b"Subject: x\r\n\r\n")], lambda: None),
        ):
            with pytest.raises(WritingForbidden):
                write()
        reading.noop()

    assert heard == [b"NOOP"]


@pytest.mark.parametrize(
    "command", ["SUBSCRIBE x", "SELECT x", "UID STORE 1 +FLAGS x", "RENAME a b", "LISTEN", "EXPUNGE"]
)
def test_what_is_not_known_to_read_only_is_taken_for_writing(command: str) -> None:
    with Scripted(lambda server: server.let_in()) as server:
        reading = session(server)
        reading.forbid_writing()
        with pytest.raises(WritingForbidden):
            reading._dialogue.run(command.encode())  # type: ignore[attr-defined]


def test_a_session_that_may_only_read_can_read_everything(dovecot: Dovecot, opened: Open) -> None:
    account = dovecot.account("reading")
    opened(account).append("INBOX", [message(b"Subject: x\r\n\r\n")], lambda: None)
    reading = opened(account)
    reading.forbid_writing()

    assert "INBOX" in {folder.name for folder in reading.folders()}
    assert reading.namespace().delimiter == "/"
    assert reading.status("INBOX").messages == 1
    assert reading.examine("INBOX").exists == 1
    assert len(list(reading.listing(identity=True))) == len(list(reading.fetch("1:*"))) == 1
    assert reading.flags("1:*") == {1: ()}
    assert (reading.quota(), reading.append_limit("INBOX")) == (Quota(), None)
    reading.unselect()
    reading.noop()
    with connected(account) as client:
        assert client.status("INBOX", "(RECENT UNSEEN)")[1] == [b"INBOX (RECENT 1 UNSEEN 1)"]


def message(body: bytes, *, flags: tuple[str, ...] = ()) -> Message:
    return Message(uid=1, flags=flags, internaldate="", body=body)
