"""The servers the tests run."""

import contextlib

import pytest

from libs.contracts.accounts import Account
from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.names import encode_name
from libs.mailbox.port import Session
from tests.integration.conftest import Open
from tests.mail.contents import contents, difference, folder_names
from tests.mail.corpus import small
from tests.mail.seed import append
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.server import MailServer

INBOX = [mail for mail in small(60).mails() if mail.folder == "INBOX" and mail.body.isascii()]


def test_a_dovecot_of_our_own_gives_a_login_to_any_user(dovecot: Dovecot) -> None:
    account = dovecot.account("somebody@example.org")

    assert isinstance(account, Account)
    assert (account.host, account.port) == (dovecot.host, dovecot.imaps_port)
    assert dovecot.ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")


@pytest.fixture(params=["cyrus", "courier"])
def server(request: pytest.FixtureRequest) -> MailServer:
    found: MailServer = request.getfixturevalue(request.param)
    return found


def test_each_server_keeps_what_is_put_into_it(server: MailServer, opened: Open) -> None:
    account = server.account("keeps")

    append(account, INBOX)

    plain = server.account("keeps", security="plain")
    assert contents(account).total() == len(INBOX)
    assert difference(contents(plain), contents(account)) == ""
    assert opened(account, server).examine("INBOX").exists == len(INBOX)


@pytest.mark.parametrize("name", ["{5}", "{5}x", "{5}/x", "x{5}", "{5+}"])
def test_a_name_that_looks_like_a_literal_does_not_end_the_connection(
    server: MailServer, opened: Open, name: str
) -> None:
    session = opened(server.account("braces"), server)

    with contextlib.suppress(FolderRefused):  # Cyrus takes no braces
        session.create(name)
    with contextlib.suppress(FolderGone, FolderRefused):
        session.examine(name)

    assert session.status("INBOX").messages == 0


def test_names_of_a_server_with_utf8_are_read_and_made_all_the_same(courier: Courier, opened: Open) -> None:
    with Courier(utf8=True) as server:
        session = opened(account := server.account("utf8"), server)

        session.create(encode_name("INBOX.Grüße"))

        assert "UTF8=ACCEPT" in session.capabilities
        assert {folder.name for folder in session.folders()} >= {"INBOX.Grüße"}
        assert session.examine(encode_name("INBOX.Grüße")).exists == 0
        assert "Grüße" in folder_names(account)


def test_two_servers_of_a_kind_run_beside_each_other(cyrus: Cyrus, courier: Courier) -> None:
    with Cyrus() as other_cyrus, Courier() as other_courier:
        for one, other in ((cyrus, other_cyrus), (courier, other_courier)):
            append(one.account("both"), INBOX[:1])

            assert contents(other.account("both")).total() == 0
            assert contents(one.account("both")).total() == 1


def test_a_server_of_each_kind_says_where_folders_lie(cyrus: Cyrus, courier: Courier, opened: Open) -> None:
    with Cyrus(altnamespace=False, unixhierarchysep=False, special=False) as below_inbox:
        sessions: list[Session] = [opened(one.account("where"), one) for one in (cyrus, courier, below_inbox)]

        assert [(session.namespace().prefix, session.namespace().delimiter) for session in sessions] == [
            ("", "/"),
            ("INBOX.", "."),
            ("INBOX.", "."),
        ]
        assert folder_names(below_inbox.account("where")) == {"INBOX"}
    assert folder_names(cyrus.account("where")) == {"INBOX", "Drafts", "Sent", "Trash", "Junk", "Archive"}
