"""How long requests take, by the template of their route: an address holds keys and names."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.runtime import metrics
from libs.runtime.health import PATHS

OTHER = "other"  # no route: addresses that somebody tries


class Measured:
    """Streams are left out: they last as long as somebody watches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status = time.monotonic(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            if not route.endswith("/events") and scope["path"] not in PATHS:
                labels = (route, scope["method"] if route != OTHER else OTHER, str(status))
                metrics.HTTP_SECONDS.labels(*labels).observe(time.monotonic() - begun)
