"""Whether COMPRESS=DEFLATE pays: seconds to append and to fetch the same mail over links of some widths.

`python -m tests.bench.compress`
"""

import base64
import random
import time
from dataclasses import replace

from libs.mailbox.connect import connect
from libs.mailbox.port import Message, Session
from tests.integration.conftest import policy_for
from tests.servers.dovecot import Dovecot
from tests.servers.narrow import NarrowLink

MEGABIT = 125_000
DATE = "17-Jul-1996 02:44:25 -0700"


def mail(megabytes: int) -> list[Message]:
    """Half of the bytes is text of random words, half base64 of random bytes, as in attachments."""
    chosen = random.Random(1)
    words = ["".join(chosen.choices("etaoinshrdlu", k=chosen.randint(2, 9))) for _ in range(5000)]
    messages: list[Message] = []
    for number in range(megabytes * 10):
        if number % 2:
            body = base64.encodebytes(chosen.randbytes(74_000)).replace(b"\n", b"\r\n")
        else:
            body = b"\r\n".join(" ".join(chosen.choices(words, k=11)).encode() for _ in range(1450))
        messages.append(Message(number, (), DATE, b"Subject: %d\r\n\r\n%b" % (number, body)))
    return messages


def seconds(session: Session, messages: list[Message]) -> tuple[float, float]:
    begun = time.monotonic()
    session.append("INBOX", messages, lambda: None)
    appended = time.monotonic()
    session.examine("INBOX")
    assert sum(len(one.body) for one in session.fetch("1:*")) == sum(len(one.body) for one in messages)
    return appended - begun, time.monotonic() - appended


def main() -> None:
    print(f"{'Mbit/s':>7} {'append':>8} {'deflate':>8} {'fetch':>8} {'deflate':>8}   seconds for 10 MB")
    messages = mail(10)
    with Dovecot(settings="protocol imap {\n  mail_plugins = imap_zlib\n}") as server:
        for width in (20, 100, 500, None):
            found: list[tuple[float, float]] = []
            with NarrowLink(server.imap_port, width * MEGABIT if width else None) as link:
                policy = policy_for(server)
                policy = replace(policy, allow_ports=[link.port])
                for compress in (False, True):
                    account = server.account(f"{width}-{compress}", security="plain", port=link.port)
                    session = connect(account, replace(policy, compress_locally=compress))
                    found.append(seconds(session, messages))
                    session.close()
            (append, fetch), (packed_append, packed_fetch) = found
            print(
                f"{width or 'open':>7} {append:8.2f} {packed_append:8.2f} {fetch:8.2f} {packed_fetch:8.2f}", flush=True
            )


if __name__ == "__main__":
    main()
