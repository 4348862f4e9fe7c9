"""A model of an OpenAI-compatible endpoint: off unless the user names one and agrees to what is sent."""

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from store.examples import Message
from store.responses import ResponseOrigin
from studio.errors import StudioError
from studio.generating.speakers import ENDPOINT, RefusedError, Said
from studio.inference.engine import Sampling
from studio.loopback import is_loopback
from studio.settings import GenerateSettings
from studio.text import clean_line

if TYPE_CHECKING:
    from httpx2 import Response

TRIES = 5
"""Times that a request is sent before it has failed; between them it waits 1, 2, 4 and 8 seconds."""
LONGEST_WAIT = 60.0
"""Seconds that an endpoint may ask to wait."""
TIMEOUT = 120.0
"""Seconds without a byte after which a request has failed."""
CONNECT_TIMEOUT = 15.0
LONGEST_REPLY = 1_000_000
"""Characters; whatever says more was not answering."""
MOST_OF_A_NAME = 200
MOST_OF_AN_ERROR = 200
"""Characters of what an endpoint says of a fault."""


@dataclass(frozen=True)
class Endpoint:
    """Where requests go."""

    url: str
    scheme: str
    host: str
    is_loopback: bool
    key_name: str
    """The environment variable that holds the key; empty where none is needed."""


def endpoint_of(settings: GenerateSettings) -> Endpoint:
    """Return the endpoint that the settings name.

    Raises:
        StudioError: they name none, its address is not safe to use, or the key is not there.
    """
    if not settings.endpoint:
        raise StudioError(
            "No endpoint is configured, so nothing can be sent to one.",
            'Name one in studio.toml: [generate] endpoint = "https://HOST/v1".',
        )
    try:
        parts = urlsplit(settings.endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise StudioError(f"generate.endpoint is no address: {settings.endpoint!r}.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise StudioError(f"generate.endpoint is no address: {settings.endpoint!r}.", 'Write "https://HOST/v1".')
    if parts.username or parts.password or parts.query:
        raise StudioError(
            "generate.endpoint holds more than an address.",
            "Take name, key or question mark out of it; endpoint_key names the variable that holds the key.",
        )
    stays = is_loopback(host)
    if parts.scheme == "http" and not stays:
        raise StudioError(f"{host} would be sent everything unencrypted.", "Use https in generate.endpoint.")
    if settings.endpoint_key:
        _check_key(settings.endpoint_key, host)
    url = settings.endpoint.rstrip("/") + "/chat/completions"
    return Endpoint(url, parts.scheme, f"{host}:{port}" if port else host, stays, settings.endpoint_key)


class EndpointSpeaker:
    """A model of an endpoint; what it gets is the conversation, its tools and the sampling."""

    origin: ResponseOrigin = "model"

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        import httpx2

        self.name = f"{ENDPOINT}{model}"
        self._endpoint = endpoint
        self._model = model
        self._cancelled = threading.Event()
        key = _key_of(endpoint.key_name)
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # What is meant for this machine goes through no proxy; and a redirect would change the host agreed to.
            trust_env=not endpoint.is_loopback,
            follow_redirects=False,
        )

    def provenance(self) -> dict[str, Any]:
        """Return the host and the model; what it is made of, nobody outside knows."""
        return {"model": self._model, "endpoint": self._endpoint.url}

    def say(self, messages: list[Message], sampling: Sampling, tools: list[dict[str, Any]] | None = None) -> Said:
        """Answer a conversation; see `Speaker`."""
        answer = self._answer(request_of(self._model, messages, sampling, tools))
        if answer is None:
            return Said("", {"reason": "cancelled"})
        try:
            choice = answer["choices"][0]
            text = choice["message"].get("content") or ""
            reason = "length" if choice.get("finish_reason") == "length" else "stop"
            usage = answer.get("usage") or {}
            served_as = clean_line(str(answer.get("model") or ""))[:MOST_OF_A_NAME]
            stats = {"reason": reason, "tokens": usage.get("completion_tokens"), "served_as": served_as}
        except (KeyError, IndexError, TypeError, AttributeError):
            raise StudioError(f"{self._endpoint.host} answered with something that is no chat completion.") from None
        if not isinstance(text, str) or len(text) > LONGEST_REPLY:
            raise StudioError(f"{self._endpoint.host} answered with something that is no text, or a book.")
        return Said(text, stats)

    def cancel(self) -> None:
        """Wait for no answer any more."""
        self._cancelled.set()

    def _answer(self, body: dict[str, Any]) -> Any | None:
        """Return the endpoint's answer, asked again where it was busy; None where it was cancelled."""
        why = ""
        for number in range(TRIES):
            attempt = self._in_thread(lambda: self._ask(body))
            if attempt is None:
                return None
            if attempt.answer is not None:
                return attempt.answer
            if attempt.refused:
                raise RefusedError(f"{self._endpoint.host} does not take this prompt: {attempt.why}.")
            why = attempt.why
            if not attempt.again:
                break
            if number + 1 < TRIES and self._cancelled.wait(2.0**number if attempt.wait is None else attempt.wait):
                return None
        raise StudioError(f"{self._endpoint.host} did not answer: {why.rstrip('.')}.")

    def _in_thread(self, ask: "Callable[[], _Attempt]") -> "_Attempt | None":
        """Return what a request gave, or None at once when it is cancelled: an answer may take minutes."""
        done: queue.Queue[_Attempt] = queue.Queue()
        threading.Thread(target=lambda: done.put(ask()), daemon=True).start()
        while not self._cancelled.is_set():
            try:
                return done.get(timeout=0.05)
            except queue.Empty:
                continue
        return None

    def _ask(self, body: dict[str, Any]) -> "_Attempt":
        import httpx2

        try:
            reply = self._client.post(self._endpoint.url, json=body)
        except httpx2.TimeoutException:
            return _Attempt(why="it took too long", again=True)
        except httpx2.TransportError as error:
            return _Attempt(why=clean_line(str(error)) or type(error).__name__, again=True)
        except Exception as error:
            return _Attempt(why=clean_line(f"{type(error).__name__}: {error}"))
        if reply.is_success:
            return _read(reply)
        if reply.is_redirect:
            return _Attempt(why=f"{reply.status_code}, it wants the request sent elsewhere, which nobody agreed to")
        status = reply.status_code
        return _Attempt(
            why=f"{status} {_words_of(reply.text)}".strip(),
            again=status in (408, 429) or status >= 500,
            refused=status in (400, 413, 422),
            wait=_seconds(reply.headers.get("retry-after", "")),
        )


@dataclass(frozen=True)
class _Attempt:
    answer: Any = None
    why: str = ""
    again: bool = False
    refused: bool = False
    wait: float | None = None


def _read(reply: "Response") -> _Attempt:
    try:
        return _Attempt(answer=reply.json() or {})
    # Nested too deep is a RecursionError; the other two are ValueErrors.
    except (ValueError, RecursionError):
        return _Attempt(why="what came is no JSON")


def request_of(
    model: str, messages: list[Message], sampling: Sampling, tools: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the body of a request: all that is sent, but for the key."""
    return {
        "model": model,
        "messages": messages,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        **({"tools": tools} if tools else {}),
    }


def _key_of(name: str) -> str:
    """Return the key; a line's end around it comes with many a file that keys are kept in."""
    return os.environ.get(name, "").strip() if name else ""


def _check_key(name: str, host: str) -> None:
    key, again = _key_of(name), f"Set it before you start: export {name}=..."
    if not key:
        raise StudioError(f"The key for {host} is not there: the environment variable {name} is empty.", again)
    # Refused here: what an HTTP library says of such a header would show the key.
    if not key.isascii() or not key.isprintable() or " " in key:
        raise StudioError(f"The environment variable {name} is no key: it holds a space or a strange sign.", again)


def _seconds(text: str) -> float | None:
    """Return how long an endpoint asks to wait; None where it does not say it in seconds."""
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else None


def _words_of(text: str) -> str:
    """Return what an endpoint says of a fault: its message where it is JSON of the usual kind."""
    import json

    try:
        found = json.loads(text)["error"]
        text = found["message"] if isinstance(found, dict) else str(found)
    except (ValueError, KeyError, TypeError):
        pass
    return clean_line(text)[:MOST_OF_AN_ERROR]
