"""Messages too large to be held: each is read over a second connection to the source while it is appended."""

from collections.abc import Iterator

from libs.mailbox.port import Body
from libs.mailbox.sides import at
from services.copier.connections import Connections
from services.copier.ledger import Ledger, Ref
from services.copier.tail import open_source


def open_large(ledger: Ledger, connections: Connections, ref: Ref) -> Body:
    """The message from its beginning.

    Raises:
        PlanOutdated: its folder is another one.
        SideFailed: the source failed; also while the pieces are read.
    """
    with at("source"):
        session = open_source(connections.get("tail"), ledger, ref.source)
        body = session.body(ref.uid)
    return Body(body.size, _pieces(connections, body))


def _pieces(connections: Connections, body: Body) -> Iterator[bytes]:
    whole = False
    try:
        with at("source"):
            yield from body.pieces
        whole = True
    finally:
        if not whole:
            connections.reset("tail")  # it is in the middle of an answer
