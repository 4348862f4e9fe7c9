"""Texts that the data has more than once: PandaLM replayed, and texts that quote their record."""

import json

import pytest
from labelled import ask, judge

from studio.importing import import_file
from studio.labelling.report import report
from studio.mapping import Mapping
from studio.statistics.shares import wilson

CODES = Mapping(verdicts={"0": "tie", "1": "left", "2": "right"})


@pytest.mark.parametrize(
    ("as_texts", "groups", "alike", "swapped", "circles"),
    # Six replies of the file are the JSON value true, no texts; with `true` as a text all 999 rows are read.
    [(False, 70, (69, 69, 70), 35, (1, 286)), (True, 71, (70, 70, 71), 37, (1, 287))],
)
def test_pandalm_replayed(project, store, shared_data, tmp_path, as_texts, groups, alike, swapped, circles) -> None:
    path = shared_data / "pandalm_testset_v1.json"
    if as_texts:
        rows = json.loads(path.read_text(encoding="utf-8"))
        path = tmp_path / "pandalm.json"
        path.write_text(json.dumps([{k: "true" if v is True else v for k, v in row.items()} for row in rows]))
    import_file(project, store, path, mapping=CODES)
    for number, same in enumerate(alike, 1):
        agreement = report(store, rater=f"annotator{number}").agreement
        assert agreement.same_texts == wilson(same, groups)
        assert agreement.swapped_texts == wilson(swapped, swapped)
        assert agreement.repeats.n == 0
    labels = report(store)
    assert labels.agreement.same_texts == wilson(sum(alike), 3 * groups)
    assert labels.agreement.swapped_texts == wilson(3 * swapped, 3 * swapped)
    assert labels.replies.circles == wilson(*circles)
    kappas = [two.agreement.value for two in labels.others.people]
    assert kappas == pytest.approx([0.87, 0.87, 0.87], abs=0.02)
    assert labels.raters == ["annotator1", "annotator2", "annotator3"]
    assert labels.replies.longer_won.value == pytest.approx(0.68, abs=0.006)


def test_texts_judged_again_here_are_taken_as_they_were_shown(store) -> None:
    # Two examples with one prompt; the second pair has the texts the other way round, and is shown swapped.
    one = ask(store, prompt="Same", first="yes", second="no")
    two = ask(store, prompt="Same", first="no", second="yes")
    judge(store, one, "left")
    judge(store, two, "left", swapped=True)
    agreement = report(store).agreement
    assert (agreement.same_texts, agreement.swapped_texts) == (wilson(1, 1), wilson(0, 0))
    three = ask(store, prompt="Same", first="no", second="yes")
    judge(store, three, "left")
    agreement = report(store).agreement
    assert (agreement.same_texts, agreement.swapped_texts) == (wilson(1, 1), wilson(0, 1))


def test_like_texts_are_not_the_same(store) -> None:
    for prompt, first in (("Same", "yes"), ("Same", "Yes"), ("Another", "yes")):
        judge(store, ask(store, prompt=prompt, first=first, second="no"), "left")
    assert report(store).agreement.same_texts == wilson(0, 0)


def test_texts_that_stand_in_their_record_are_read_there(project, store, tmp_path) -> None:
    longer, shorter = "a reply that is long enough to be kept as a place " * 3, "another that is kept as a place, too"
    rows = [
        {"prompt": "Which one is it, and why is it?", "chosen": longer, "rejected": shorter, 'an "odd" name': "x"},
        {"prompt": "Which one is it, and why is it?", "chosen": longer, "rejected": shorter},
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    import_file(project, store, path)
    labels = report(store)
    assert labels.replies.longer_won == wilson(2, 2)
    assert labels.agreement.same_texts == wilson(1, 1)
