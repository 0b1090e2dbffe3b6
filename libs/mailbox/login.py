"""The ways to log in: AUTHENTICATE PLAIN (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628)."""

from collections.abc import Callable

from libs.contracts.accounts import Account, OAuth
from libs.contracts.reasons import Reason
from libs.mailbox.client import Client
from libs.mailbox.errors import AccountUnusable


def login(client: Client, account: Account) -> None:
    """
    Raises:
        AccountUnusable: the server offers none of the ways this account can log in.
        imaplib.IMAP4.error: the server refused.
    """
    if not client.awaits_login:  # PREAUTH: nobody knows as whom
        raise AccountUnusable(Reason.LOGIN_UNSUPPORTED)
    names = account.username + (account.login_as or "")
    if any(character < " " or character == "\x7f" for character in names):
        raise AccountUnusable(Reason.LOGIN_REFUSED)
    offered = {capability.decode("latin-1").upper() for capability in client.capabilities()}
    if account.oauth is not None:
        _with_token(client, account, account.oauth, offered)
    elif account.password is not None:
        _with_password(client, account, account.password.get_secret_value(), offered)


def _with_password(client: Client, account: Account, password: str, offered: set[str]) -> None:
    """With `login_as` that user's password opens the mailbox of `username`."""
    if "\0" in password:
        raise AccountUnusable(Reason.LOGIN_REFUSED)
    if "AUTH=PLAIN" in offered:
        opened, user = (account.username, account.login_as) if account.login_as else ("", account.username)
        client.sasl_login("PLAIN", _replies(f"{opened}\0{user}\0{password}"))
    elif "LOGINDISABLED" in offered:
        raise AccountUnusable(Reason.PLAIN_REFUSED if account.security == "plain" else Reason.LOGIN_UNSUPPORTED)
    elif account.login_as:
        raise AccountUnusable(Reason.LOGIN_UNSUPPORTED)
    else:
        client.login(account.username, password)


def _with_token(client: Client, account: Account, oauth: OAuth, offered: set[str]) -> None:
    token = oauth.access_token.get_secret_value()
    if not (token.isascii() and token.isprintable()):
        raise AccountUnusable(Reason.LOGIN_REFUSED)
    if account.login_as:
        raise AccountUnusable(Reason.LOGIN_UNSUPPORTED)
    if "AUTH=XOAUTH2" in offered:
        client.sasl_login("XOAUTH2", _replies(f"user={account.username}\1auth=Bearer {token}\1\1"))
    elif "AUTH=OAUTHBEARER" in offered:
        user = account.username.replace("=", "=3D").replace(",", "=2C")
        client.sasl_login("OAUTHBEARER", _replies(f"n,a={user},\1auth=Bearer {token}\1\1", then=b"\1"))
    else:
        raise AccountUnusable(Reason.LOGIN_UNSUPPORTED)


def _replies(first: str, then: bytes = b"") -> Callable[[bytes], bytes]:
    """To challenges; a second one tells of an error, and `then` goes on to the refusal (RFC 7628 section 3.2.3)."""
    replies = iter([first.encode()])

    def reply(_challenge: bytes) -> bytes:
        return next(replies, then)

    return reply
