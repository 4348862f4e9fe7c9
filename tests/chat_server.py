"""A real HTTP server of this machine that speaks the chat completions protocol, as tests tell it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = str | tuple[int, dict[str, str], str]
"""What a model says, or status, headers and body."""


@dataclass
class ChatServer:
    """Where it listens, what it was asked, and what it answers."""

    url: str
    answer: Callable[[dict[str, Any]], Answer]
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def configure(self, folder: Path, key_name: str = "") -> None:
        """Name it in a project's settings."""
        with (folder / "studio.toml").open("a", encoding="utf-8") as settings:
            settings.write(f'\n[generate]\nendpoint = "{self.url}"\nendpoint_key = "{key_name}"\n')


def said_by_seed(request: dict[str, Any]) -> Answer:
    """Answer otherwise for each seed, and in the same way for the same one."""
    asked = request["messages"][-1]["content"]
    return f"{request['model']} says of {asked!r} under {request['seed']}: {request['seed'] % 9973} times yes."


@contextmanager
def chat_server(answer: Callable[[dict[str, Any]], Answer] = said_by_seed) -> Iterator[ChatServer]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    state = ChatServer(f"http://127.0.0.1:{server.server_port}/v1", answer)
    server.state = state  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        state: ChatServer = self.server.state  # type: ignore[attr-defined]
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        state.asked.append(request)
        state.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path != "/v1/chat/completions":
            self._send(404, {}, json.dumps({"error": {"message": f"no {self.path} here"}}))
            return
        answer = state.answer(request)
        if isinstance(answer, tuple):
            self._send(*answer)
            return
        length = len(answer.split()) >= request["max_tokens"]
        choice = {"message": {"role": "assistant", "content": answer}, "finish_reason": "length" if length else "stop"}
        self._send(200, {}, json.dumps({"model": request["model"], "choices": [choice]}))

    def _send(self, status: int, headers: dict[str, str], body: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        content = body.encode()
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""
