"""Servers that change the mail they are given, so that less than its bytes survives (COPYING rule 15)."""

from collections.abc import Callable
from dataclasses import replace

from libs.mailbox.port import Message
from tests.unit.world import World


def rewriting(level: str) -> Callable[[Message], Message]:
    """A server that changes messages so that this is the strongest thing that survives."""

    def rewrite(message: Message) -> Message:
        head, _, text = message.body.partition(b"\r\n\r\n")
        match level:
            case "size":
                body = head + b"\r\n\r\n" + text[::-1]
            case "headers":
                body = b"X-Scanned: yes\r\n" + message.body
            case "message_id":
                body = b"X-Scanned: yes\r\n" + message.body.replace(b"Subject: ", b"Subject: [list] ")
            case _:
                lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Message-ID")]
                body = b"\r\n".join(lines) + b"\r\n\r\n" + text
        return replace(message, body=body, internaldate="01-Jan-2026 00:00:00 +0000")

    return rewrite


def subjects(world: World, wire: str = "INBOX") -> list[bytes]:
    """The names that `mail` gave, in the order of UIDs."""
    found = [body.partition(b"Subject: ")[2].partition(b"\r\n")[0] for body in world.destination.bodies(wire)]
    return [one.removeprefix(b"[list] ") for one in found]
