"""A WSGI application on a port of the loopback interface, served by threads of this process."""

from threading import Thread
from typing import Any, Self
from wsgiref.types import WSGIApplication

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server


class _QuietHandler(MotoRequestHandler):
    """Requests are recorded where somebody wants them (`local.faults`), not printed."""

    def log_request(self, *args: Any) -> None:
        """Print nothing: an emulator answers thousands of requests."""

    def connection_dropped(self, *_: Any) -> None:
        """Close on our side too what an application dropped by raising ConnectionError."""
        self.close_connection = True


class Loopback:
    """Serves an application at `url` from its creation until `close`."""

    def __init__(self, application: WSGIApplication) -> None:
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; connections that are being answered are not waited for."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
