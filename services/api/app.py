"""The api as one ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.routing import Route

from libs.contracts.codec import Message
from libs.contracts.topics import COMMANDS, JOB_EVENTS
from libs.runtime.health import PATHS, Health
from services.api import abilities, accounts, errors, integrations, jobs, page, projects, streams
from services.api.bodies import BodyLimit
from services.api.deps import Deps
from services.api.headers import SecurityHeaders
from services.api.hub import Hub
from services.api.measured import Measured

THREADS = 8  # requests that block at once; each thread has its own client of the read model


def create_app(deps: Deps, health: Health, stop: asyncio.Event | None = None) -> FastAPI:
    """`stop`: when it is set, open streams end, so that the server can."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        hub = app.state.hub = Hub(lambda job_ids: deps.views.views(job_ids, deps.now()), deps.views.live, deps.now)

        def wake(_message: Message) -> None:
            hub.wake()

        # Both are appended after what they tell of was written; progress is seen by looking once a second.
        deps.log.follow(COMMANDS, wake)
        deps.log.follow(JOB_EVENTS, wake)
        tasks = [asyncio.create_task(hub.run())]
        if stop is not None:
            tasks.append(asyncio.create_task(_close_at(stop, hub)))
        try:
            yield
        finally:
            hub.close()
            for task in tasks:
                task.cancel()

    app = _Described(
        title="Mailtide",
        version="1",
        docs_url=None,  # it would load its scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
        responses=errors.RESPONSES,
        redirect_slashes=False,
    )
    app.state.deps = deps
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured)
    for module in (abilities, accounts, streams, jobs, projects, page, integrations):  # /api/jobs/events is no key
        app.include_router(module.router)
    app.router.routes.extend(Route(path, endpoint=health) for path in PATHS)
    return app


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"].update(errors.schemas())
        return document


async def _close_at(stop: asyncio.Event, hub: Hub) -> None:
    await stop.wait()
    hub.close()
