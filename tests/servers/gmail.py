"""An IMAP server that speaks as Gmail does: one message with many labels, shown in a folder for each, all in All Mail.

It reads only: a source. What a message is and which labels it has is given; the folders follow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts import uidset
from tests.servers.scripted import Talk

CAPABILITIES = (
    "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS SPECIAL-USE LITERAL- ENABLE"
)
FIELDS = (b"from", b"to", b"cc", b"date", b"subject", b"message-id")
DATE = "17-Jul-2024 02:44:25 +0000"

# Attributes, name on the wire, and the label that puts a message into it (None: every message).
FOLDERS = (
    ("\\HasNoChildren", "INBOX", "\\Inbox"),
    ("\\HasNoChildren", "Work", "Work"),
    ("\\HasChildren \\Noselect", "[Gmail]", ""),
    ("\\All \\HasNoChildren", "[Gmail]/Alle Nachrichten", None),
    ("\\Drafts \\HasNoChildren", "[Gmail]/Entw&APw-rfe", "\\Draft"),
    ("\\HasNoChildren \\Sent", "[Gmail]/Gesendet", "\\Sent"),
    ("\\Flagged \\HasNoChildren", "[Gmail]/Markiert", "\\Starred"),
    ("\\HasNoChildren \\Important", "[Gmail]/Wichtig", "\\Important"),
)


@dataclass(frozen=True)
class Labelled:
    """A message; its place in the list of all is its X-GM-MSGID."""

    body: bytes
    labels: frozenset[str] = frozenset()


class Gmail:
    """`Scripted(Gmail(messages))` serves them to any user."""

    def __init__(self, messages: Sequence[Labelled]) -> None:
        self._messages = messages

    def __call__(self, talk: Talk) -> None:
        talk.say("* OK Gimap ready")
        shown: list[tuple[int, Labelled]] = []
        while True:
            command = talk.hear().decode("latin-1")
            verb, _, rest = command.partition(" ")
            match verb.upper():
                case "CAPABILITY":
                    talk.say(f"* CAPABILITY {CAPABILITIES}")
                case "NAMESPACE":
                    talk.say('* NAMESPACE (("" "/")) NIL NIL')
                case "LIST" | "LSUB":
                    for attributes, name, _ in FOLDERS:
                        talk.say(f'* {verb.upper()} ({attributes}) "/" "{name}"')
                case "STATUS":
                    name = rest.split('"')[1]
                    count = len(self._folder(name))
                    talk.say(f'* STATUS "{name}" (MESSAGES {count} UIDNEXT {count + 1} UIDVALIDITY 1)')
                case "EXAMINE":
                    shown = self._folder(rest.strip('"'))
                    talk.say(
                        f"* {len(shown)} EXISTS",
                        "* 0 RECENT",
                        "* OK [UIDVALIDITY 1] UIDs valid.",
                        f"* OK [UIDNEXT {len(shown) + 1}] Predicted next UID.",
                    )
                case "UID":
                    self._fetch(talk, rest, shown)
                case "LOGOUT":
                    talk.say("* BYE", "{tag} OK done")
                    return
            talk.say("{tag} OK done")

    def _folder(self, name: str) -> list[tuple[int, Labelled]]:
        label = next(label for _, one, label in FOLDERS if one == name)
        return [
            (number, message)
            for number, message in enumerate(self._messages, 1)
            if label is None or label in message.labels
        ]

    def _fetch(self, talk: Talk, rest: str, shown: Sequence[tuple[int, Labelled]]) -> None:
        """A message's UID is its place in the folder."""
        _, uids, items = rest.split(" ", 2)
        wanted = range(1, len(shown) + 1) if uids.endswith("*") else set(uidset.decode(uids))
        for uid, (number, message) in enumerate(shown, 1):
            if uid in wanted:
                flags = "\\Seen" + " \\Flagged" * ("\\Starred" in message.labels)
                answer = [f"UID {uid}"]
                if "FLAGS" in items:
                    answer.append(f"FLAGS ({flags})")
                if "X-GM-MSGID" in items:
                    answer.append(f"X-GM-MSGID {number}")
                if "RFC822.SIZE" in items:
                    answer.append(f"RFC822.SIZE {len(message.body)}")
                if "INTERNALDATE" in items:
                    answer.append(f'INTERNALDATE "{DATE}"')
                line = f"* {uid} FETCH ({' '.join(answer)}".encode()
                if "HEADER.FIELDS" in items:
                    name = re.search(r"BODY\.PEEK(\[HEADER[^\]]*\])", items)
                    line += b" BODY%b " % (name[1].encode() if name else b"") + _literal(_fields(message.body))
                elif "BODY.PEEK[]" in items:
                    line += b" BODY[] " + _literal(message.body)
                talk.say(line + b")")


def _literal(data: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(data), data)


def _fields(body: bytes) -> bytes:
    lines = body.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return b"\r\n".join([*(line for line in lines if line.partition(b":")[0].lower() in FIELDS), b"", b""])
