"""What snapshots are made from, as it is read: the quick way says what the plain one says, or nothing."""

import json

import pytest

from store import examples, journal, material, pairs, responses
from studio.importing import import_file

LONG = "A text that is long enough to be quoted, \u00e4\U0001f600: "


@pytest.fixture
def judged(project, store, tmp_path):
    """Five pairs that are stored alike."""
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"{LONG}{n}", "chosen": f"{LONG}good {n}", "rejected": f"{LONG}bad {n}"} for n in range(5)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(project, store, path)
    return store


def test_pairs_that_are_stored_alike_are_read_together(judged) -> None:
    (found,) = material.judged_pairs(judged)
    alike = material.alike(found)
    assert alike is not None
    for each, *said in zip(found.each(), alike.prompts, alike.chosen, alike.rejected, strict=True):
        messages, tools, chosen, rejected, is_plain = material.texts(each)
        turns = [{"role": role, "content": text} for role, text in zip(alike.roles, said, strict=True)]
        assert ([*messages, *chosen, *rejected], tools, is_plain) == (turns, None, True)


def test_one_that_is_stored_otherwise_is_enough_for_the_plain_way(judged) -> None:
    examples.revise(judged, 3, [{"role": "user", "content": LONG}])
    (found,) = material.judged_pairs(judged)
    assert material.alike(found) is None


def test_one_that_can_not_be_used_is_enough_for_the_plain_way(judged) -> None:
    journal.judge(judged, pairs.get(judged, 3), "tie", rater="me")
    (found,) = material.judged_pairs(judged)
    assert found.state == (None, None, "tie", None, None)
    assert material.alike(found) is None


def test_a_stranger_among_responses_is_read_as_it_is(judged) -> None:
    own = responses.add(judged, 2, [{"role": "assistant", "content": "mine"}], origin="human")
    pair = pairs.get(judged, pairs.add_pair(judged, 2, own, 3, seed=0))
    journal.judge(judged, pair, "left", rater="me")
    (found,) = material.judged_pairs(judged)
    *_, last = found.each()
    assert (last.chosen_id, last.rejected_id) == (own, 3)
    assert material.texts(last)[2:4] == ([{"role": "assistant", "content": "mine"}], responses.get(judged, 3).messages)


def test_only_what_was_asked_for_is_read(judged) -> None:
    with judged.reading():
        material.narrow(judged, [[2, 4], [4, 5]])
        (found,) = material.judged_pairs(judged, narrowed=True)
        assert found.example_id == (2, 4, 5)
        assert material.count(judged, "judged_pairs", narrowed=True) == 3
    left = judged.connection.execute("SELECT name FROM sqlite_temp_master WHERE name = 'wanted'").fetchall()
    assert not left
