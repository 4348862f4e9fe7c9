"""Who can be asked for a reply: a base model, a run, a GGUF file, or an endpoint that the user has named."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.examples import Message
from store.responses import ResponseOrigin
from studio.errors import StudioError
from studio.inference.chat import check_can_chat
from studio.inference.engine import Engine, Sampling
from studio.inference.quantising.places import MARK, parted, quantised_gguf
from studio.models import chat_gguf, lasting, resolve
from studio.project import Project

ENDPOINT = "endpoint:"
"""What a name begins with that means a model of the endpoint."""


@dataclass(frozen=True)
class Said:
    """What a model said; `stats["reason"]` is stop, length (it was cut) or cancelled."""

    text: str
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why it ended."""
        return str(self.stats.get("reason", ""))


class TooLongError(StudioError):
    """A prompt that leaves no room for the reply."""


class RefusedError(StudioError):
    """A prompt that the chat template or the endpoint does not take."""


class Speaker(Protocol):
    """A model that answers."""

    @property
    def name(self) -> str:
        """A run's id, a model's name, or `endpoint:MODEL`: the author of what it says."""

    @property
    def origin(self) -> ResponseOrigin:
        """What kind of author that is."""

    def provenance(self) -> dict[str, Any]:
        """Return all that tells this model from another of the same name, as JSON; never a key."""

    def say(self, messages: list[Message], sampling: Sampling, tools: list[dict[str, Any]] | None = None) -> Said:
        """Answer a conversation.

        Raises:
            TooLongError: the prompt leaves no room for the reply.
            RefusedError: the chat template or the endpoint does not take it.
            StudioError: the model can't be asked.
        """

    def cancel(self) -> None:
        """End the reply that is being made, and all later ones at once; safe from any thread."""


def is_endpoint(ref: str) -> bool:
    """Tell whether a name means a model of the endpoint."""
    return ref.startswith(ENDPOINT)


def check_model(project: Project, store: Store, ref: str) -> None:
    """Refuse a model that can't be asked, before anything is started for it.

    Raises:
        StudioError: it can't.
    """
    if is_endpoint(ref):
        leaving(project, [ref], "", 1)
        return
    if quantised := parted(ref):
        quantised_gguf(project, store, *quantised)
        return
    try:
        run = runs.get(store, ref)
    except MissingRowError:
        if chat_gguf(resolve(ref)) is None:
            raise StudioError(
                f"{ref} lacks its tokenizer, so llama.cpp can't run it.", "Copy the whole model folder."
            ) from None
        return
    check_can_chat(project, run)


def lasting_ref(store: Store, ref: str) -> str:
    """Return the name by which a job's own process, which works in another folder, finds the same speaker."""
    if quantised := parted(ref):
        return MARK.join((lasting_ref(store, quantised[0]), quantised[1]))
    try:
        return runs.get(store, ref).id
    except MissingRowError:
        return ref if is_endpoint(ref) else lasting(ref)


def speaker_of(project: Project, store: Store, ref: str, engine: Engine, *, send: bool = False) -> Speaker:
    """Return who answers for a run's id, a model's name, a GGUF file, or `endpoint:MODEL`.

    Args:
        project: its settings name the endpoint.
        store: where the runs are.
        ref: the name.
        engine: runs the models of this machine.
        send: the user was told what leaves the machine (`leaving`) and agreed.

    Raises:
        StudioError: there is no such model, or the endpoint is not configured or not agreed to.
    """
    if is_endpoint(ref):
        from studio.generating.endpoint import EndpointSpeaker, endpoint_of

        if not send:
            raise StudioError(f"{ref} is another machine, and nobody agreed to send anything.", AGREE)
        return EndpointSpeaker(endpoint_of(project.settings.generate), ref.removeprefix(ENDPOINT))
    from studio.generating.local import local_speaker

    return local_speaker(project, store, ref, engine)


AGREE = "Add --send once you have read what leaves this machine."


def leaving(project: Project, refs: Sequence[str], what: str, requests: int) -> str:
    """Say in plain words what leaves the machine where these models are asked; empty where nothing does.

    Args:
        project: its settings name the endpoint.
        refs: the models.
        what: what is sent, in words: "12 prompts with their system turns".
        requests: how often a model of the endpoint is asked.

    Raises:
        StudioError: an endpoint is meant and none is configured, or its address or key is not usable.
    """
    models = [ref.removeprefix(ENDPOINT) for ref in refs if is_endpoint(ref)]
    if not models:
        return ""
    if not all(map(str.strip, models)):
        raise StudioError("No model of the endpoint is named.", f"Write {ENDPOINT}MODEL.")
    from studio.generating.endpoint import endpoint_of

    endpoint = endpoint_of(project.settings.generate)
    key = f", signed with the key in {endpoint.key_name}" if endpoint.key_name else ", without a key"
    where = "this machine itself" if endpoint.is_loopback else "another machine"
    return (
        f"This sends {what} to {endpoint.host} ({where}, over {endpoint.scheme}) in {requests:,}"
        f" {'request' if requests == 1 else 'requests'} to {', '.join(models)}{key}. Who runs it can read and keep"
        " all of that, and may charge for it. Nothing else is sent."
    )
