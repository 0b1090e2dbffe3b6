"""`python -m services.demo.server`: one throwaway IMAP account on loopback (pymap, in memory, no TLS).

Reads one JSON line from stdin, `{"username": …, "password": …, "filled": …}`, prints its port as a line and
serves until stdin ends: it never outlives the process that started it.
"""

import asyncio
import json
import os
import sys
from argparse import Namespace
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.backend.dict.mailbox import MailboxSet
from pymap.exceptions import ResponseError
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface
from pymap.parsing.message import AppendMessage
from pymap.parsing.response import ResponseNo
from pymap.parsing.response.code import AppendUid
from pymap.parsing.specials import SequenceSet
from pymap.parsing.specials.flag import Flag
from pymap.selected import SelectedMailbox
from pymap.user import Passwords, UserMetadata

from services.demo import sample


class ContentRefused(ResponseError):
    """An attachment this server does not take, as many servers have them."""

    def get_response(self, tag: bytes) -> ResponseNo:
        return ResponseNo(tag, b"Message refused: attachments of this type are not accepted here.")


class DemoSession(Session):
    """pymap as it is, but for CLOSE after EXAMINE: it succeeds and removes nothing (RFC 3501 section 6.4.2)."""

    async def expunge_mailbox(self, selected: SelectedMailbox, uid_set: SequenceSet | None = None) -> SelectedMailbox:
        return selected if selected.readonly else await super().expunge_mailbox(selected, uid_set)


class PickySession(DemoSession):
    """Refuses a whole APPEND when one of its messages has a program attached (RFC 3502: all or none)."""

    async def append_messages(
        self, name: str, messages: Sequence[AppendMessage], selected: SelectedMailbox | None = None
    ) -> tuple[AppendUid, SelectedMailbox | None]:
        if any(sample.REFUSED_NAME.encode() in bytes(message.literal) for message in messages):
            raise ContentRefused
        return await super().append_messages(name, messages, selected)


class DemoLogin(Login):
    """Gives every login a session of one kind."""

    def __init__(self, config: Config, kind: type[DemoSession]) -> None:
        super().__init__(config)
        self.kind = kind

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        identity = await super().authorize(authenticated, authzid)
        return DemoIdentity(identity.name, self, None, identity.roles)


class DemoIdentity(Identity):
    @asynccontextmanager
    async def new_session(self) -> AsyncGenerator[Session]:
        kind = self.login.kind if isinstance(self.login, DemoLogin) else DemoSession
        async with super().new_session() as session:
            yield kind(session.owner, session.config, session.mailbox_set, session.filter_set)


async def fill(mailboxes: MailboxSet) -> None:
    """Put the sample mailbox into an account."""
    for folder in sample.FOLDERS:
        if folder != "INBOX":
            await mailboxes.add_mailbox(folder)
            await mailboxes.set_subscribed(folder, True)
    for mail in sample.mails():
        mailbox = await mailboxes.get_mailbox(mail.folder)
        flags = frozenset(Flag(flag.encode()) for flag in mail.flags)
        await mailbox.append(AppendMessage(mail.body, mail.at, flags))


async def serve(username: str, password: str, *, filled: bool) -> None:
    """Returns when stdin ends."""
    config = Config(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host="127.0.0.1",
        port=0,
        demo_data=False,
        demo_user=username,
        demo_password=password,
        tls_enabled=False,
    )
    config.apply_context()
    login = DemoLogin(config, DemoSession if filled else PickySession)
    await login.demo_user_identity.set(
        UserMetadata(config, username, password=await Passwords(config).hash_password(password))
    )
    if filled:
        async with login.demo_user_identity.new_session() as session:
            await fill(session.mailbox_set)
    connected = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    async with await asyncio.start_server(connected, config.host, config.port) as server:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    os.environ["FQDN"] = "localhost"  # else pymap asks the name service for each greeting
    account = json.loads(sys.stdin.readline())
    asyncio.run(serve(account["username"], account["password"], filled=account["filled"]))


if __name__ == "__main__":
    main()
