"""The query language: what is syntax, what is plain text, and what is a mistake."""

from contextlib import suppress

import pytest
from hypothesis import example, given

from store.query import And, Field, Not, Or, QueryError, Saved, Term, Words, parse
from tests.store.typed_queries import TYPED

EVERYTHING = And(())


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("fox ", Words("fox")),
        ("fox", Words("fox", open=True)),
        ("a fox", And((Words("a"), Words("fox", open=True)))),
        ('"brown fox"', Words("brown fox")),
        ('"brown fox', Words("brown fox", open=True)),
        ("fox -bear", And((Words("fox"), Not(Words("bear"))))),
        ("fox NOT bear", And((Words("fox"), Not(Words("bear"))))),
        ("fox AND bear ", And((Words("fox"), Words("bear")))),
        ("fox OR bear hare ", Or((Words("fox"), And((Words("bear"), Words("hare")))))),
        ("(fox OR bear) hare ", And((Or((Words("fox"), Words("bear"))), Words("hare")))),
        ("-(fox bear)", Not(And((Words("fox"), Words("bear"))))),
        ("(fox OR bear", Or((Words("fox"), Words("bear", open=True)))),
        ("split:Train", Term("split", "=", "train", 6)),
        ("has:responses", Term("has", "=", "response", 4)),
        ("verdict:both-bad", Term("verdict", "=", "both_bad", 8)),
        ("len>1000", Term("len", ">", 1000, 4)),
        ("len:>=1000", Term("len", ">=", 1000, 4)),
        ("id:42", Term("id", "=", 42, 3)),
        ("topic:tax ", Field(("topic",), "=", "tax")),
        ('topic:"income tax"', Field(("topic",), "=", "income tax")),
        ("a.b:tax ", Field(("a", "b"), "=", "tax")),
        ("score>0.5", Field(("score",), ">", 0.5)),
        ("score:<=5", Field(("score",), "<=", 5.0)),
        ("score:55", Field(("score",), "=", "55")),
        (".source:web ", Field(("source",), "=", "web")),
        ('"my column":web ', Field(("my column",), "=", "web")),
        ("a:b:c ", Field(("a",), "=", "b:c")),
        ("@mine", Saved("mine", 0)),
        ('@"my own"', Saved("my own", 0)),
    ],
)
def test_syntax(text, tree) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't ", ["don't"]),
        ("C++", ["C++"]),
        ("http://x.org/a?b=1 ", ["http://x.org/a?b=1"]),
        ("std::vector ", ["std::vector"]),
        ("C:\\windows ", ["C:\\windows"]),
        ("12:30 ", ["12:30"]),
        ("f(x) ", ["f(x)"]),
        ("see a) and b) ", ["see", "a)", "and", "b)"]),
        ("me@example.org ", ["me@example.org"]),
        ('a 5" pipe ', ["a", '5"', "pipe"]),
        ("--force - ", ["--force"]),
        ("x<y i<=j ", ["x<y", "i<=j"]),
        ("Subject: hello ", ["Subject:", "hello"]),
        ("OR fox ", ["OR", "fox"]),
        ("fox OR ", ["fox", "OR"]),
        ("(fox OR ) ", ["fox", "OR"]),
        ("你好 世界 ", ["你好", "世界"]),
        (':) fox ;-) <> () "" -', ["fox"]),
        ("a\0b \ud800c ", ["a", "b", "?c"]),
    ],
)
def test_what_is_no_syntax_is_plain_text(text, words) -> None:
    tree = parse(text)
    found = tree.nodes if isinstance(tree, And) else (tree,)
    assert found == tuple(Words(word) for word in words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fox split:trian", "The query can't be read at character 11: split is never 'trian'; did you mean train."),
        ("verdict:good", "it is one of left, right, tie, both_bad, skip, none and judged."),
        ("has:flga", "did you mean flag"),
        ("status: approved", "at character 1: status: has no value; write it without a space, such as status:approved"),
        ("len>many", "'many' is no whole number; write one, such as len>1000."),
        ("(" * 21 + "fox", "nested more than 20 deep"),
        ("fox " * 501, "more than 500 terms; put a long text in quotes"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_the_remedy(text, message) -> None:
    with pytest.raises(QueryError) as error:
        parse(text)
    assert str(error.value).startswith("The query can't be read at character ")
    assert message in str(error.value)


def test_only_a_word_that_is_still_typed_is_open() -> None:
    assert parse("long fo") == And((Words("long"), Words("fo", open=True)))
    for text in ("fo ", '"fo"', "(fo)", "-fo", "f", "fo."):
        assert not parse(text).open if isinstance(parse(text), Words) else parse(text) == Not(Words("fo"))


@given(TYPED)
@example("NOT " * 3000 + "a")
@example("-(" * 3000)
@example("@")
@example('""""":')
def test_any_text_can_be_read_or_is_a_mistake(text) -> None:
    with suppress(QueryError):
        parse(text)
