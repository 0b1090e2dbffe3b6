"""An account in memory (`tests/mail/model.py`) behind a real socket: strange servers, spoken to in real IMAP."""

import re
from collections.abc import Iterator

from libs.contracts import uidset
from libs.mailbox.errors import AppendRefused, FetchRefused, FolderGone, MailboxError
from libs.mailbox.port import STATUS_SIZE, Listed, Message
from tests.mail.model import MailboxModel
from tests.mail.model_session import FIELDS_OF_IDENTITY, ModelSession
from tests.servers.scripted import Scripted, Talk

_PART = re.compile(rb' \(([^)]*)\)(?: "([^"]*)")? \{(\d+)(\+?)\}\r?\n')
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class ModelServer(Scripted):
    """Without TLS. What the model refuses, loses or leaves unanswered, this does on the wire."""

    def __init__(self, model: MailboxModel) -> None:
        self.model = model
        super().__init__(self._serve_model)

    def _serve_model(self, talk: Talk) -> None:
        session = self.model.connect()
        talk.let_in(self._capabilities())
        while True:
            line = talk.hear().decode("latin-1")
            verb, _, rest = line.partition(" ")
            if verb == "UID":
                verb, _, rest = rest.partition(" ")
            try:
                if verb == "APPEND":
                    self._append(talk, session, rest)
                    continue
                for said in self._answer(session, verb, rest):
                    talk.say(said)
            except FolderGone:
                talk.say("{tag} NO [NONEXISTENT] no such folder")
            except FetchRefused as refused:
                talk.say(f"{{tag}} NO {refused.server_text}")
            except MailboxError:
                talk.reset()
                return
            else:
                talk.say("{tag} OK done")
            if verb == "LOGOUT":
                return

    def _capabilities(self) -> str:
        model = self.model
        extensions = {"MULTIAPPEND": model.multiappend, "UIDPLUS": model.uidplus, "OBJECTID": model.objectid}
        extensions |= {STATUS_SIZE: model.tells_sizes}
        return " ".join(["IMAP4rev1 LITERAL+", *(name for name, has in extensions.items() if has)])

    def _answer(self, session: ModelSession, verb: str, rest: str) -> Iterator[str | bytes]:
        if verb == "LIST" and rest == '"" ""':
            yield '* LIST (\\Noselect) "/" ""'
        elif verb in ("LIST", "LSUB"):
            asked = _name(rest.partition(" ")[2])
            for folder in session.folders():
                if asked in ("*", folder.wire):
                    yield f'* {verb} () "/" "{folder.wire}"'
        elif verb == "STATUS":
            status = session.status(_name(rest), size=" SIZE" in rest)
            uidnext = f" UIDNEXT {status.uidnext}" if status.uidnext is not None else ""
            size = f" SIZE {status.bytes}" if status.bytes is not None else ""
            numbers = f"MESSAGES {status.messages}{uidnext} UIDVALIDITY {status.uidvalidity}{size}"
            yield f'* STATUS "{_name(rest)}" ({numbers})'
        elif verb == "EXAMINE":
            selected = session.examine(_name(rest))
            yield f"* {selected.exists} EXISTS"
            yield f"* OK [UIDVALIDITY {selected.uidvalidity}] it is"
            if selected.uidnext is not None:
                yield f"* OK [UIDNEXT {selected.uidnext}] next"
            if selected.mailbox_id is not None:
                yield f"* OK [MAILBOXID ({selected.mailbox_id})] known by"
        elif verb == "FETCH":
            uids, _, items = rest.partition(" ")
            yield from self._fetched(session, uids, items)
        elif verb == "CREATE":
            session.create(_name(rest))
        elif verb == "CLOSE":
            session.unselect()

    def _fetched(self, session: ModelSession, uids: str, items: str) -> Iterator[bytes]:
        if "RFC822.SIZE" in items:
            identity = "HEADER" in items
            for one in session.listing(uids, identity=identity):
                fields = f" BODY[HEADER.FIELDS ({FIELDS_OF_IDENTITY})]" if identity else ""
                yield _listed(one, fields, session.header_fields(one.uid) if identity else b"")
            return
        if "BODY.PEEK[HEADER]" in items:
            for uid, header in session.headers(uids):
                yield f"* {uid} FETCH (UID {uid} BODY[HEADER] {{{len(header)}}}\r\n".encode() + header + b")"
            return
        for message in session.fetch(uids):
            flags = " ".join(message.flags)
            head = f'* {message.uid} FETCH (UID {message.uid} FLAGS ({flags}) INTERNALDATE "{message.internaldate}"'
            if message.body in self.model.nil_bodies:
                yield f"{head} BODY[] NIL)".encode("latin-1")
            else:
                yield f"{head} BODY[] {{{len(message.body)}}}\r\n".encode("latin-1") + message.body + b")"

    def _append(self, talk: Talk, session: ModelSession, rest: str) -> None:
        name = _NAME.match(rest)
        assert name, rest
        line, messages = rest[name.end() :].encode("latin-1") + b"\r\n", list[Message]()
        while part := _PART.fullmatch(line):
            if not part[4]:
                talk.say("+ go on")
            flags, date = tuple(part[1].decode("latin-1").split()), (part[2] or b"").decode("latin-1")
            messages.append(Message(0, flags, date, talk.read(int(part[3]))))
            line = talk.line()
        if line != b"\r\n":
            raise EOFError  # the client is gone, or thought better of it
        try:
            appended = session.append(_name(rest), messages, lambda: None)
        except AppendRefused as refused:
            code = f"[{refused.code}] " if refused.code else "[TRYCREATE] " if refused.try_create else ""
            talk.say(f"{{tag}} {'BAD' if refused.syntax else 'NO'} {code}{refused.server_text}")
            if refused.connection_closed:
                raise EOFError from refused
            return
        told = f"[APPENDUID {appended.uidvalidity} {uidset.encode(appended.uids)}] " if appended.uids else ""
        talk.say(f"{{tag}} OK {told}stored")


def _listed(one: Listed, fields: str, block: bytes) -> bytes:
    head = f'* {one.uid} FETCH (UID {one.uid} RFC822.SIZE {one.size} INTERNALDATE "{one.internaldate}"{fields}'
    return head.encode("latin-1") + (b" {%d}\r\n%b)" % (len(block), block) if fields else b")")


def _name(text: str) -> str:
    found = _NAME.match(text)
    assert found, text
    return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
