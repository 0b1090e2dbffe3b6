"""Messages at which a server ends the connection, told from those at which it broke by chance.

Dovecot ends it instead of refusing a message whose file it can't read. Where it ended shows which message that may be;
only what ends it when nothing else is asked for is found to do so.
"""

from collections.abc import Callable

from libs.mailbox.errors import ConnectionLost

LOSSES = 4  # and the one that made it suspect; a single one, where such a message was found before


class Suspects:
    """Of one folder and one thing that is asked of its messages, across the attempts to plan it."""

    def __init__(self) -> None:
        self.found: set[int] = set()  # UIDs
        self.losses = 0  # of the connection, with one message asked for
        self._suspected: dict[int, int] = {}  # UID: losses

    def suspect(self, uid: int) -> None:
        self._suspected.setdefault(uid, 0)

    def ask_alone(self, ask: Callable[[int], object]) -> None:
        """Ask for each of them alone. What is answered is no longer suspected.

        Raises:
            ConnectionLost: go on with another connection.
        """
        for uid in sorted(self._suspected):
            try:
                ask(uid)
            except ConnectionLost:
                self.losses += 1
                self._suspected[uid] += 1
                if self.found or self._suspected[uid] == LOSSES:
                    self.found.add(uid)
                    del self._suspected[uid]
                raise
            del self._suspected[uid]
