"""A wire that is longer than loopback: every answer arrives later, by the same time.

    python -m bench.delay_line --listen PORT --connect PORT --milliseconds 20

Bytes on the way back are held for a while each, and never in a queue for one another: a connection that has one
request on its way at a time sees each request take that much longer, and all connections together are not slower.
Making a connection takes no longer, and neither does `100 Continue`, which boto3 asks for and waits for before
it sends a body: a longer wire would delay that too, and each of boto3's requests twice.
"""

import argparse
import asyncio

_INTERIM = b"HTTP/1.1 100 "


class _Back(asyncio.Protocol):
    """From the server to the client, later."""

    def __init__(self, client: asyncio.Transport, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    def data_received(self, data: bytes) -> None:
        seconds = 0 if data.startswith(_INTERIM) else self._seconds
        asyncio.get_running_loop().call_later(seconds, self._client.write, data)

    def connection_lost(self, _: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._client.close)


class _Forth(asyncio.Protocol):
    """From the client to the server, at once; what comes before the server is reached waits for it."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._waiting: list[bytes] = []
        self._server: asyncio.Transport | None = None
        self._closed = False
        self._reaching: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._reaching = asyncio.get_running_loop().create_task(self._reach(transport))

    def data_received(self, data: bytes) -> None:
        if self._server is None:
            self._waiting.append(data)
        else:
            self._server.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._closed = True
        if self._server is not None:
            self._server.close()

    async def _reach(self, client: asyncio.Transport) -> None:
        self._server, _ = await asyncio.get_running_loop().create_connection(
            lambda: _Back(client, self._seconds), "127.0.0.1", self._port
        )
        self._server.writelines(self._waiting)
        if self._closed:
            self._server.close()


async def _serve(listen: int, connect: int, seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Forth(connect, seconds), "127.0.0.1", listen
    )
    await server.serve_forever()


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--connect", type=int, required=True)
    parser.add_argument("--milliseconds", type=float, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.listen, given.connect, given.milliseconds / 1000))


if __name__ == "__main__":
    main()
