"""uvicorn, for an application with streams that would otherwise outlast its end."""

import socket

import uvicorn
from fastapi import FastAPI


class HttpServer(uvicorn.Server):
    """Ends the event streams when it is told to stop: uvicorn waits for open answers first and tells no one."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._streams = app.state.change_hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the streams, then everything."""
        self._streams.stop()
        await super().shutdown(sockets)
