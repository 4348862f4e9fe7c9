import math
import random

import pytest

from studio.lint.features import stored
from studio.lint.noted import Noted
from studio.lint.sets.balance import effective_classes, in_training
from studio.lint.sets.near_inputs import near_pairs
from studio.lint.sets.tasks import tasks
from studio.mapping import Mapping


def classified(row, counts: dict[str, int], **more):
    return [row(f"question {label} {n}", label, **more) for label, count in counts.items() for n in range(count)]


@pytest.mark.parametrize(
    ("counts", "effective"), [([5, 5, 5], 3), ([10], 1), ([], 0), ([9, 1], 1.3841), ([4, 0, 4], 2)]
)
def test_effective_classes(counts, effective) -> None:
    assert math.isclose(effective_classes(counts), effective, rel_tol=1e-4)


def test_much_larger_classes_are_told(row, look) -> None:
    noted = classified(row, {"spam": 60, "ham": 11, "eggs": 30})
    (found,) = look("class-imbalance", noted)
    assert found.row_id is None
    assert found.detail.startswith("'spam' has 60 rows, 'ham' 11: 5.5 times as many. The 3 classes tell as much as 2.5")
    assert look("class-imbalance", noted, imbalance=6.0) == []


def test_only_training_counts_where_there_is_any(row, look) -> None:
    noted = classified(row, {"spam": 20, "ham": 20}) + classified(row, {"spam": 100}, split="test")
    assert look("class-imbalance", noted) == []
    (task,) = tasks(Noted(list(zip(*map(stored, noted), strict=True))), _context())
    assert in_training(task) == {"spam": 20, "ham": 20}


def test_classes_with_too_few_rows_are_named(row, look) -> None:
    noted = classified(row, {"spam": 60, "ham": 60, "eggs": 2})
    (found,) = look("rare-class", noted)
    assert found.detail.startswith("1 of 3 classes have fewer than 10 rows: 'eggs' 2.")


def test_declared_classes_without_rows_are_named(row, look) -> None:
    noted = classified(row, {"spam": 12, "ham": 12})
    (found,) = look("rare-class", noted, labels=("spam", "ham", "eggs", "toast"))
    assert found.detail.startswith("2 of 4 classes have fewer than 10 rows: 'eggs' 0, 'toast' 0.")


def test_answers_that_are_no_classes_are_left_alone(row, look) -> None:
    texts = [row(f"question {n}", f"an answer with number {n}") for n in range(200)]
    few = classified(row, {"yes": 12, "no": 2}, source="b.jsonl")
    always = [row(f"say it {n}", "OK", source="c.jsonl") for n in range(100)]
    figures = [row(f"how many {n}", str(n % 150), source="d.jsonl") for n in range(300)]
    for noted in (texts, few, always, figures, []):
        for name in ("class-imbalance", "rare-class", "conflicting-labels"):
            assert look(name, noted) == []


def test_files_with_common_classes_are_one_task(row) -> None:
    noted = classified(row, {"spam": 20, "ham": 20}) + classified(row, {"ham": 20, "eggs": 20}, source="b.jsonl")
    noted += classified(row, {"up": 20, "down": 20}, source="c.jsonl")
    found = tasks(Noted(list(zip(*map(stored, noted), strict=True))), _context())
    assert sorted((task.labels, len(task.rows)) for task in found) == [
        (["down", "up"], 40),
        (["eggs", "ham", "spam"], 80),
    ]


def test_nearly_equal_inputs_in_different_classes_are_found_on_both_sides(row, look) -> None:
    noted = classified(row, {"spam": 20, "ham": 20})
    noted += [row("When will my new card be delivered?", "spam"), row("When will my card be delivered", "ham")]
    noted += [row("How do I order a card please?", "spam"), row("how do I order a card, please", "spam")]
    found = look("conflicting-labels", noted)
    assert [each.row_id for each in found] == [41, 42, None]
    assert found[0].detail == "is 'spam', example 42 is 'ham': when will my card be delivered"
    assert found[-1].detail.startswith("1 of ")
    assert look("conflicting-labels", noted, like_inputs=99.0) == []


def test_equal_inputs_in_different_classes_are_found(row, look) -> None:
    noted = [*classified(row, {"spam": 20, "ham": 20}), row("Buy this now", "spam"), row("buy this NOW!", "ham")]
    assert [each.row_id for each in look("conflicting-labels", noted)] == [41, 42, None]
    assert look("conflicting-answers", noted) == []


def test_inputs_with_other_numbers_are_other_inputs(row, look) -> None:
    noted = classified(row, {"yes": 20, "no": 20})
    noted += [row("Is 3 greater than 5 or is it not?", "no"), row("Is 5 greater than 3 or is it not?", "yes")]
    noted += [
        row("Is the number 17 a prime, would you say?", "yes"),
        row("Is the number 18 a prime, would you say?", "no"),
    ]
    assert look("conflicting-labels", noted) == []


def test_too_many_comparisons_are_left_out_and_counted(row, monkeypatch) -> None:
    monkeypatch.setattr("studio.lint.sets.near_inputs.MOST_COMPARISONS", 10)
    noted = [row(f"where is my card {n}", "a") for n in range(10)]
    near = near_pairs(noted, 80.0)
    assert near.unseen > 0
    assert 0 < len(near.pairs) <= 10


def test_no_near_pair_is_missed_among_short_texts(row) -> None:
    from rapidfuzz import fuzz

    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefgh", k=draw.randint(2, 8))) for _ in range(80)]
    noted = []
    for _ in range(150):
        said = draw.choices(words, k=draw.randint(5, 9))
        typo = "".join(said[0])[1:] + draw.choice("xyz")
        noted += [row(" ".join(said), "a"), row(" ".join([typo, *reversed(said[1:])]), "a")]
    near = {(one.id, other.id) for one, other in near_pairs(noted, 92.0).pairs}
    each_with_each = {
        (one.id, other.id)
        for place, one in enumerate(noted)
        for other in noted[place + 1 :]
        if fuzz.token_sort_ratio(one.short_prompt, other.short_prompt) >= 92
    }
    assert len(each_with_each) > 50
    assert near == each_with_each


def test_the_classes_of_banking77(real, look) -> None:
    noted = real(
        "banking77_train.csv", mapping=Mapping({"prompt": "text", "completion": "category"}), splits=("train",)
    )
    (task,) = tasks(Noted(list(zip(*map(stored, noted), strict=True))), _context())
    counts = in_training(task)
    assert (len(counts), max(counts.values()), min(counts.values())) == (77, 187, 35)
    assert round(effective_classes(counts.values()), 1) == 74.4
    (found,) = look("class-imbalance", noted)
    assert "187 rows" in found.detail
    assert look("rare-class", noted) == []
    labelled = look("conflicting-labels", noted)
    assert labelled[-1].detail.startswith("24 of 595 pairs")
    assert any("card_delivery_estimate" in each.detail and "'card_arrival'" in each.detail for each in labelled)


def _context():
    from studio.lint import options
    from studio.lint.check import Context

    return Context(None, 1024, options.defaults())
