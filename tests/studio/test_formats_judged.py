"""Files in which people and models judged answers: whose verdict it is, and what is never guessed."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from studio.formats import FORMATS, to_read
from studio.formats.row import Judgement, Row, RowError


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def read(name: str, **fields: Any) -> Row:
    return to_read(name).read(fields)


def answers_of(row: Row) -> list[str]:
    return [candidate.messages[-1]["content"] for candidate in row.candidates]


def authors_of(row: Row) -> list[str]:
    return [candidate.author for candidate in row.candidates]


def test_codes_stay_codes_where_other_files_mean_something_else_by_them() -> None:
    pandalm = read(
        "pandalm",
        cmp_key="bloom-7b_llama-7b",
        instruction="Rewrite",
        input="this",
        response1="a",
        response2="b",
        annotator1=0,
        annotator2=2,
        annotator3=None,
    )
    assert pandalm.messages == [user("Rewrite\nthis")]
    assert authors_of(pandalm) == ["bloom-7b", "llama-7b"]
    assert pandalm.judgements == (Judgement("annotator1", "0"), Judgement("annotator2", "2"))
    auto_j = read("auto-j", **{"prompt": "Hi", "response 1": "a", "response 2": "b", "label": 0})
    llmbar = read("llmbar", input="Hi", output_1="a", output_2="b", label=1.0)
    assert (auto_j.judgements, llmbar.judgements) == ((Judgement("", "0"),), (Judgement("", "1"),))
    for row in (pandalm, auto_j, llmbar):
        assert row.verdict is None
    assert {f.name for f in FORMATS if f.coded} == {"pandalm", "auto-j", "llmbar"}


def test_pandalm_is_read_with_what_is_known_of_it(shared_data: Path) -> None:
    rows = orjson.loads((shared_data / "pandalm_testset_v1.json").read_bytes())
    understood: list[Row] = []
    refused: dict[int, str] = {}
    majorities: Counter[str] = Counter()
    for fields in rows:
        code, votes = Counter(str(fields[f"annotator{n}"]) for n in (1, 2, 3)).most_common(1)[0]
        majorities[code if votes > 1 else "none"] += 1
        try:
            understood.append(to_read("pandalm").read(fields))
        except RowError as reason:
            refused[fields["idx"]] = str(reason)
    assert sorted(refused) == [157, 158, 159, 161, 162, 164]
    assert all("is true, not a text" in reason for reason in refused.values())
    assert len(understood) == 993
    assert sum("is empty" in (row.problem or "") for row in understood) == 54
    assert {len(row.judgements) for row in understood} == {3}
    assert (majorities["1"], majorities["2"], majorities["0"]) == (422, 472, 105)


@pytest.mark.parametrize(("preference", "verdict"), [(1, "left"), (2.0, "right"), (1.5, "tie"), ("2.0", "right")])
def test_alpaca_evals_preferences_are_documented(preference: Any, verdict: str) -> None:
    row = read(
        "alpaca-eval",
        instruction="Hi",
        output_1="a",
        output_2="b",
        generator_1="m",
        generator_2="n",
        annotator="judge",
        preference=preference,
    )
    assert (row.verdict, row.rater, authors_of(row), row.problem) == (verdict, "judge", ["m", "n"], None)


@pytest.mark.parametrize("preference", [0, 1.23, None, "nan", True])
def test_other_preferences_of_alpaca_eval_are_no_verdict(preference: Any) -> None:
    row = read("alpaca-eval", instruction="Hi", output_1="a", output_2="b", preference=preference)
    assert row.verdict is None
    assert "no verdict" in (row.problem or "")


def test_ratings_of_a_model_are_kept_and_make_no_verdict() -> None:
    ratings = {
        "helpfulness": {"Rating": "4", "Rationale": "fine"},
        "honesty": {"Rating": "5"},
        "truthfulness": {"Rating": "N/A"},
    }
    completions = [
        {"model": f"m{n}", "custom_system_prompt": "Be kind.", "response": text, "annotations": ratings}
        for n, text in enumerate("abcd")
    ]
    row = read("ultrafeedback", instruction="Hi", completions=completions)
    assert (answers_of(row), authors_of(row)) == (list("abcd"), ["m0", "m1", "m2", "m3"])
    assert row.candidates[0].parameters == {
        "ratings": {"helpfulness": 4.0, "honesty": 5.0},
        "mean_rating": 4.5,
        "custom_system_prompt": "Be kind.",
    }
    assert (row.verdict, row.judgements) == (None, ())
    with pytest.raises(RowError, match=r"completions\[1\]"):
        read("ultrafeedback", instruction="Hi", completions=[completions[0], {"response": None}])


def annotation(selected: str | None, **more: Any) -> dict[str, Any]:
    result = [{"type": "pairwise", "from_name": "comparison", "value": {"selected": selected}}] if selected else []
    return {"result": result, "was_cancelled": False, **more}


def test_label_studios_annotations_are_judgements_unless_cancelled() -> None:
    data = {"prompt": "Hi", "answer1": "a", "answer2": "b"}
    row = read(
        "label-studio",
        data=data,
        annotations=[
            annotation("left", completed_by=1, lead_time=12.51),
            annotation("right", completed_by={"id": 2, "email": "ann@example.org"}),
            annotation("left", was_cancelled=True),
        ],
    )
    assert row.judgements == (
        Judgement("Label Studio 1", verdict="left", comment="lead time 12.5 s"),
        Judgement("Label Studio ann@example.org", verdict="right"),
    )
    assert row.problem is None
    assert read("label-studio", data=data, annotations=[annotation(None)]).problem is not None
    assert read("label-studio", **data).judgements == ()


ASKED = {"prompt": "Hi", "response1": "a", "response2": "b"}


def test_argillas_submitted_answers_count_and_discarded_ones_do_not() -> None:
    responses = {
        "better": [
            {"value": "response2", "user_id": "ann", "status": "submitted"},
            {"value": "response1", "user_id": "bob", "status": "discarded"},
            {"value": "response1", "user_id": "cid", "status": "draft"},
        ],
        "why": [{"value": "kinder", "user_id": "ann", "status": "submitted"}],
    }
    row = read("argilla", fields=ASKED, responses=responses, id="1")
    assert row.messages == [user("Hi")]
    assert answers_of(row) == ["a", "b"]
    assert row.judgements == (Judgement("Argilla ann", verdict="right", comment="why: kinder"),)
    flat = {
        **ASKED,
        "better.responses": ["response2", "response1", "response1"],
        "better.responses.users": ["ann", "bob", "cid"],
        "better.responses.status": ["submitted", "discarded", "draft"],
        "why.responses": ["kinder"],
        "why.responses.users": ["ann"],
        "why.responses.status": ["submitted"],
    }
    assert to_read("argilla").read(flat) == row


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("Response 1", "left"),
        ("tie", "tie"),
        ([{"value": "response2", "rank": 1}, {"value": "response1", "rank": 2}], "right"),
        ([{"value": "response2", "rank": 1}, {"value": "response1", "rank": 1}], "tie"),
    ],
)
def test_argilla_answers_that_name_a_response_are_verdicts(value: Any, verdict: str) -> None:
    responses = {"better": [{"value": value, "user_id": "ann", "status": "submitted"}]}
    assert [j.verdict for j in read("argilla", fields=ASKED, responses=responses).judgements] == [verdict]


def test_argilla_ratings_are_noted_and_not_guessed_at() -> None:
    responses = {"scale": [{"value": 3, "user_id": "ann", "status": "submitted"}]}
    row = read("argilla", fields=ASKED, responses=responses)
    assert (row.judgements, row.comment) == ((), "scale: 3")
    assert row.problem is not None


def test_argilla_verdicts_on_several_questions_are_kept_apart() -> None:
    responses = {
        about: [{"value": value, "user_id": "ann", "status": "submitted"}]
        for about, value in (("kinder", "response1"), ("safer", "response2"))
    }
    assert read("argilla", fields=ASKED, responses=responses).judgements == (
        Judgement("Argilla ann on kinder", verdict="left"),
        Judgement("Argilla ann on safer", verdict="right"),
    )


def test_distilabels_sides_are_signed_and_rated() -> None:
    asked, good, bad = user("Hi"), {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}
    about = {"chosen_model": "m", "chosen_rating": 5.0, "rejected_model": "n", "rejected_rating": None}
    for fields in (
        {"prompt": "Hi", "chosen": [asked, good], "rejected": [asked, bad]},
        {"prompt": [asked], "chosen": [good], "rejected": [bad]},
    ):
        row = read("distilabel", **fields, **about)
        assert (row.messages, answers_of(row), authors_of(row), row.verdict) == (
            [asked],
            ["a", "b"],
            ["m", "n"],
            "left",
        )
        assert [candidate.parameters for candidate in row.candidates] == [{"rating": 5.0}, None]


@pytest.mark.parametrize(
    ("winner", "verdict"), [("model_a", "left"), ("model_b", "right"), ("tie", "tie"), ("tie (bothbad)", "both_bad")]
)
def test_battles_of_the_arena_are_judged_pairs(winner: str, verdict: str) -> None:
    asked, good, bad = user("Hi"), {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}
    battle = {"model_a": "m", "model_b": "n", "judge": "ann", "conversation_a": [asked, good]}
    row = read("arena", **battle, conversation_b=[asked, bad], winner=winner)
    assert (row.verdict, row.rater, authors_of(row)) == (verdict, "ann", ["m", "n"])
    longer_a, longer_b = [asked, good, asked, good], [asked, bad, asked, bad]
    with pytest.raises(RowError, match="no prompt in common"):
        read("arena", **{**battle, "conversation_a": longer_a}, conversation_b=longer_b, winner=winner)
