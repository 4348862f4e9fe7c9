"""Web pages kept away from a server on this machine, whatever name they give it (DNS rebinding)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from studio.loopback import is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def guarded(application: Application) -> Application:
    """Return an application that refuses requests by a foreign name, or from a foreign page."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_own(scope):
            await application(scope, receive, send)
            return
        await refuse(send, 403, "This server answers programs of its own machine only.")

    return answer


async def refuse(send: Send, status: int, why: str) -> None:
    """Answer a request with a reason, in the form that clients of OpenAI know."""
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps({"error": fault(why)})})


def fault(message: str) -> dict[str, Any]:
    """Return a fault of the request in the form that clients of OpenAI know."""
    return {"message": message, "type": "invalid_request_error", "param": None, "code": None}


def _is_own(scope: Scope) -> bool:
    headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
    hosts = [f"//{value}" for name, value in headers if name == b"host"]
    origins = [value for name, value in headers if name == b"origin"]
    return bool(hosts) and all(is_loopback(_host(url)) for url in (*hosts, *origins))


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return "" if parts.username is not None else parts.hostname or ""
    except ValueError:
        return ""
