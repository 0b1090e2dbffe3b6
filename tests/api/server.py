"""The api on a real port, in a thread with a loop of its own."""

import asyncio
import json
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from libs.runtime import process
from libs.runtime.health import Health
from services.api.app import create_app
from services.api.deps import Deps


class Server:
    def __init__(self, deps: Deps, port: int = 0) -> None:
        self._deps = deps
        self._port = port
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.url = ""

    def stop(self, seconds: float = 10) -> bool:
        """As SIGTERM does; whether it had ended in time."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        with process.listen(("127.0.0.1", self._port)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with process.serve(create_app(self._deps, Health({}), self._stop), listener):
                self._listening.set()
                await self._stop.wait()


def events(answer: httpx2.Response) -> Iterator[tuple[str, Any, str]]:
    """(event, data, id) until the server ends the stream."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(":")
        if line and name:
            fields[name] = value.strip()
        elif not line and "data" in fields:
            yield fields["event"], json.loads(fields["data"]), fields["id"]
            fields = {}
