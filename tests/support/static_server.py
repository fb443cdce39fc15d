"""A small static web server for tests: a folder of files, and what a bad server might do at chosen paths."""

from __future__ import annotations

import mimetypes
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = tuple[int, dict[str, str], bytes]


class StaticServer:
    """Serves `root`; `answers` overrides single paths, and `requests` lists what was asked for."""

    def __init__(self, root: Path, address: str) -> None:
        self.root = root
        self.address = address
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.requests: list[str] = []

    def answer(self, path: str) -> Answer:
        self.requests.append(path)
        if path in self.answers:
            return self.answers[path]()
        file = self.root / path.lstrip("/")
        if not file.is_file():
            return 404, {}, b"nothing here"
        media_type, _ = mimetypes.guess_type(file.name)
        return 200, {"Content-Type": media_type or "application/octet-stream"}, file.read_bytes()


@contextmanager
def serve_files(root: Path) -> Iterator[StaticServer]:
    """Serve a folder on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = served.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        served = StaticServer(root, f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
