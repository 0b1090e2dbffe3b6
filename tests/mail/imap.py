"""A plain IMAP connection for tests, on the standard library: it shares no code with what is tested."""

import imaplib
import re
import ssl
from collections.abc import Generator
from contextlib import contextmanager

from imapclient import imap_utf7

from libs.contracts.accounts import Account

LIST_LINE = re.compile(rb'\((?P<flags>[^)]*)\) (?P<delimiter>NIL|"(?:\\?.)") (?P<name>.*)', re.DOTALL)


@contextmanager
def connected(account: Account) -> Generator[imaplib.IMAP4]:
    """Logged in with a password. Certificates are not verified: the servers are the tests' own, on loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's certificates, which take 30 ms to read
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if account.security == "tls":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=60)
    else:
        client = imaplib.IMAP4(account.host, account.port, timeout=60)
        if account.security == "starttls":
            client.starttls(context)
    assert account.password is not None
    try:
        client.login(account.username, account.password.get_secret_value())
        client.capabilities = tuple(client.capability()[1][0].decode().upper().split())  # offered after the login
        yield client
    finally:
        client.shutdown()


def folders(client: imaplib.IMAP4) -> dict[str, bytes]:
    """Decoded name with "/" between levels, without the personal prefix → name on the wire.

    Folders that can't be opened are left out.
    """
    prefix = _personal_prefix(client)
    found: dict[str, bytes] = {}
    _, lines = client.list()
    for line in lines:
        if line is None:
            continue
        head, literal = line if isinstance(line, tuple) else (line, None)
        match = LIST_LINE.fullmatch(head)
        assert match, head
        if {b"\\noselect", b"\\nonexistent"} & set(match["flags"].lower().split()):
            continue
        wire = literal if literal is not None else _unquoted(match["name"])
        found[plain_name(imap_utf7.decode(wire), prefix.decode(), _unquoted(match["delimiter"]).decode())] = wire
    return found


def quoted(wire: bytes) -> str:
    """As an IMAP quoted string (names on the wire are ASCII)."""
    return '"' + wire.decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '"'


def wire_name(client: imaplib.IMAP4, name: str) -> bytes:
    """The name a folder has, or would get, at this server."""
    if name.upper() == "INBOX":
        return b"INBOX"
    _, lines = client.list('""', '""')
    match = LIST_LINE.fullmatch(lines[0])
    assert match, lines
    delimiter = _unquoted(match["delimiter"]).decode()
    return imap_utf7.encode(_personal_prefix(client).decode() + name.replace("/", delimiter))


def _personal_prefix(client: imaplib.IMAP4) -> bytes:
    if "NAMESPACE" not in client.capabilities:
        return b""
    _, lines = client.namespace()
    match = re.match(rb'\(\("((?:[^"\\]|\\.)*)"', lines[0])
    return _unquoted(b'"' + match[1] + b'"') if match else b""


def plain_name(name: str, prefix: str, delimiter: str) -> str:
    """A decoded name with "/" between levels, without the personal prefix."""
    name = name.removeprefix(prefix)
    return "/".join(name.split(delimiter)) if delimiter != "NIL" else name


def _unquoted(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", text[1:-1]) if text.startswith(b'"') else text
