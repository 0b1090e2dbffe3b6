"""What a refusal means for the caller: response codes of RFC 5530 and what large providers say instead. Pure."""

import re

from libs.contracts.reasons import Reason
from libs.mailbox.errors import (
    AccountUnusable,
    AppendRefused,
    FetchRefused,
    FolderFailing,
    FolderGone,
    FolderRefused,
    MailboxBusy,
    MailboxError,
)
from libs.mailbox.parse import Status

BUSY_SECONDS = 5.0
BYE_SECONDS = 15.0
THROTTLED_SECONDS = 60.0

_BUSY_CODES = frozenset({"UNAVAILABLE", "INUSE", "LIMIT"})
_REFUSED_CODES = frozenset({"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"})
_BACKOFF = re.compile(r"backoff time: (\d{1,9}) milliseconds", re.IGNORECASE)  # Exchange
_TOO_MUCH = re.compile(  # Gmail, Yahoo, Outlook
    r"bandwidth|throttl|rate limit|"
    r"(too many|maximum number of) ([\w-]+ ){0,3}(connection|command|request|session|login)",
    re.IGNORECASE,
)
_THIS_ONE = re.compile(  # a BYE that ends one connection and asks for nothing (RFC 3501 section 7.1.5, Dovecot)
    r"inactiv|idle|autologout|timed? ?out|mailbox was (deleted|renamed)|(deleted|renamed) under|internal error",
    re.IGNORECASE,
)
_FULL = re.compile(r"over ?quota|quota (is )?exceeded|exceeds? .{0,20}quota|mailbox (is )?full", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"\b(message|mail|literal|size)\b.*\b(too (large|big)|exceeds?|limit)\b|too (large|big) message", re.I
)

_REFUSALS = {
    "OVERQUOTA": Reason.OVER_QUOTA,
    "TOOBIG": Reason.MESSAGE_TOO_LARGE,  # RFC 7889
    "NOPERM": Reason.NO_PERMISSION,
    "READ-ONLY": Reason.NO_PERMISSION,
    "TRYCREATE": Reason.FOLDER_GONE,
    "NONEXISTENT": Reason.FOLDER_GONE,
}


def busy(status: Status, codes: frozenset[str] = _BUSY_CODES) -> MailboxBusy | None:
    """The server asks for patience, or None."""
    if error := throttled(status):
        return error
    if status.kind == "BYE" and not _THIS_ONE.search(status.text):
        return MailboxBusy(Reason.BUSY, status.text, retry_after=BYE_SECONDS, asked=True)
    if status.code in codes:
        return MailboxBusy(Reason.BUSY, status.text, retry_after=BUSY_SECONDS, asked=True)
    return None


def throttled(status: Status) -> MailboxBusy | None:
    """The server sees too much of us; some say so in an OK."""
    backoff = _BACKOFF.search(status.text)
    if backoff:
        return MailboxBusy(Reason.THROTTLED, status.text, retry_after=int(backoff[1]) / 1000, asked=True)
    if status.code == "THROTTLED" or (status.kind != "OK" and _TOO_MUCH.search(status.text)):
        return MailboxBusy(Reason.THROTTLED, status.text, retry_after=THROTTLED_SECONDS, asked=True)
    return None


def refused_login(status: Status) -> MailboxError:
    """Never to be retried where the credentials are wrong, whatever the words say of too many logins."""
    if status.code in _REFUSED_CODES:
        return AccountUnusable(Reason.LOGIN_REFUSED, status.text)
    if error := busy(status):
        return error
    if status.code == "SERVERBUG":  # it may pass, but nobody asked for a pause
        return MailboxBusy(Reason.BUSY, status.text, retry_after=BUSY_SECONDS)
    if status.code == "PRIVACYREQUIRED":
        return AccountUnusable(Reason.PLAIN_REFUSED, status.text)
    if status.kind == "BAD":
        return AccountUnusable(Reason.LOGIN_UNSUPPORTED, status.text)
    return AccountUnusable(Reason.LOGIN_REFUSED, status.text)


def refused_append(status: Status, *, connection_closed: bool) -> MailboxBusy | AppendRefused:
    """A tagged NO or BAD to APPEND: nothing landed.

    LIMIT is not patience here, unless the words are of too much: it can be the number of keywords of one message
    (RFC 5530).
    """
    if error := busy(status, _BUSY_CODES - {"LIMIT"}):
        return error
    reason = _REFUSALS.get(status.code, Reason.MESSAGE_REFUSED)
    if reason == Reason.MESSAGE_REFUSED and _TOO_LARGE.search(status.text):
        reason = Reason.MESSAGE_TOO_LARGE
    if not status.code and _FULL.search(status.text):
        reason = Reason.OVER_QUOTA
    return AppendRefused(
        reason,
        status.text,
        try_create=status.code in ("TRYCREATE", "NONEXISTENT"),
        connection_closed=connection_closed,
        code=status.code,
        syntax=status.kind == "BAD",
    )


def refused_fetch(status: Status) -> MailboxError:
    """SERVERBUG too is about the messages asked for: those that can be had are, one by one."""
    return busy(status) or FetchRefused(Reason.MESSAGE_UNREADABLE, status.text)


def refused_folder(status: Status) -> MailboxError:
    """A folder would not be opened, made or listed."""
    reason = _REFUSALS.get(status.code, Reason.FOLDER_REFUSED)
    if reason == Reason.FOLDER_GONE:
        return FolderGone(reason, status.text)
    if error := busy(status):
        return error
    if status.code == "SERVERBUG":
        return FolderFailing(Reason.FOLDER_FAILING, status.text, retry_after=BUSY_SECONDS)
    return FolderRefused(reason, status.text)
