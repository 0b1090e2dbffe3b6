"""How much an account takes: quota (RFC 9208, RFC 2087) and the size of one message (RFC 7889).

Nothing depends on it but what people are told beforehand: a server that does
not answer as it should is one that did not say.
"""

from libs.mailbox import meaning
from libs.mailbox.dialogue import Dialogue
from libs.mailbox.errors import MailboxBusy
from libs.mailbox.folders import text
from libs.mailbox.parse import Status, Untagged, Value, number
from libs.mailbox.port import Quota

KIBI = 1024  # STORAGE is counted in units of 1,024 octets
LIMIT = "APPENDLIMIT"


def quota(dialogue: Dialogue, capabilities: frozenset[str]) -> Quota:
    """The least that any quota root of INBOX leaves."""
    if "QUOTA" not in capabilities:
        return Quota()
    roots: list[list[Value]] = []

    def take(response: Untagged) -> None:
        if response.kind == b"QUOTA":
            roots.append(response.rest.values())

    _answered(dialogue, dialogue.run(b'GETQUOTAROOT "INBOX"', take))
    told = [one for root in roots if len(root) > 1 for one in _told(root[1])]
    free, used = min(((free, used) for name, free, used in told if name == "STORAGE"), default=(None, None))
    return Quota(
        bytes_free=None if free is None else free * KIBI,
        messages_free=min((free for name, free, _ in told if name == "MESSAGE"), default=None),
        bytes_used=None if used is None else used * KIBI,
    )


def append_limit(dialogue: Dialogue, capabilities: frozenset[str], mailbox: bytes) -> int | None:
    """The capability's own number, or what STATUS says of this folder; `mailbox` is quoted already."""
    for name in capabilities:
        if name.startswith(f"{LIMIT}="):
            return number(name.partition("=")[2])
    if LIMIT not in capabilities:
        return None
    found: list[int | None] = []

    def take(response: Untagged) -> None:
        if response.kind == b"STATUS":
            response.rest.value()
            found.append(number(response.rest.items().get(LIMIT.encode())))

    _answered(dialogue, dialogue.run(b"STATUS %b (APPENDLIMIT)" % mailbox, take))
    return found[0] if found else None


def _told(resources: Value) -> list[tuple[str, int, int]]:
    """`(STORAGE 10 512 MESSAGE 3 100)`: what is left and what is used of each."""
    if not isinstance(resources, list):
        return []
    told: list[tuple[str, int, int]] = []
    for name, usage, limit in zip(resources[::3], resources[1::3], resources[2::3], strict=False):
        used, most = number(text(usage)), number(text(limit))
        if used is not None and most is not None:
            told.append((text(name).upper(), max(0, most - used), used))
    return told


def _answered(dialogue: Dialogue, answer: Status) -> None:
    """
    Raises:
        MailboxBusy: the server asks for patience. Any other refusal says nothing.
    """
    if answer.kind != "OK":
        error = dialogue.refused(meaning.refused_folder(answer))
        if isinstance(error, MailboxBusy):
            raise error
