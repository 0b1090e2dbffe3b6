"""`/livez`, `/readyz` and `/metrics`, the same for every service. A plain ASGI application."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], bool]  # may block and raise
PATHS = ("/livez", "/readyz", "/metrics")
TIMEOUT = 5.0  # seconds for all checks together

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
log = structlog.get_logger()


class Health:
    """Alive while the loop turns; ready when every check says so."""

    def __init__(self, checks: Mapping[str, Check], otherwise: int = 404) -> None:
        """`otherwise`: the status of every other path, where it is the whole application."""
        self._checks = checks
        self._otherwise = otherwise
        # Own threads: a store that hangs must not take those that serve requests.
        self._pool = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="health")

    async def ready(self) -> dict[str, bool]:
        """Each check by its name."""
        loop = asyncio.get_running_loop()
        running = {name: loop.run_in_executor(self._pool, _passes, name, check) for name, check in self._checks.items()}
        if running:
            await asyncio.wait(running.values(), timeout=TIMEOUT)
        return {name: future.done() and future.result() for name, future in running.items()}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # where it is the whole application
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        match scope["path"]:
            case "/livez":
                await _answer(send, 200, b"application/json", b'{"alive":true}')
            case "/readyz":
                checks = await self.ready()
                ready = all(checks.values())
                body = json.dumps({"ready": ready, "checks": checks}).encode()
                await _answer(send, 200 if ready else 503, b"application/json", body)
            case "/metrics":
                await _answer(send, 200, CONTENT_TYPE_LATEST.encode(), generate_latest())
            case _:
                await _answer(send, self._otherwise, b"text/plain", b"")


def _passes(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception:
        log.warning("health.check_failed", check=name, exc_info=True)
        return False


async def _answer(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
