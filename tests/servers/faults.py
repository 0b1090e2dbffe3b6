"""What a fault proxy does, where in the dialogue, and how often it has been there."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

# Where: the classes of bytes of a dialogue. Those of APPEND in the order in which they pass.
Place = Literal[
    "greeting",  # inside the server's first line
    "login",  # before the login reaches the server
    "list",  # inside a line that answers LIST
    "examine",  # inside a line that answers EXAMINE
    "status",  # inside the line that answers STATUS
    "listing",  # inside a line of a listing
    "fetch_literal",  # inside a message that is fetched
    "fetch_end",  # after a message that is fetched, before the end of its response
    "append_head",  # the announcement was passed on, nothing of the message
    "append_literal",  # inside the message
    "append_crlf",  # all was passed on but the last line break, which the client has sent
    "append_sent",  # all was passed on, the server has not answered
    "append_answer",  # the server has answered, the client has not heard it
    "append_answered",  # the client has heard it, and not said anything since
]
PLACES: tuple[Place, ...] = get_args(Place)
OF_APPEND: tuple[Place, ...] = tuple(place for place in PLACES if place.startswith("append"))
# What: end both connections; stay silent and then end them; go on after a while; end the client's connection
# at once and pass on what is kept of its append after a while.
Act = Literal["cut", "stall", "delay", "late"]
By = Literal["fin", "rst"]


@dataclass(frozen=True, slots=True)
class Fault:
    at: Place
    act: Act = "cut"
    by: By = "rst"
    nth: int = 1  # time that this place is reached, from the moment on when the script is armed
    seconds: float = 0.0
    kill: bool = False  # the process is killed first

    def __str__(self) -> str:
        words = [f"{self.at}#{self.nth}", self.act, self.by]
        return " ".join([*words, *([f"{self.seconds:.2f}s"] if self.seconds else []), *(["kill -9"] * self.kill)])


@dataclass
class Script:
    """The faults of one side of one job, each of which happens once. Thread-safe."""

    faults: Sequence[Fault] = ()
    hidden: frozenset[str] = frozenset()  # capabilities that the client does not see
    kill: Callable[[], object] = lambda: None
    happened: list[Fault] = field(default_factory=list[Fault])
    latest: float = 0.0  # seconds from a client's end to the answer to its append
    _armed: bool = False
    _met: Counter[Place] = field(default_factory=Counter[Place])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self) -> None:
        self._armed = True

    def meet(self, place: Place) -> Fault | None:
        """The fault that happens here and now."""
        with self._lock:
            if not self._armed:
                return None
            self._met[place] += 1
            for fault in self.faults:
                if (fault.at, fault.nth) == (place, self._met[place]) and fault not in self.happened:
                    self.happened.append(fault)
                    return fault
        return None
