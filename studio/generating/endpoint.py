"""A model of an OpenAI-compatible endpoint: off unless the user names one and agrees to what is sent."""

import ipaddress
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from store.examples import Message
from store.responses import ResponseOrigin
from studio.errors import StudioError
from studio.generating.speakers import ENDPOINT, RefusedError, Said
from studio.inference.engine import Sampling
from studio.settings import GenerateSettings
from studio.text import clean_line

TRIES = 5
"""Times that a request is sent before it has failed; between them it waits 1, 2, 4 and 8 seconds."""
LONGEST_WAIT = 60.0
"""Seconds that an endpoint may ask to wait."""
TIMEOUT = 120.0
"""Seconds without a byte after which a request has failed."""
CONNECT_TIMEOUT = 15.0
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
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise StudioError(f"{host} would be sent everything unencrypted.", "Use https in generate.endpoint.")
    if settings.endpoint_key and not os.environ.get(settings.endpoint_key):
        raise StudioError(
            f"The key for {host} is not there: the environment variable {settings.endpoint_key} is empty.",
            f"Set it before you start: export {settings.endpoint_key}=...",
        )
    url = settings.endpoint.rstrip("/") + "/chat/completions"
    return Endpoint(url, parts.scheme, f"{host}:{port}" if port else host, is_loopback, settings.endpoint_key)


class EndpointSpeaker:
    """A model of an endpoint; what it gets is the conversation, its tools and the sampling."""

    origin: ResponseOrigin = "model"

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        import httpx2

        if not model:
            raise StudioError("No model of the endpoint is named.", f"Write {ENDPOINT}MODEL.")
        self.name = f"{ENDPOINT}{model}"
        self._endpoint = endpoint
        self._model = model
        self._cancelled = threading.Event()
        key = os.environ.get(endpoint.key_name, "") if endpoint.key_name else ""
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
            stats = {"reason": reason, "tokens": usage.get("completion_tokens"), "served_as": answer.get("model")}
        except (KeyError, IndexError, TypeError, AttributeError):
            raise StudioError(f"{self._endpoint.host} answered with something that is no chat completion.") from None
        if not isinstance(text, str):
            raise StudioError(f"{self._endpoint.host} answered with something that is no text.")
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
        raise StudioError(
            f"{self._endpoint.host} did not answer: {why}.", "What was made so far is kept; resume later."
        )

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
            if reply.is_success:
                return _Attempt(answer=reply.json() or {})
        except httpx2.TimeoutException:
            return _Attempt(why="it took too long", again=True)
        except httpx2.TransportError as error:
            return _Attempt(why=clean_line(str(error)) or type(error).__name__, again=True)
        except Exception as error:
            return _Attempt(why=clean_line(f"{type(error).__name__}: {error}"))
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
