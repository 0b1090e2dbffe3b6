"""The api as one ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import anyio.to_thread
from fastapi import FastAPI
from starlette.routing import Route

from libs.contracts.codec import Message
from libs.contracts.commands import StartJob
from libs.contracts.events import JobStarted
from libs.contracts.topics import COMMANDS, JOB_EVENTS
from libs.runtime.control import Control
from libs.runtime.health import PATHS, Health
from services.api import (
    abilities,
    accounts,
    agents,
    errors,
    integrations,
    jobs,
    orders,
    page,
    problems,
    projects,
    reports,
    streams,
)
from services.api.access import Tokens
from services.api.bodies import BodyLimit
from services.api.deps import Deps
from services.api.described import Described
from services.api.headers import SecurityHeaders
from services.api.hub import Hub
from services.api.measured import Measured
from services.api.orders import Orders
from services.api.reports import Reports

THREADS = 8  # requests that block at once; each thread has its own client of the read model


def create_app(deps: Deps, health: Health, stop: asyncio.Event | None = None) -> FastAPI:
    """`stop`: when it is set, open streams end, so that the server can."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        hub = app.state.hub = Hub(
            lambda job_ids: deps.views.views(job_ids, deps.now()),
            lambda job_ids: deps.views.jobs(job_ids, deps.now()),
            deps.views.live,
            deps.now,
            deps.views.keys,
        )
        waiting = app.state.orders = Orders(deps.agents.orders)
        app.state.reports = Reports(deps, Control(deps.log, deps.store))

        def wake(message: Message) -> None:
            if not isinstance(message, StartJob | JobStarted):  # a beginning may wait for the next look
                hub.wake(message.job_id)
            waiting.wake()

        # Both are appended after what they tell of was written; progress is seen by looking once a second.
        deps.log.follow(COMMANDS, wake)
        deps.log.follow(JOB_EVENTS, wake)
        tasks = [asyncio.create_task(hub.run()), asyncio.create_task(waiting.run())]
        if stop is not None:
            tasks.append(asyncio.create_task(_close_at(stop, hub, waiting)))
        try:
            yield
        finally:
            hub.close()
            for task in tasks:
                task.cancel()

    app = Described(
        title="Mailtide",
        version="1",
        docs_url=None,  # it would load its scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
        responses=problems.RESPONSES,
        redirect_slashes=False,
    )
    app.state.deps = deps
    app.state.tokens = Tokens()
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured)
    modules = (abilities, accounts, streams, jobs, projects, orders, agents, reports, page, integrations)
    for module in modules:  # in this order: /api/jobs/events is no key
        app.include_router(module.router)
    app.router.routes.extend(Route(path, endpoint=health) for path in PATHS)
    return app


async def _close_at(stop: asyncio.Event, hub: Hub, waiting: Orders) -> None:
    await stop.wait()
    hub.close()
    await waiting.close()
