"""From an account to a session, and every way that can fail."""

import dataclasses
import socket
import threading
import time
from collections.abc import Callable
from typing import Literal

import pytest

from libs.contracts.accounts import Account
from libs.contracts.reasons import Reason
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import AccountUnusable, MailboxBusy, MailboxError
from tests.integration.conftest import LOOPBACK, Open, policy_for
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import CAPABILITIES, Scripted, Talk

DEADLINE = 1.0  # seconds
SLACK = 1.0


def policy(server: Scripted) -> ConnectPolicy:
    return ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[server.port], allow_plain=True)


def failure(account: Account, by: ConnectPolicy) -> MailboxError:
    """What connect raises, within its deadline."""
    started = time.monotonic()
    with pytest.raises(MailboxError) as raised:
        connect(account, by, deadline_seconds=DEADLINE)
    assert time.monotonic() - started < DEADLINE + SLACK
    assert str(raised.value) == raised.value.reason
    return raised.value


# ---- a real server


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_a_login_tells_what_the_server_can_do(
    dovecot: Dovecot, opened: Open, security: Literal["tls", "starttls", "plain"]
) -> None:
    session = opened(dovecot.account("joe", security=security))

    assert {"IMAP4REV1", "MULTIAPPEND", "UIDPLUS"} <= session.capabilities
    assert session.multiappend
    assert session.uidplus
    session.noop()


PASSWORDS = ['quo"te', "back\\slash", "Größe", "a*b%c{1}", "密码", "ends\\"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_passwords_of_any_characters_log_in(opened: Open, dovecot_installed: None, password: str) -> None:
    stored = password.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    with Dovecot(settings=f'passdb {{\n driver = static\n args = "password={stored}"\n}}\n') as server:
        opened(server.account("joe", password=password, security="plain"), server).noop()


@pytest.mark.parametrize("password", PASSWORDS)
def test_without_sasl_passwords_are_quoted_or_literals(password: str) -> None:
    heard: list[bytes] = []

    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1")
        heard.append(server.hear('LOGIN "j\\"oe" ').removeprefix(b'LOGIN "j\\"oe" '))
        if heard[0].endswith(b"}") and not heard[0].startswith(b'"'):
            server.say("+ ")
            heard.append(server.read(int(heard[0][1:-1])))
            server.line()
        server.say("{tag} OK in")
        server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1")
        server.hang()

    with Scripted(talk) as server:
        connect(server.account(username='j"oe', password=password), policy(server)).reset()

    if password.isascii():
        assert heard == [b'"' + password.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"']
    else:
        assert heard[1] == password.encode()


def test_a_master_user_opens_the_mailbox_of_another(dovecot: Dovecot, opened: Open) -> None:
    opened(dovecot.account("owner")).create("mine")

    as_master = dovecot.account("owner", login_as=dovecot.master, password=dovecot.master_password)

    assert "mine" in {folder.name for folder in opened(as_master).folders()}


def test_localhost_is_tried_at_each_of_its_addresses(dovecot: Dovecot, opened: Open) -> None:
    opened(dovecot.account("joe", host="localhost")).noop()


def test_the_names_of_user_and_host_are_not_logged(
    dovecot: Dovecot, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        opened(dovecot.account("canary")).noop()

    assert "canary" not in caplog.text
    assert dovecot.host not in caplog.text


@pytest.mark.parametrize("security", ["tls", "starttls", "plain"])
def test_a_wrong_password_is_refused_login(dovecot: Dovecot, security: Literal["tls", "starttls", "plain"]) -> None:
    error = failure(dovecot.account("joe", password="wrong", security=security), policy_for(dovecot))

    assert isinstance(error, AccountUnusable)
    assert error.reason == Reason.LOGIN_REFUSED
    assert error.server_text
    assert error.__cause__ is None  # a traceback would show the server's words


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    dovecot: Dovecot, security: Literal["tls", "starttls"]
) -> None:
    stranger = dovecot.account("joe", security=security, host=dovecot.untrusted_host)
    other_name = dovecot.account("joe", security=security, host=dovecot.other_host)
    unknown_authority = dataclasses.replace(policy_for(dovecot), tls_ca_file=None)

    for account, by in [
        (stranger, policy_for(dovecot)),
        (other_name, policy_for(dovecot)),
        (dovecot.account("joe", security=security), unknown_authority),
    ]:
        error = failure(account, by)
        assert isinstance(error, AccountUnusable)
        assert error.reason == Reason.TLS_UNTRUSTED


def test_a_server_without_starttls_offers_no_encryption(dovecot_installed: None) -> None:
    with Dovecot(ssl="no") as server:
        error = failure(server.account("joe", security="starttls"), policy_for(server))

    assert isinstance(error, AccountUnusable)
    assert error.reason == Reason.TLS_UNAVAILABLE


def test_tls_at_a_port_without_it_is_unavailable(dovecot: Dovecot) -> None:
    error = failure(dovecot.account("joe", security="tls", port=dovecot.imap_port), policy_for(dovecot))

    assert isinstance(error, AccountUnusable)
    assert error.reason == Reason.TLS_UNAVAILABLE


def test_where_login_is_disabled_no_password_is_sent(dovecot_installed: None) -> None:
    with Dovecot(ssl="required") as server:
        error = failure(server.account("joe", security="plain", host=server.other_host), policy_for(server))
        connect(server.account("joe", security="starttls"), policy_for(server)).close()

    assert isinstance(error, AccountUnusable)
    assert error.reason == Reason.PLAIN_REFUSED


def test_what_the_policy_forbids_is_not_tried() -> None:
    def talk(server: Talk) -> None:
        raise AssertionError("somebody connected")

    with Scripted(talk) as server:
        allowed = policy(server)
        for account, by, reason in [
            (server.account(), dataclasses.replace(allowed, allow_plain=False), Reason.PLAIN_REFUSED),
            (server.account(), dataclasses.replace(allowed, allow_ports=[143, 993]), Reason.ADDRESS_REFUSED),
            (server.account(), dataclasses.replace(allowed, allow_networks=[]), Reason.ADDRESS_REFUSED),
            (server.account(host="localhost"), dataclasses.replace(allowed, allow_networks=[]), Reason.ADDRESS_REFUSED),
            (server.account(host="0.0.0.0"), allowed, Reason.ADDRESS_REFUSED),
            (
                server.account(host="2130706433"),
                dataclasses.replace(allowed, allow_networks=[]),
                Reason.ADDRESS_REFUSED,
            ),
        ]:
            error = failure(account, by)
            assert isinstance(error, AccountUnusable)
            assert error.reason == reason


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".example"])
def test_a_host_that_is_unknown_is_told(host: str) -> None:
    account = Account(host=host, username="joe", password="secret")  # type: ignore[arg-type]

    assert failure(account, ConnectPolicy()).reason == Reason.HOST_UNKNOWN


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    account = Account(host="127.0.0.1", port=port, username="joe", password="secret")  # type: ignore[arg-type]

    error = failure(account, ConnectPolicy(allow_networks=[LOOPBACK], allow_ports=[port]))

    assert isinstance(error, MailboxBusy)
    assert error.reason == Reason.CONNECTION_REFUSED


# ---- servers that differ


def hang(server: Talk) -> None:
    server.hang()


def greet_and_hang(server: Talk) -> None:
    server.say("* OK ready")
    server.hang()


def hang_at_login(server: Talk) -> None:
    server.say("* OK ready")
    server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES} AUTH=PLAIN")
    server.hear("AUTHENTICATE")
    server.say("+ ")
    server.hang()


def drip(server: Talk) -> None:
    """A byte each 50 ms keeps a timeout for each operation from ever passing."""
    for _ in range(600):
        server.connection.sendall(b"*")
        if server._over.wait(0.05):  # pyright: ignore[reportPrivateUsage]
            return


@pytest.mark.parametrize("talk", [hang, greet_and_hang, hang_at_login, drip])
def test_a_silent_server_times_out_within_the_deadline(talk: Callable[[Talk], None]) -> None:
    with Scripted(talk) as server:
        error = failure(server.account(), policy(server))

    assert isinstance(error, MailboxBusy)
    assert error.reason == Reason.TIMED_OUT


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_that_is_silent_in_the_handshake_times_out(security: Literal["tls", "starttls"]) -> None:
    def talk(server: Talk) -> None:
        if security == "starttls":
            server.say("* OK ready")
            server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS")
            server.answer("STARTTLS")
        server.hang()

    with Scripted(talk) as server:
        error = failure(server.account(security=security), policy(server))

    assert error.reason == Reason.TIMED_OUT


@pytest.mark.parametrize(
    "greeting",
    [
        "220 mail.example ESMTP",
        "+OK POP3 ready",
        "SSH-2.0-OpenSSH_9.2",
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n",
        "* OK [CAPABILITY IMAP2] old",
        "* OK ready\r\n* CAPABILITY POP3\r\nXX1 OK",
        "",
        "* ",
        "* OK {99999999}",
        "* X {3}",
        "\xff\xfe",
        "* " + "x" * 300_000,
    ],
)
def test_what_is_not_imap_is_told_as_such(greeting: str) -> None:
    def talk(server: Talk) -> None:
        server.say(greeting)
        server.line()
        server.say("* CAPABILITY nothing", "* OK no tag")
        server.line()

    with Scripted(talk) as server:
        error = failure(server.account(), policy(server))

    assert error.reason == Reason.NOT_IMAP or greeting.startswith("*")
    assert error.reason in (Reason.NOT_IMAP, Reason.CONNECTION_LOST, Reason.TIMED_OUT)


def endless(server: Talk) -> None:
    server.say("* OK ready")
    while True:
        server.say("* X " + "y" * 10_000)


def test_a_server_that_never_stops_talking_is_not_listened_to() -> None:
    with Scripted(endless) as server:
        assert failure(server.account(), policy(server)).reason == Reason.NOT_IMAP


@pytest.mark.parametrize("how", [Talk.close, Talk.reset])
@pytest.mark.parametrize("greeting", ["", "* OK ready"])
def test_a_connection_that_ends_before_the_login_is_lost(how: Callable[[Talk], None], greeting: str) -> None:
    def talk(server: Talk) -> None:
        if greeting:
            server.say(greeting)
            server.hear("CAPABILITY")
        how(server)

    with Scripted(talk) as server:
        error = failure(server.account(), policy(server))

    assert isinstance(error, MailboxBusy)
    assert error.reason in (Reason.CONNECTION_LOST, Reason.CONNECTION_REFUSED)  # a reset may come into connecting


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "retry_after"),
    [
        ("NO [AUTHENTICATIONFAILED] no", AccountUnusable, Reason.LOGIN_REFUSED, None),
        ("NO [ALERT] Application-specific password required", AccountUnusable, Reason.LOGIN_REFUSED, None),
        ("NO [PRIVACYREQUIRED] no", AccountUnusable, Reason.PLAIN_REFUSED, None),
        ("BAD what", AccountUnusable, Reason.LOGIN_UNSUPPORTED, None),
        ("NO [UNAVAILABLE] later", MailboxBusy, Reason.BUSY, 5.0),
        ("NO [LIMIT] later", MailboxBusy, Reason.BUSY, 5.0),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", MailboxBusy, Reason.THROTTLED, 60.0),
        ("BAD [INUSE] Suggested Backoff Time: 2500 milliseconds", MailboxBusy, Reason.THROTTLED, 2.5),
    ],
)
@pytest.mark.parametrize("mechanism", ["LOGIN", "AUTHENTICATE PLAIN"])
def test_a_refused_login_says_what_to_do(
    answer: str, kind: type[MailboxError], reason: Reason, retry_after: float | None, mechanism: str
) -> None:
    def talk(server: Talk) -> None:
        server.say("* OK ready")
        plain = " AUTH=PLAIN" if mechanism != "LOGIN" else ""
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}{plain}")
        server.hear(mechanism)
        if plain:
            server.say("+ ")
            server.line()
        server.say("{tag} " + answer)
        server.hang()

    with Scripted(talk) as server:
        error = failure(server.account(), policy(server))

    assert isinstance(error, kind)
    assert error.reason == reason
    assert error.server_text
    assert not isinstance(error, MailboxBusy) or error.retry_after == retry_after


@pytest.mark.parametrize("when", ["greeting", "login"])
def test_a_bye_for_too_many_connections_asks_for_patience(when: str) -> None:
    def talk(server: Talk) -> None:
        if when == "login":
            server.say("* OK ready")
            server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
            server.hear("LOGIN")
        server.say("* BYE Maximum number of connections from user+IP exceeded")

    with Scripted(talk) as server:
        error = failure(server.account(), policy(server))

    assert isinstance(error, MailboxBusy)
    assert error.reason == Reason.THROTTLED
    assert error.server_text.startswith("Maximum")


def test_a_preauthenticated_connection_is_nobodys() -> None:
    def talk(server: Talk) -> None:
        server.say("* PREAUTH welcome")
        server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS")
        server.hang()

    with Scripted(talk) as server:
        assert failure(server.account(), policy(server)).reason == Reason.LOGIN_UNSUPPORTED
        assert failure(server.account(security="starttls"), policy(server)).reason == Reason.TLS_UNAVAILABLE


@pytest.mark.parametrize("answer", ["NO not now", "BAD what"])
def test_a_refused_starttls_is_no_encryption(answer: str) -> None:
    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS")
        server.hear("STARTTLS")
        server.say("{tag} " + answer)
        server.hang()

    with Scripted(talk) as server:
        assert failure(server.account(security="starttls"), policy(server)).reason == Reason.TLS_UNAVAILABLE


def test_what_was_said_before_starttls_is_not_believed(tmp_path: pytest.TempPathFactory) -> None:
    authority = Authority(tmp_path, "ca")  # type: ignore[arg-type]
    certificate = authority.issue("127.0.0.1")
    commands: list[bytes] = []

    def talk(server: Talk) -> None:
        server.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2] ready")
        server.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2")
        server.hear("STARTTLS")
        tag = server.tag
        server.connection.sendall(
            f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag} OK go\r\n"
            f"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n{tag[:-1]}2 OK injected\r\n{tag[:-1]}3 OK injected\r\n".encode()
        )
        server.secure(certificate)
        while True:
            commands.append(command := server.hear())
            if command.startswith(b"LOGIN"):
                server.say(f"{{tag}} OK [CAPABILITY {CAPABILITIES}] in")
                return server.hang()
            server.say(f"* CAPABILITY {CAPABILITIES}", "{tag} OK done")

    with Scripted(talk) as server:
        by = dataclasses.replace(policy(server), tls_ca_file=authority.file)
        session = connect(server.account(security="starttls"), by)
        session.reset()

    assert commands[0] == b"CAPABILITY"
    assert commands[-1].startswith(b"LOGIN")


@pytest.mark.parametrize(
    ("mechanism", "reply"),
    [
        ("XOAUTH2", "dXNlcj1qb2UBYXV0aD1CZWFyZXIgeWEyOQEB"),  # user=joe, auth=Bearer ya29
        ("OAUTHBEARER", "bixhPWpvZSwBYXV0aD1CZWFyZXIgeWEyOQEB"),  # n,a=joe, auth=Bearer ya29
    ],
)
def test_a_token_logs_in_or_is_refused(mechanism: str, reply: str) -> None:
    turns = iter([True, False])

    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES} AUTH=PLAIN AUTH={mechanism}")
        server.hear(f"AUTHENTICATE {mechanism}")
        server.say("+ ")
        assert server.line() == reply.encode() + b"\r\n"
        if next(turns):
            server.say("{tag} OK in")
            server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
        else:
            server.say("+ eyJzdGF0dXMiOiI0MDAifQ==")
            assert server.line() in (b"\r\n", b"AQ==\r\n")
            server.say("{tag} NO expired")
        server.hang()

    with Scripted(talk) as server:
        connect(server.account(token="ya29"), policy(server)).reset()
        error = failure(server.account(token="ya29"), policy(server))

    assert isinstance(error, AccountUnusable)
    assert error.reason == Reason.LOGIN_REFUSED


def test_a_way_to_log_in_that_the_server_does_not_have_is_told() -> None:
    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
        server.hang()

    with Scripted(talk) as server:
        assert failure(server.account(token="x"), policy(server)).reason == Reason.LOGIN_UNSUPPORTED
        assert failure(server.account(login_as="master"), policy(server)).reason == Reason.LOGIN_UNSUPPORTED
        assert failure(server.account(username="joe\r\nX LOGOUT"), policy(server)).reason == Reason.LOGIN_REFUSED
        assert failure(server.account(token="x\r\ny"), policy(server)).reason == Reason.LOGIN_REFUSED


def test_what_comes_right_behind_the_login_is_not_lost() -> None:
    """In one packet with the answer to LOGIN, the whole answer to the next command."""

    def talk(server: Talk) -> None:
        server.say("* OK ready")
        server.answer("CAPABILITY", f"* CAPABILITY {CAPABILITIES}")
        server.hear("LOGIN")
        server.connection.sendall(f"{server.tag} OK [CAPABILITY {CAPABILITIES}] in\r\n* 3 EXISTS\r\n".encode())
        server.answer("NOOP")

    with Scripted(talk) as server:
        session = connect(server.account(), policy(server))
        session.noop()
        session.reset()


def test_no_thread_and_no_socket_is_left_behind_by_failures() -> None:
    with Scripted(hang) as server:
        before = threading.active_count()
        for _ in range(3):
            with pytest.raises(MailboxBusy):
                connect(server.account(), policy(server), deadline_seconds=0.1)
        deadline = time.monotonic() + 5
        while threading.active_count() > before + 3 and time.monotonic() < deadline:  # 3: the server's own
            time.sleep(0.01)

        assert threading.active_count() <= before + 3
