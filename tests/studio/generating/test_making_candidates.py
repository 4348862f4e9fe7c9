"""Making candidates: what is kept, what is dropped and counted, and what comes to be compared."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from chat_server import Answer, ChatServer
from prompting import add_prompt
from stored import responses_of, waiting_pairs

from store import examples, jobs, responses
from store.database import Store
from store.jobs import Job
from store.responses import Response, ResponseOrigin
from studio.errors import StudioError
from studio.generating import plan
from studio.generating.pairing import OWN_ANSWER, is_wanted
from studio.generating.report import lines
from studio.generating.wanted import Wanted, wanted
from studio.jobs.handle import JobHandle
from studio.jobs.worker import do
from studio.project import Project, open_project

Make = Callable[[Wanted], Job]
NEARLY = "The sum of these two numbers is four, as everybody who has ever counted on their fingers knows very well"


def asked_for(prompts: tuple[int, ...], *models: str, **more: Any) -> Wanted:
    return wanted(tuple(f"endpoint:{name}" for name in models or ("parrot",)), prompts, seed=5, send=True, **more)


def pairs_of(store: Store) -> list[tuple[Response, Response]]:
    return [(responses.get(store, one.first_id), responses.get(store, one.second_id)) for one in waiting_pairs(store)]


def test_every_reply_carries_all_that_made_it(
    make: Make, server: ChatServer, store: Store, prompts: tuple[int, ...]
) -> None:
    job = make(asked_for(prompts, "parrot", "owl", n=2, temperatures=(0.5, 1.0), max_tokens=64))
    assert (job.state, job.done, job.total, job.made) == ("done", 24, 24, 24)
    found = responses_of(store)
    assert len(found) == 24
    assert len({response.parameters["seed"] for response in found}) == 24
    # One model after the other.
    assert [request["model"] for request in server.asked] == ["parrot"] * 12 + ["owl"] * 12
    by_seed = {request["seed"]: request for request in server.asked}
    for response in found:
        told = response.parameters
        request = by_seed[told["seed"]]
        assert response.author == f"endpoint:{request['model']}"
        assert response.origin == "model"
        assert told["temperature"] == request["temperature"]
        assert (told["model"], told["endpoint"]) == (request["model"], f"{server.url}/chat/completions")
        assert (told["job"], told["revision"], told["ended"], told["max_tokens"]) == (job.id, 1, "stop", 64)


def test_what_says_nothing_new_is_dropped_and_asked_for_again_with_another_seed(
    make: Make, server: ChatServer, store: Store
) -> None:
    prompt = add_prompt(store, "What is 2 + 2?")
    responses.add(store, prompt, [{"role": "assistant", "content": NEARLY}], origin="file", author="gpt")
    answers = iter([f"{NEARLY.upper()}!", f"{NEARLY} indeed", "  ", "Four.", "four", "It is four, I think."])
    server.answer = lambda _: next(answers)
    job = make(asked_for((prompt,), n=2))
    said = [response.messages[0]["content"] for response in responses.of_example(store, prompt)]
    assert said == [NEARLY, "Four.", "It is four, I think."]
    assert job.facts["counts"] == {"duplicates": 2, "near duplicates": 1, "empty": 1, "pairs": 3}
    assert len({request["seed"] for request in server.asked}) == 6
    assert "2 replies dropped, equal to another of the prompt" in lines(job)


def test_a_model_that_only_repeats_itself_is_given_up(make: Make, server: ChatServer, store: Store) -> None:
    prompt = add_prompt(store, "What is 2 + 2?")
    server.answer = lambda _: "Four."
    job = make(asked_for((prompt,), n=3))
    assert (job.done, job.made) == (3, 1)
    assert job.facts["counts"] == {"duplicates": 8, "given up": 2}
    assert len(server.asked) == 9


def test_at_temperature_zero_each_model_says_one_thing_once(
    make: Make, server: ChatServer, store: Store, prompts: tuple[int, ...]
) -> None:
    server.answer = lambda _: "Four."
    job = make(asked_for(prompts, n=5, temperatures=(0.0,)))
    assert (job.made, len(server.asked)) == (3, 3)
    assert "given up" not in job.facts.get("counts", {})


def test_a_reply_that_was_cut_is_kept_and_marked(make: Make, server: ChatServer, store: Store) -> None:
    prompt = add_prompt(store, "Count.")
    server.answer = lambda _: "one two three"
    job = make(asked_for((prompt,), n=1, max_tokens=3))
    assert job.facts["counts"]["cut at the length"] == 1
    assert responses.of_example(store, prompt)[0].parameters["ended"] == "length"


def test_prompts_that_are_refused_are_left_out_and_listed(
    make: Make, server: ChatServer, store: Store, prompts: tuple[int, ...]
) -> None:
    def answer(request: dict[str, Any]) -> Answer:
        if "2 + 2" in request["messages"][-1]["content"]:
            return 400, {}, '{"error": {"message": "too \\u001b[31mrude"}}'
        return f"No. {request['seed']}"

    server.answer = answer
    job = make(asked_for(prompts, n=2))
    assert (job.state, job.done, job.made) == ("done", 6, 4)
    assert job.facts["refused"] == [prompts[1]]
    assert f"refused: example {prompts[1]}" in lines(job)
    assert "1 prompt left out, refused" in lines(job)
    assert any("400 too" in line and "rude" in line and "\x1b" not in line for line in lines(job))


def test_what_an_endpoint_says_that_it_is_stands_with_the_reply(
    make: Make, server: ChatServer, store: Store, prompts: tuple[int, ...]
) -> None:
    body = (
        '{"model": "parrot-2026-11", "choices": [{"message": {"content": "Hi."}}], "usage": {"completion_tokens": 2}}'
    )
    server.answer = lambda _: (200, {}, body)
    make(asked_for(prompts[:1], n=1))
    [said] = responses.of_example(store, prompts[0])
    assert (said.parameters["served_as"], said.parameters["tokens"]) == ("parrot-2026-11", 2)


def test_no_pair_where_some_were_wanted_is_said(
    make: Make, server: ChatServer, store: Store, prompts: tuple[int, ...]
) -> None:
    said = lines(make(asked_for(prompts, n=1, pairs="human")))
    assert said[1:] == ["no pair to compare: no two replies to one prompt are human against model"]
    assert lines(make(asked_for(prompts, n=1, pairs="none", temperatures=(0.1,))))[1:] == []


def test_an_endpoint_that_refuses_everything_is_not_asked_for_each_prompt(
    make: Make, server: ChatServer, store: Store
) -> None:
    many = tuple(add_prompt(store, f"Question {number}?") for number in range(20))
    server.answer = lambda _: (400, {}, '{"error": "no such model"}')
    job = make(asked_for(many, n=1))
    assert job.state == "failed"
    assert "no such model" in job.error
    assert len(server.asked) == 5


def test_earlier_turns_system_texts_and_tools_are_sent(make: Make, server: ChatServer, store: Store) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "And now?"},
    ]
    tools = [{"type": "function", "function": {"name": "clock", "parameters": {}}}]
    prompt = examples.add(store, record_id=None, messages=conversation, split="train", tools=tools)
    make(asked_for((prompt,), n=1))
    [request] = server.asked
    assert (request["messages"], request["tools"]) == (conversation, tools)


def test_an_example_without_a_question_is_left_out(make: Make, server: ChatServer, store: Store) -> None:
    text = examples.add(store, record_id=None, messages=[{"role": "assistant", "content": "A text."}], split="train")
    job = make(asked_for((text,), n=1))
    assert (job.done, job.made, server.asked) == (1, 0, [])
    assert "nothing to ask: example 1" in lines(job)


def test_a_job_that_was_broken_off_makes_what_it_would_have_made(
    project: Project, store: Store, server: ChatServer, make: Make, prompts: tuple[int, ...]
) -> None:
    request = asked_for(prompts, "parrot", "owl", n=3)
    job_id = jobs.add(store, "candidates", request.as_request())
    handle = JobHandle(store, jobs.get(store, job_id))
    usual = server.answer

    def answer(body: dict[str, Any]) -> Answer:
        if len(server.asked) == 11:
            handle.stop()
        return usual(body)

    server.answer = answer
    do(open_project(project.folder), store, handle)
    stopped = jobs.get(store, job_id)
    assert stopped.state == "stopped"
    assert stopped.done == stopped.made == len(responses_of(store))
    assert 9 <= stopped.done <= 11
    jobs.started(store, job_id, pid=1, pid_started=0.0)
    do(open_project(project.folder), store, JobHandle(store, jobs.get(store, job_id)))
    assert (jobs.get(store, job_id).state, jobs.get(store, job_id).made) == ("done", 18)
    in_two_goes = Counter(_key(response) for response in responses_of(store))
    assert max(in_two_goes.values()) == 1
    for slot_of in in_two_goes:
        assert slot_of[2] in {request.seed_of(slot_of[0], slot_of[1], (0.7, number), 0) for number in range(3)}


def _key(response: Response) -> tuple[str, int, int, str]:
    text = response.messages[0]["content"]
    return response.author, response.example_id, response.parameters["seed"], text


@pytest.mark.parametrize(
    ("kind", "number"),
    # The prompt has an answer by a person and one of another model; two models answer at two temperatures.
    [("any", 15), ("models", 8), ("temperatures", 2), ("human", 5), ("none", 0)],
)
def test_pairs_of_each_kind(make: Make, server: ChatServer, store: Store, kind: str, number: int) -> None:
    prompt = add_prompt(store, "What is 2 + 2?")
    responses.add(store, prompt, [{"role": "assistant", "content": "Four, I say."}], origin="human", author="ann")
    responses.add(store, prompt, [{"role": "assistant", "content": "As I said: 4."}], origin="file", author="gpt")
    job = make(asked_for((prompt,), "parrot", "owl", n=1, temperatures=(0.5, 1.0), pairs=kind))
    found = pairs_of(store)
    assert (job.made, job.facts.get("counts", {}).get("pairs", 0)) == (4, len(found))
    new = {response.id for response in responses.of_example(store, prompt)[2:]}
    # The two that were there before are left as they were: nobody asked to compare them.
    assert all({one.id, other.id} & new for one, other in found)
    assert len(found) == number - {"any": 1, "human": 1}.get(kind, 0)
    if kind == "models":
        assert all(one.author != other.author and "ann" not in (one.author, other.author) for one, other in found)
    if kind == "temperatures":
        assert all(one.author == other.author for one, other in found)
    if kind == "human":
        assert all("ann" in (one.author, other.author) for one, other in found)


def test_the_answer_that_an_example_has_can_be_compared_with_a_models(
    make: Make, server: ChatServer, store: Store
) -> None:
    prompt = add_prompt(store, "What is 2 + 2?", "Four.")
    make(asked_for((prompt,), n=2, pairs="human"))
    found = pairs_of(store)
    assert [(one.author, other.author) for one, other in found] == [(OWN_ANSWER, "endpoint:parrot")] * 2
    assert found[0][0].messages == [{"role": "assistant", "content": "Four."}]


def test_both_sides_come_up_on_the_left(make: Make, server: ChatServer, store: Store) -> None:
    many = tuple(add_prompt(store, f"What is {number}?") for number in range(16))
    make(asked_for(many, n=2))
    on_the_left = Counter(pair.left_id == pair.first_id for pair in waiting_pairs(store))
    assert sum(on_the_left.values()) == 16
    assert min(on_the_left.values()) >= 2


def test_prompts_with_fewer_than_two_replies_are_meant_unless_a_query_says_which(store: Store) -> None:
    none, one, two, out, rejected = (add_prompt(store, f"Question {number}?") for number in range(5))
    for prompt, number in ((one, 1), (two, 2)):
        for place in range(number):
            responses.add(store, prompt, [{"role": "assistant", "content": f"{place}"}], origin="file")
    examples.set_excluded(store, out, True)
    examples.set_status(store, rejected, "rejected")
    assert plan.prompts(store) == (none, one)
    assert plan.prompts(store, "question") == (none, one, two)
    assert plan.chosen(store, [[rejected, two, none]]) == (none, two)


def test_synthetic_prompts_wait_for_a_persons_yes(store: Store) -> None:
    made = add_prompt(store, "Invented?")
    store.connection.execute(
        "INSERT INTO synthetic (example_id, method, model, parameters, created_at) VALUES (?, 'harder', 'm', '{}', '')",
        (made,),
    )
    assert plan.prompts(store) == ()
    assert plan.prompts(store, "invented") == ()
    examples.set_status(store, made, "approved")
    assert plan.prompts(store) == (made,)


def test_enough_is_made_to_compare_two_unless_it_is_said() -> None:
    def each(**more: Any) -> tuple[int, str]:
        found = wanted(seed=1, examples=(1,), **more)
        return len(found.models) * len(found.slots), found.pairs

    assert each(models=("a",)) == (2, "any")
    assert each(models=("a", "b", "a")) == (2, "models")
    assert each(models=("a",), temperatures=(0.5, 1.0)) == (2, "temperatures")
    assert each(models=("a",), temperatures=(0.0,)) == (1, "any")
    assert each(models=("a",), n=3, temperatures=(0.0, 1.0)) == (4, "temperatures")


@pytest.mark.parametrize(
    "more",
    [{"models": ()}, {"n": 0}, {"temperatures": (-1.0,)}, {"max_tokens": 4096}, {"pairs": "all"}, {"seed": -1}],
)
def test_what_cannot_be_asked_for_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(StudioError):
        wanted(**{"models": ("a",), "examples": (1,), "seed": 1} | more)


@pytest.mark.parametrize(
    ("one", "other", "is_pair"),
    [
        (("run", "sft-1"), ("model", "smollm2"), True),
        (("model", "smollm2"), ("run", "sft-1"), True),
        (("run", "sft-1"), ("model", "another"), False),
        (("run", "sft-1"), ("run", "dpo-2"), False),
        (("file", ""), ("file", ""), False),
    ],
)
def test_a_run_is_compared_with_its_own_base(
    one: tuple[ResponseOrigin, str], other: tuple[ResponseOrigin, str], is_pair: bool
) -> None:
    first, second = (Response(number, 1, [], *who) for number, who in enumerate((one, other)))
    assert is_wanted("tuned", first, second, {"sft-1": "smollm2", "dpo-2": "smollm2"}) is is_pair
