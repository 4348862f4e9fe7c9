"""The endpoint: off unless configured and agreed to, told in plain words, asked again where it is busy."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from chat_server import Answer, ChatServer, chat_server

from store import jobs
from store.database import Store
from studio.errors import StudioError
from studio.generating import plan
from studio.generating.endpoint import EndpointSpeaker, endpoint_of
from studio.generating.speakers import RefusedError, leaving, speaker_of
from studio.generating.wanted import wanted
from studio.inference.engine import Engine, Sampling
from studio.jobs.handle import JobHandle
from studio.jobs.worker import do
from studio.project import Project, open_project
from studio.settings import GenerateSettings

KEY = "sk-very-secret"
ASKED = [{"role": "user", "content": "Hello?"}]


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """An endpoint that wants a key."""
    monkeypatch.setenv("A_KEY", KEY)
    with chat_server() as serving:
        serving.configure(project.folder, "A_KEY")
        yield serving


def speaker(server: ChatServer) -> EndpointSpeaker:
    return EndpointSpeaker(endpoint_of(GenerateSettings(server.url)), "parrot")


def test_it_is_off_unless_it_is_configured(project: Project, store: Store, prompts: tuple[int, ...]) -> None:
    request = wanted(("endpoint:gpt",), prompts, seed=1, send=True)
    with pytest.raises(StudioError, match="No endpoint is configured"):
        plan.begin(project, store, request)
    with pytest.raises(StudioError, match="No endpoint is configured"):
        speaker_of(project, store, "endpoint:gpt", Engine(project.folder / "log"), send=True)


def test_nothing_is_sent_unless_it_was_agreed_to(
    project: Project, store: Store, keyed: ChatServer, prompts: tuple[int, ...]
) -> None:
    here = open_project(project.folder)
    request = wanted(("smollm2", "endpoint:parrot"), prompts, n=2, seed=1)
    with pytest.raises(StudioError, match="Nothing was sent") as refused:
        plan.begin(here, store, request)
    assert "--send" in refused.value.hint
    with pytest.raises(StudioError, match="nobody agreed"):
        speaker_of(here, store, "endpoint:parrot", Engine(project.folder / "log"))
    assert keyed.asked == []


def test_the_statement_says_what_goes_where_and_how_often(
    project: Project, store: Store, keyed: ChatServer, prompts: tuple[int, ...]
) -> None:
    here = open_project(project.folder)
    said = plan.statement(here, store, wanted(("smollm2", "endpoint:parrot"), prompts, n=2, seed=1))
    host = keyed.url.split("/")[2]
    for part in ("3 prompts (example 1 to 3;", '"What is 1 + 1?"', f"to {host}", "6 requests to parrot", "A_KEY"):
        assert part in said
    assert KEY not in said
    assert plan.statement(here, store, wanted(("smollm2",), prompts, seed=1)) == ""
    assert leaving(here, ["smollm2"], "everything", 9) == ""


def test_the_key_is_sent_and_kept_nowhere(
    project: Project, store: Store, keyed: ChatServer, prompts: tuple[int, ...]
) -> None:
    here = open_project(project.folder)
    found = speaker_of(here, store, "endpoint:parrot", Engine(project.folder / "log"), send=True)
    found.say(ASKED, Sampling())
    assert keyed.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(found.provenance())
    assert set(keyed.asked[0]) == {"model", "messages", "temperature", "top_p", "max_tokens", "seed"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"endpoint": "http://models.example.com/v1"}, "unencrypted"),
        ({"endpoint": "models.example.com"}, "no address"),
        ({"endpoint": "https://ann:pass@models.example.com/v1"}, "more than an address"),
        ({"endpoint": "https://models.example.com:x/v1"}, "no address"),
        ({"endpoint": "https://models.example.com/v1", "endpoint_key": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
    ],
)
def test_an_endpoint_that_is_not_safe_or_not_complete_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(StudioError, match=message):
        endpoint_of(GenerateSettings(**settings))


@pytest.mark.parametrize("key", [f"{KEY}\nx", f"{KEY} x", f"{KEY}\u20ac"])
def test_what_can_be_no_key_is_refused_without_being_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(StudioError, match="A_KEY") as refused:
        endpoint_of(GenerateSettings("https://models.example.com/v1", "A_KEY"))
    assert KEY not in str(refused.value)


def test_a_line_end_after_the_key_is_no_part_of_it(
    project: Project, store: Store, keyed: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", f"{KEY}\r\n")
    found = speaker_of(open_project(project.folder), store, "endpoint:parrot", Engine(project.folder / "l"), send=True)
    found.say(ASKED, Sampling())
    assert keyed.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_model_without_a_name_is_refused_before_anything_is_begun(project: Project, keyed: ChatServer) -> None:
    with pytest.raises(StudioError, match="No model of the endpoint is named"):
        leaving(open_project(project.folder), ["endpoint: "], "3 prompts", 3)


def test_this_machine_needs_no_https() -> None:
    for host in ("localhost", "127.0.0.1", "127.8.8.8", "[::1]"):
        assert endpoint_of(GenerateSettings(f"http://{host}:8080/v1/")).is_loopback
    assert not endpoint_of(GenerateSettings("https://127.0.0.1.example.com/v1")).is_loopback


def test_a_busy_endpoint_is_asked_again() -> None:
    answers: Iterator[Answer] = iter([(429, {"Retry-After": "0"}, "slow down"), (503, {"retry-after": "0"}, ""), "Hi."])
    with chat_server(lambda _: next(answers)) as server:
        assert speaker(server).say(ASKED, Sampling()).text == "Hi."
        assert len(server.asked) == 3


def test_one_that_stays_busy_has_failed_in_one_sentence() -> None:
    with chat_server(lambda _: (500, {"retry-after": "0"}, '{"error": {"message": "out of\\nluck"}}')) as server:
        with pytest.raises(StudioError, match=r"did not answer: 500 out of.luck\.") as failed:
            speaker(server).say(ASKED, Sampling())
        assert len(server.asked) == 5
        assert "\n" not in str(failed.value)


def test_a_wrong_key_is_not_tried_again() -> None:
    with chat_server(lambda _: (401, {}, '{"error": {"message": "invalid key"}}')) as server:
        with pytest.raises(StudioError, match="401 invalid key"):
            speaker(server).say(ASKED, Sampling())
        assert len(server.asked) == 1


def test_a_prompt_that_is_not_taken_is_told_from_a_fault() -> None:
    with chat_server(lambda _: (400, {}, "too long")) as server, pytest.raises(RefusedError, match="400 too long"):
        speaker(server).say(ASKED, Sampling())


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "[" * 100_000, '{"choices": []}', '{"choices": [{"message": {"content": 5}}]}']
)
def test_what_is_no_chat_completion_is_said_to_be_none(body: str) -> None:
    with chat_server(lambda _: (200, {}, body)) as server, pytest.raises(StudioError) as failed:
        speaker(server).say(ASKED, Sampling())
    assert server.url.split("/")[2] in failed.value.message


def test_a_redirect_to_another_host_is_not_followed() -> None:
    with chat_server() as other, chat_server(lambda _: (307, {"location": f"{other.url}/chat/completions"}, "")) as one:
        with pytest.raises(StudioError, match="307"):
            speaker(one).say(ASKED, Sampling())
        assert other.asked == []


def test_nobody_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.generating.endpoint.TRIES", 1)
    with chat_server() as gone:
        pass
    with pytest.raises(StudioError, match="did not answer"):
        speaker(gone).say(ASKED, Sampling())


def test_a_wait_for_an_answer_can_be_broken_off() -> None:
    arrived, free = threading.Event(), threading.Event()

    def slow(_: dict[str, Any]) -> Answer:
        arrived.set()
        free.wait(30)
        return "Too late."

    with chat_server(slow) as server:
        asked = speaker(server)
        threading.Thread(target=lambda: (arrived.wait(30), asked.cancel()), daemon=True).start()
        assert asked.say(ASKED, Sampling()).reason == "cancelled"
        free.set()


def test_replies_of_an_endpoint_do_not_hold_the_key(
    project: Project, store: Store, keyed: ChatServer, prompts: tuple[int, ...]
) -> None:
    request = wanted(("endpoint:parrot",), prompts, n=1, seed=1, send=True)
    job_id = jobs.add(store, "candidates", request.as_request())
    do(open_project(project.folder), store, JobHandle(store, jobs.get(store, job_id)))
    assert jobs.get(store, job_id).made == 3
    assert len(keyed.asked) == 3
    files = [path for path in project.folder.rglob("*") if path.is_file()]
    assert files
    assert all(KEY.encode() not in path.read_bytes() for path in files)
