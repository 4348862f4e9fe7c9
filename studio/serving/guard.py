"""Web pages kept away from a server on this machine, whatever name they give it (DNS rebinding)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from studio.serving.settings import is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_REFUSAL = b'{"error": {"message": "This server answers programs of its own machine only.", "type": "forbidden"}}'


def guarded(application: Application) -> Application:
    """Return an application that refuses requests by a foreign name, or from a foreign page."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_own(scope):
            await application(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})

    return answer


def _is_own(scope: Scope) -> bool:
    headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
    hosts = [f"//{value}" for name, value in headers if name == b"host"]
    origins = [value for name, value in headers if name == b"origin"]
    return bool(hosts) and all(is_loopback(_host(url)) for url in (*hosts, *origins))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
