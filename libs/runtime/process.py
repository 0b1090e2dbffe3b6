"""The lifetime of a process: signals, its HTTP server, and an end that does not wait for busy threads."""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NoReturn

import structlog
import uvicorn
import uvloop

log = structlog.get_logger()

GRACE_SECONDS = 9.5  # so that it has ended within 10 s
COLLECT_EVERY = (50_000, 20, 20)  # allocations; generations
M_ARENA_MAX = -8  # malloc.h
ARENAS = 1  # of the C library, for all threads together
THREADS = 8  # for `asyncio.to_thread`; a service's own work has its own pools


def run(main: Callable[[asyncio.Event], Awaitable[int]], *, grace: float = GRACE_SECONDS) -> NoReturn:
    """Run `main(stop)` and end the process with the status it returns.

    SIGTERM and SIGINT set `stop`; `grace` seconds later, or at a second
    signal, the process ends as it is. Threads that are still busy then are not
    waited for: everything durable is durable before it is acknowledged.
    """
    collect_seldom()
    share_memory()
    status = uvloop.run(_main(main, grace))
    leave(status)


def collect_seldom() -> None:
    """What a copier holds of each message is many small objects that live long and form no cycles. With Python's own
    threshold of 700 an eighth of its CPU went into looking through them again and again (30,000 messages: 0.20 s of
    1.7 s; with this one 0.07 s).
    """
    gc.set_threshold(*COLLECT_EVERY)


def share_memory() -> None:
    """Folders are copied by threads that come and go with batches of 8 MiB. glibc gives them heaps of their own, up to
    eight a core, and each keeps what was once needed in it: the first job of `make bench` took 152 to 244 MB above
    idle, and 104 to 107 MB with one heap, in the same time.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


async def _main(main: Callable[[asyncio.Event], Awaitable[int]], grace: float) -> int:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="blocking"))
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            leave(1)
        stop.set()
        watchdog = threading.Timer(grace, leave, (1,))  # a thread: it also ends a loop that hangs
        watchdog.daemon = True
        watchdog.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        status = await main(stop)
    except Exception:
        log.exception("process.failed")
        status = 1
    leave(status)  # here, because closing the loop would wait for the threads of its executor


def leave(status: int) -> NoReturn:
    """End the process now, without waiting for threads."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


class _Server(uvicorn.Server):
    """uvicorn in our loop: the signals are ours."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(address: tuple[str, int]) -> socket.socket:
    """Port 0: any free one.

    Raises:
        OSError: the address can't be listened on.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=512)


@contextlib.asynccontextmanager
async def serve(
    app: Any, listener: socket.socket, trusted_proxies: Iterable[IPv4Network | IPv6Network] = ()
) -> AsyncGenerator[None]:
    """Serve an ASGI app inside the running loop.

    A request of a trusted proxy counts as that of the last address in its `X-Forwarded-For` that is none of them.
    Requests under way get 3 s to finish at the end; streams must end by themselves.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # its lines would hold the keys of jobs
        server_header=False,
        lifespan="on",
        forwarded_allow_ips=[str(network) for network in trusted_proxies],
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    listening = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not server.listening.is_set():
            raise RuntimeError("the HTTP server did not start")
        yield
    finally:
        listening.cancel()
        server.should_exit = True
        await serving
