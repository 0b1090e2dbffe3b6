"""A TCP proxy that holds every byte back for half a round trip in each direction: a far server near at hand.

`python -m tests.bench.delay PORT MILLISECONDS` prints the port it listens on, and runs until it is ended.
"""

import asyncio
import sys

READ = 256 * 1024


async def main(port: int, seconds: float) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def accept(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection("127.0.0.1", port)
        for source, sink in ((near, to_far), (far, to_near)):
            task = asyncio.create_task(_carry(source, sink, seconds))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=READ)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """A pipe of any width: only the time counts, not how much is on its way."""
    loop = asyncio.get_running_loop()
    on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

    async def deliver() -> None:
        while True:
            due, data = await on_its_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                sink.close()
                return
            sink.write(data)
            await sink.drain()

    delivering = asyncio.create_task(deliver())
    try:
        while data := await source.read(READ):
            await on_its_way.put((loop.time() + seconds, data))
        await on_its_way.put((loop.time() + seconds, b""))
        await delivering
    except OSError:
        delivering.cancel()
        sink.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 2000))
