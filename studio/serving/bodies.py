"""What clients send, before llama-cpp-python's server reads it: refused where that would fall over it."""

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import orjson

from studio.serving.forms import asked_for
from studio.serving.guard import Application, Receive, Scope, Send, refuse

MOST_BYTES = 16_000_000
"""Of one request: far more than a context holds."""

gone: ContextVar[threading.Event | None] = ContextVar("whether the client has gone", default=None)


def checked(application: Application, name: str) -> Application:
    """Return an application that gets whole requests of a sensible size, in the words that it knows.

    Args:
        application: llama-cpp-python's.
        name: what the model is called in replies to who calls it nothing; the library says its file's path.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await application(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        if len(body) > MOST_BYTES:
            await refuse(send, 413, f"A request may have {MOST_BYTES:,} bytes.")
            return
        try:
            asked = _known(orjson.loads(body), name)
        except orjson.JSONDecodeError:
            await refuse(send, 400, "The request is no JSON.")
        except ValueError as error:
            await refuse(send, 400, str(error))
        else:
            await _pass_on(application, scope, receive, send, orjson.dumps(asked))

    return answer


async def _body(receive: Receive) -> bytearray | None:
    """Return a request's body, or more than the most of it; None where the client is gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES or not message.get("more_body"):
            return body


def _known(asked: Any, name: str) -> Any:
    """Return a request without what llama.cpp ends on, and with the newer names of OpenAI's as the older ones."""
    if not isinstance(asked, dict):
        raise ValueError("The request is no JSON object.")
    if asked.get("grammar"):
        raise ValueError("Grammars are not served.")
    asked = {**asked, "model": asked.get("model") or name}
    if "max_completion_tokens" in asked:
        asked = {"max_tokens": asked["max_completion_tokens"], **asked}
    if "response_format" in asked:
        asked = {**asked, "response_format": asked_for(asked["response_format"])}
    messages = asked.get("messages")
    if isinstance(messages, list):
        turns = [
            {**m, "role": "system"} if isinstance(m, dict) and m.get("role") == "developer" else m for m in messages
        ]
        asked = {**asked, "messages": turns}
    return asked


async def _pass_on(application: Application, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
    headers = [
        (name, value) for name, value in scope["headers"] if name not in (b"content-length", b"transfer-encoding")
    ]
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    left = threading.Event()
    gone.set(left)
    watching = asyncio.create_task(watch())
    try:
        changed = {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        await application(changed, again, send)
    finally:
        watching.cancel()
