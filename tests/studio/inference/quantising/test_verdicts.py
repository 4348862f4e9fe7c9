"""What the figures mean, which type is recommended, and the names of types."""

import subprocess
import sys

import pytest
from quantised import BROKEN, TESTED, check, leave, of_type

from studio.checks.settings import Check
from studio.errors import StudioError
from studio.inference.quantising import report, state
from studio.inference.quantising.held_out import Question
from studio.inference.quantising.places import Place, model_of, parted
from studio.inference.quantising.report import Report
from studio.inference.quantising.state import State
from studio.inference.quantising.testing import changes, lost
from studio.inference.quantising.types import NEED_IMPORTANCE, TYPES, USUAL, named
from studio.inference.quantising.verdict import judge, recommend, sentence
from studio.inference.quantising.words import lines

UNTESTED = Report("Q6_K", "hash", 1, 2, 6.6)


def test_the_names_are_those_that_the_library_has() -> None:
    """llama.cpp refuses NVFP4 when it is asked for it; GUESSED is no type."""
    say = "import llama_cpp.llama_cpp as l; print(*(k for k in dir(l) if k.startswith('LLAMA_FTYPE_MOSTLY_')))"
    said = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True).stdout.split()
    theirs = {name.removeprefix("LLAMA_FTYPE_MOSTLY_") for name in said} - {"NVFP4"}
    assert theirs == set(TYPES) | set(NEED_IMPORTANCE)


def test_types_are_named_in_any_case_largest_first_and_all_means_the_usual() -> None:
    assert named(["q2_k", "Q8_0", "q2_K"]) == ["Q8_0", "Q2_K"]
    assert named(["all"]) == list(USUAL)
    with pytest.raises(StudioError, match="IQ2_XS needs an importance matrix"):
        named(["IQ2_XS"])
    with pytest.raises(StudioError, match="no type 'Q9'"):
        named(["Q9"])


def test_a_quantised_form_is_named_after_its_model() -> None:
    assert parted("dpo-1@q4_k_m") == ("dpo-1", "Q4_K_M")
    assert parted("me@home/model.gguf") is None
    assert parted("@Q4_K_M") is None
    assert model_of("/a/b@c.gguf@Q8_0") == "/a/b@c.gguf"
    assert model_of("smollm2") == "smollm2"


@pytest.mark.parametrize(
    ("changed", "level", "why"),
    [
        ({}, "good", "perplexity +1.0 %, mean KL 0.0100, the same likeliest token at 96.0 % of places"),
        ({"mean_kl": 0.06}, "worse", "mean KL 0.060 is over 0.05"),
        ({"same_top": 0.89}, "worse", "the likeliest token is the same at only 89.0 % of places"),
        ({"perplexity": 10.6}, "worse", "perplexity rises by 6.0 %"),
        ({"checks": (check(80, 70, -0.1, -0.17, -0.03),)}, "worse", "'polite' passes 70 of 100 prompts instead of 80"),
        ({"checks": (check(80, 70, -0.1, -0.21, 0.01),)}, "good", ""),
        ({"mean_kl": 0.31}, "broken", "breaks this model: mean KL is 0.31"),
        ({"same_top": 0.58}, "broken", "breaks this model: the likeliest token is another at 42.0 % of places"),
        ({"perplexity": 40.0}, "broken", "breaks this model: perplexity rises from 10.00 to 40.00"),
        ({"checks": (check(80, 50, -0.3, -0.4, -0.2),)}, "broken", "(-30 points, 95 % between -40 and -20)"),
    ],
)
def test_each_bound_is_held_and_named(changed, level, why) -> None:
    found = of_type("Q4_K_M", 100, **changed)
    assert judge(found).level == level
    assert why in sentence(found)


def test_the_smallest_within_bounds_is_recommended_with_its_reason() -> None:
    found = [of_type("Q8_0", 145), of_type("Q4_K_M", 105), of_type("Q3_K_M", 95, mean_kl=0.1), BROKEN]
    recommended = recommend(found)
    assert recommended.type == "Q4_K_M"
    assert "the smallest within bounds, 105.0 MB of 270.0 MB" in recommended.why
    assert "Q3_K_M (mean KL 0.100 is over 0.05), Q2_K breaks the model" in recommended.why


def test_of_two_of_one_size_the_closer_one_is_recommended() -> None:
    found = [of_type("Q5_0", 101, mean_kl=0.004), of_type("Q4_K_S", 100, mean_kl=0.02)]
    assert recommend(found).type == "Q5_0"


def test_without_a_good_one_or_a_test_nothing_is_recommended() -> None:
    assert recommend([UNTESTED]).type is None
    assert "Nothing was tested" in recommend([UNTESTED]).why
    assert recommend([BROKEN, UNTESTED]).type is None
    assert "None that was tested is within bounds" in recommend([BROKEN, UNTESTED]).why


def test_thin_evidence_is_called_that() -> None:
    assert "Measured on 300 tokens only" in recommend([of_type("Q8_0", 145, tokens=300)]).why


def test_checks_are_compared_prompt_by_prompt() -> None:
    short, rude = Check("short", "max_words", "3"), Check("rude", "contains", "fool", weight=-1.0)
    asked = [Question(n, [{"role": "user", "content": "?"}], []) for n in range(5)]
    answered = {0: ("a b", "a b c d"), 1: ("a", "you fool"), 2: ("a b c d", "a"), 3: ("a", "a")}
    by_name = {change.name: change for change in changes([short, rude], asked, answered)}
    assert list(by_name) == ["short", "rude", "all checks"]
    # The fifth has no answer, such as a prompt that the context can't hold: it does not count.
    assert {name: (c.of, c.passed_before, c.passed) for name, c in by_name.items()} == {
        "short": (4, 3, 3),
        "rude": (4, 4, 3),
        "all checks": (4, 3, 2),
    }
    assert by_name["short"].low < 0 < by_name["short"].high
    assert lost([short, rude], asked[0], answered) == ("short",)
    assert lost([short, rude], asked[1], answered) == ("rude",)
    assert changes([], asked, answered) == ()


def test_reports_are_read_as_they_were_written_and_only_beside_their_file(tmp_path) -> None:
    place = Place("dpo-1", tmp_path / "quantised")
    leave(place, BROKEN, of_type("Q8_0", 145))
    assert report.read_all(place) == [of_type("Q8_0", 145), BROKEN]
    place.gguf("Q8_0").unlink()
    place.report("Q2_K").write_text("{")
    [unknown] = report.read_all(place)
    assert (unknown.type, unknown.bytes, unknown.test) == ("Q2_K", 4, None)


def test_the_table_says_what_it_rests_on() -> None:
    text = "\n".join(lines("dpo-1", [of_type("Q8_0", 145), BROKEN]))
    assert "Measured on 5,000 tokens of the answers of 40 held-out texts. There were no [[checks]]" in text
    assert "Q2_K: 30 tensors are q4_0 instead of q2_K: their rows of 576 weights are no multiple of 256." in text
    assert "other texts" not in text
    text = "\n".join(lines("dpo-1", [of_type("Q8_0", 145), of_type("Q2_K", 88, key="others")]))
    assert "Q2_K: measured on other texts or checks" in text
    assert "studio quantize dpo-1 --type Q8_0 --type Q2_K." in text
    assert lines("dpo-1", []) == ["Nothing was quantised yet: studio quantize dpo-1 --type all, or --type Q4_K_M."]
    assert TESTED.perplexity_rise == pytest.approx(0.01)


def test_the_table_fits_eighty_columns_whatever_a_model_says() -> None:
    checked = (check(80, 45, -0.35, -0.45, -0.24),)
    found = [of_type("Q8_0", 145, checks=checked), of_type("IQ3_XXS", 888, checks=checked, perplexity=1e300)]
    table = lines("dpo-1", found)[:4]
    assert [len(line) for line in table if len(line) > 80] == []
    assert table[0].split() == ["type", "size", "speed", "perplexity", "mean", "KL", "same", "top", "checks", "verdict"]
    assert "BROKEN" in table[3]


def test_a_process_that_is_gone_without_a_word_is_found_out(tmp_path) -> None:
    place = Place("dpo-1", tmp_path)
    assert state.read(place) is None
    state.write(place, State("running", 2**22, 1.0, ("Q8_0",), at="Q8_0", doing="quantising"))
    found = state.read(place)
    assert found is not None
    assert found.state == "failed"
    assert "without a word" in found.words
