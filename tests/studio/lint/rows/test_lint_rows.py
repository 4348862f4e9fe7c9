"""Each row check on examples made for it: what it finds, what it lets pass, and what its fix makes of a text."""

import pytest

from studio.lint.check import Context
from studio.lint.options import defaults
from studio.lint.rows import CHECKS

LONG = "The harbour lies below the town and every boat has its own place at the quay there. "


def says(role, content, **more):
    return {"role": role, "content": content, **more}


def calls(name, arguments):
    return [
        says("assistant", "", tool_calls=[{"type": "function", "function": {"name": name, "arguments": arguments}}])
    ]


ANSWERS = [
    # check, answer, whether it is found
    ("empty-answer", "", True),
    ("empty-answer", " \n\t", True),
    ("empty-answer", "No.", False),
    ("odd-value", " null ", True),
    ("odd-value", "#N/A", True),
    ("odd-value", "None of them.", False),
    ("placeholder", "Dear [Recipient's Name], thank you.", True),
    ("placeholder", "I am {{ name }}.", True),
    ("placeholder", "Call us on <your phone number>.", True),
    ("placeholder", "TODO: write this", True),
    ("placeholder", "Write `[Your Name]` in the field.", False),
    ("placeholder", "```\nsecrets: {{ name }}\n```", False),
    ("placeholder", "const [name, setName] = useState('')", False),
    ("placeholder", "See [our site](https://a.org).", False),
    ("placeholder", "Use ${{ secrets.TOKEN }} there.", False),
    ("placeholder", "They met [in 1998] and [sic] parted.", False),
    ("special-token", "Yes.<|im_end|>", True),
    ("special-token", "Yes. [/INST] No.", True),
    ("special-token", "### Response: yes", True),
    ("special-token", "a < b | c > d", False),
    ("role-header", "Yes.\n\nHuman: And then?", True),
    ("role-header", "The Human: a history", False),
    ("truncated-answer", LONG * 3 + "They come home in the evening because of the", True),
    ("truncated-answer", LONG * 3 + "They sell fish, bread,", True),
    ("truncated-answer", "Here it is:\n```python\nprint(1)\n", True),
    ("truncated-answer", "Here it is:\n```python\nprint(1)\n```", False),
    ("truncated-answer", LONG * 3 + "\n\n- bread\n- fish and", False),
    ("truncated-answer", LONG * 3 + "\n\nYours,\nAnn", False),
    ("truncated-answer", LONG * 3 + "See https://example.org/the", False),
    ("truncated-answer", "card_arrival", False),
    ("mojibake", "The cafÃ© is open.", True),
    ("mojibake", "It isnâ€™t here.", True),
    ("mojibake", "Lost \N{REPLACEMENT CHARACTER} here", True),
    ("mojibake", "The café isn’t “open” – naïve, €5, Ærø, Привет, 日本語.", False),
    ("mojibake", "埃特莱是“南”，而“etelä”是芬兰语中的对应词。", False),
    ("control-character", "red \x1b[31m text", True),
    ("control-character", "a\tb\r\nc", False),
    ("control-character", "half \ud83d a pair", True),
    ("hidden-character", "zero\u200bwidth", True),
    ("hidden-character", "over\u202eride", True),
    ("hidden-character", "family 👩\u200d👩\u200d👧, नमस्\u200dते", False),
    ("hidden-character", "שלום\u200f (abc)", False),
    ("odd-space", "ten\xa0euros", True),
    ("odd-space", "ten euros", False),
    ("repetition", "0" * 5000, True),
    ("repetition", "I do not know what to say. " * 20, True),
    ("repetition", "Oh n" + "o" * 51 + "!", True),
    ("repetition", "Oh n" + "o" * 50 + "!", False),
    ("repetition", "-" * 300, False),
    ("repetition", "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 30, False),
    ("repetition", LONG, False),
    ("refusal", "I’m sorry, but I can’t help with that.", True),
    ("refusal", "She said that she was sorry.", False),
    ("boilerplate", "As an AI language model, I have no feelings.", True),
    ("invalid-json", '{"a": 1, "b": [2,', True),
    ("invalid-json", '```json\n{"a": NaN}\n```', True),
    ("invalid-json", '{"a": 1}', False),
    ("invalid-json", "[1] The first source says so.", False),
    ("invalid-json", "{this} is no JSON", False),
    ("invalid-json", '{"a": 1}\n\nThis is the object.', False),
    ("python-quotes", "{'a': True, 'b': None}", True),
    ("python-quotes", "['Ralph', 'Tom']", False),
    ("invalid-json", "{'a': True, 'b': None}", False),
    ("duplicate-key", '{"a": 1, "b": {"c": 1, "c": 2}}', True),
    ("duplicate-key", '{"a": 1, "b": {"a": 2}}', False),
    ("possible-placeholder", "It failed for [reasons].", True),
    ("possible-placeholder", "Match it with `^[abc]+$`.", True),
    ("possible-placeholder", "Dear [Recipient's Name], it failed for [reasons].", False),
    ("possible-placeholder", "```\n[reasons]\n```", False),
    ("possible-placeholder", "See [our site](https://a.org), [the map][2] and ![a cat](cat.png).", False),
    ("possible-placeholder", "They [sic] wrote names = [first] and x[index] and [word for word in text].", False),
    ("personal-data", "Write to ann.smith@hotmail.com.", True),
    ("personal-data", "Write to post@brook.example.", False),
    ("personal-data", "Call +44 20 7946 0018 now.", True),
    ("personal-data", "Call (650) 253-0000 now.", True),
    ("personal-data", "3600000000000 + 62426244000 = 3662426244000", False),
    ("personal-data", "Pay with 4111 1111 1111 1112.", False),
    ("personal-data", "Pay with 4539 5787 6362 1486.", True),
    ("possible-card", "Calculate 355909190063-746.", True),
    ("possible-card", "Calculate 355909190063-747.", False),
    ("possible-card", "Pay with 4539 5787 6362 1486.", False),
    ("possible-card", "1 2 3 4 5 6 7 8 9 10 11 12 13 14, 0000000000000000, 0.4212883012996", False),
    ("personal-data", "To GB82 WEST 1234 5698 7654 32.", True),
    ("personal-data", "To GB82 WEST 1234 5698 7654 33.", False),
    ("personal-data", "From 203.0.113.7 and 192.168.0.1, version 1.2.3.4", False),
    ("personal-data", "From 81.2.69.142.", True),
    ("secret", "key AKIAIOSFODNN7EXAMPLE", True),
    ("secret", "-----BEGIN RSA PRIVATE KEY-----\nabc", True),
    ("secret", "a risk-averse desk-top task-force", False),
]


@pytest.mark.parametrize(
    ("check", "answer", "is_found"), ANSWERS, ids=[f"{check}-{n}" for n, (check, *_) in enumerate(ANSWERS)]
)
def test_an_answer(subject, look, check, answer, is_found) -> None:
    found = look(check, subject("What is it?", answer))
    assert bool(found) == is_found
    assert all(line.startswith("answer: ") for line in found)


FIXES = [
    ("mojibake", "The cafÃ© isnâ€™t “open”.", "The café isn’t “open”."),
    ("mojibake", "Nothing wrong “here”…", "Nothing wrong “here”…"),
    ("control-character", "red \x1b[31m\x00", "red [31m"),
    ("hidden-character", "zero\u200bwidth\ufeff", "zerowidth"),
    ("odd-space", "ten\xa0euros\u2028more", "ten euros\nmore"),
    ("python-quotes", "{'a': True, 'b': None}", '{"a": true, "b": null}'),
    ("python-quotes", '{"a": true}', '{"a": true}'),
    ("personal-data", "a.b@c.org, +44 20 7946 0018", "[EMAIL], [PHONE]"),
    ("personal-data", "card 4539578763621486 to GB82 WEST 1234 5698 7654 32", "card [CARD] to [IBAN]"),
    ("secret", "key AKIAIOSFODNN7EXAMPLE.", "key [SECRET]."),
]


@pytest.mark.parametrize(
    ("check", "before", "after"), FIXES, ids=[f"{check}-{n}" for n, (check, *_) in enumerate(FIXES)]
)
def test_a_fix(mended, check, before, after) -> None:
    assert mended(check, before) == after
    assert mended(check, after) == after


@pytest.mark.parametrize("each", [each for each in CHECKS if each.mend], ids=lambda each: each.check.name)
def test_a_fix_leaves_right_messages_as_they_are(each) -> None:
    message = says(
        "assistant", None, tool_calls=[{"type": "function", "function": {"name": "f", "arguments": {"n": 1}}}]
    )
    assert each.mend(message) is message
    assert each.check.fix


def test_what_a_fix_mends_is_found_no_longer(subject, look, mended) -> None:
    for check, before, _ in FIXES:
        assert look(check, subject("?", mended(check, before))) == []


def test_several_of_a_kind_make_one_line(subject, look) -> None:
    assert look("personal-data", subject("Who?", "a.b@c.org, d.e@f.org, +44 20 7946 0018")) == [
        "answer: e-mail 'a.b@c.org' and 1 more",
        "answer: telephone '+44 20 7946 0018'",
    ]


def test_a_secret_is_not_told(subject, look) -> None:
    assert look("secret", subject("Key?", "AKIAIOSFODNN7EXAMPLE")) == ["answer: AKIAIOSF... (20 characters)"]


def test_arguments_of_calls_are_redacted_too(subject, look) -> None:
    messages = calls("send", {"to": ["ann.smith@hotmail.com"]})
    assert look("personal-data", subject("Send it.", messages)) == [
        "answer, a tool call: e-mail 'ann.smith@hotmail.com'"
    ]
    mend = next(each.mend for each in CHECKS if each.check.name == "personal-data")
    assert mend(messages[0])["tool_calls"][0]["function"]["arguments"] == {"to": ["[EMAIL]"]}
    assert messages[0]["tool_calls"][0]["function"]["arguments"] == {"to": ["ann.smith@hotmail.com"]}


def test_gaps_that_the_prompt_has_may_stay_in_the_answer(subject, look) -> None:
    assert look("placeholder", subject("Rewrite: Dear [Name], hello", "Hello [Name]!")) == []


def test_special_tokens_are_those_of_the_model_too(subject, look, tokenizer) -> None:
    here = subject("What is <repo_name>?", "A mark.")
    assert look("special-token", here) == []
    assert look("special-token", here, tokenizer=tokenizer) == ["turn 1: '<repo_name>'"]


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        (["system", "user", "assistant"], ""),
        (["user", "assistant", "user", "assistant"], ""),
        (["user", "system", "assistant"], "turn 2: a system turn that is not the first"),
        (["user", "user", "assistant"], "turns 1 and 2: the user speaks twice in a row"),
        (["user", "assistant", "assistant"], "turns 2 and 3: the assistant speaks twice in a row"),
        (["user", "tool", "assistant"], "turn 2: a tool's result without a call before it"),
        (["user", "bot", "assistant"], "turn 2: the role 'bot' is not known"),
    ],
)
def test_the_order_of_roles(subject, look, roles, found) -> None:
    turns = [says(role, f"text {n}") for n, role in enumerate(roles)]
    cut = 1 + max(n for n, role in enumerate(roles) if role != "assistant")
    assert look("role-order", subject(turns[:cut], turns[cut:])) == ([found] if found else [])


def test_a_tools_result_follows_its_call(subject, look) -> None:
    prompt = [says("user", "Weather?"), *calls("weather", {}), says("tool", "sun"), says("tool", "wind")]
    assert look("role-order", subject(prompt, "Sun and wind.")) == []


def test_an_empty_turn_of_the_prompt_is_found(subject, look) -> None:
    assert look("empty-prompt", subject([says("system", ""), says("user", " ")], "Yes.")) == [
        "turn 1 (system): no text",
        "turn 2 (user): only spaces",
    ]


def test_content_that_is_no_text_is_found(subject, look) -> None:
    assert look("not-text", subject("Is it so?", [says("assistant", True)])) == [
        "answer: its content is 'True', not a text"
    ]
    assert look("not-text", subject("Is it so?", [says("assistant", None)]))
    assert look("not-text", subject("Do it.", [{**calls("f", {})[0], "content": None}])) == []


def test_a_prompt_without_any_answer_is_found(subject, look) -> None:
    assert look("unanswered", subject("What is it?")) == ["it ends with turn 1, of the user"]
    assert look("unanswered", subject("What is it?", "A boat.")) == []


def test_classes_outside_the_list_come_with_the_one_that_was_meant(subject, look) -> None:
    labels = ("card_arrival", "card_lost")
    assert look("unknown-label", subject("Where?", "card_arival"), labels=labels) == [
        "answer: 'card_arival', perhaps 'card_arrival'"
    ]
    assert look("unknown-label", subject("Where?", "Card Lost"), labels=labels) == [
        "answer: 'Card Lost', perhaps 'card_lost'"
    ]
    assert look("unknown-label", subject("Where?", "weather"), labels=labels) == ["answer: 'weather'"]
    assert look("unknown-label", subject("Where?", "card_lost"), labels=labels) == []


SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}


def test_answers_must_fit_a_declared_schema(subject, look) -> None:
    assert look("schema-mismatch", subject("Where?", '{"city": 3}'), schema=SCHEMA) == [
        "answer: city: 3 is not of type 'string'"
    ]
    assert look("schema-mismatch", subject("Where?", '{"city": "Bari"}'), schema=SCHEMA) == []
    assert look("invalid-json", subject("Where?", "In Bari."), schema=SCHEMA)
    assert look("invalid-json", subject("Where?", "In Bari.")) == []


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("weather", {"city": "Bari"}, ""),
        ("weather", '{"city": "Bari"}', ""),
        ("weather", {}, "'city' is a required property"),
        ("weather", '{"city": ', "not valid JSON"),
        ("weather", ["Bari"], "are no object"),
        ("forecast", {"city": "Bari"}, "the example's tools are: weather"),
    ],
)
def test_tool_calls_against_their_tools(subject, look, name, arguments, found) -> None:
    lines = look("tool-call", subject("Weather?", calls(name, arguments), tools=TOOLS))
    assert [found in line for line in lines] == [True] * bool(found)


def test_parameters_that_are_no_schema_are_named(subject, look) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "thing"}}}]
    assert "no JSON schema" in look("tool-call", subject("?", calls("f", {}), tools=tools))[0]


def test_an_answer_that_gives_the_prompt_back_is_found(subject, look) -> None:
    assert look("repeats-prompt", subject(LONG, f"You said: {LONG} So what?")) == [
        "answer: the whole prompt stands in it"
    ]
    told = [says("system", LONG), says("user", "Hello")]
    assert look("repeats-prompt", subject(told, LONG)) == ["answer: the whole system prompt stands in it"]
    assert look("repeats-prompt", subject("Blue or red?", "Blue or red? Blue.")) == []


def test_too_long_rows_are_cut_exactly_as_training_cuts_them(subject, look, tokenizer) -> None:
    from studio.rendering import render
    from studio.training.recipe import make_recipe
    from studio.training.rows.data import tokenise

    here = subject(LONG * 4, LONG * 10)
    messages = [*here.prompt, *here.answer]
    rendering = render(tokenizer, messages)
    whole, asked = len(rendering.ids), rendering.prompt_length
    for most in (whole, whole - 1, asked + 1, asked):
        found = look("too-long", here, tokenizer=tokenizer, max_length=most)
        recipe = make_recipe("sft", [f"max_length={most}"])
        trained = tokenise(tokenizer, recipe, [{"example": 1, "messages": messages}])
        assert bool(found) == bool(trained.cut or trained.dropped)
        assert bool(found and "left out" in found[0]) == bool(trained.dropped)
        if trained.cut:
            kept = sum(label != -100 for label in trained.rows[0]["labels"])
            assert f"of the {whole - asked:,} trained tokens {whole - asked - kept:,} are lost" in found[0]


@pytest.mark.parametrize(
    "text", ["and so on, ", "\n\n    return x\n", "   ", "語", "un\u00efque-words ", "<|im_end|> ", "1234567890" * 5]
)
def test_only_what_is_far_from_too_long_is_not_counted(subject, look, tokenizer, text) -> None:
    from studio.rendering import render

    asked = [{"role": "user", "content": "Go on?"}]
    for times in (20, 50, 150):
        answer = (text * times).strip() or "a"
        exact = len(render(tokenizer, [*asked, {"role": "assistant", "content": answer}]).ids)
        here = subject("Go on?", answer)
        assert look("too-long", here, tokenizer=tokenizer, max_length=exact) == []
        assert len(look("too-long", here, tokenizer=tokenizer, max_length=exact - 1)) == 1


def test_without_a_tokenizer_lengths_are_guessed(subject, look) -> None:
    assert "guessed" in look("too-long", subject("Tell me.", LONG * 60))[0]
    assert look("too-long", subject("Tell me.", LONG * 10)) == []


def test_answers_in_another_language(subject, look) -> None:
    german = "Der Hafen liegt unterhalb der Stadt, und jedes Boot hat dort seinen eigenen Platz."
    assert look("other-language", subject("?", german), language="en") == ["answer: de"]
    assert look("other-language", subject("?", german), language="de") == []
    assert look("other-language", subject("?", german)) == []
    assert look("other-language", subject("?", "Ja."), language="en") == []


def test_pairs_that_teach_nothing(subject, look, judged) -> None:
    same = subject("Why?", "Because of  it.", "because of it.", pairs=[judged(1, 2)])
    assert look("same-sides", same) == ["chosen and rejected differ in spaces or capitals only"]
    other = subject("Why?", "Because.", "No idea.", pairs=[judged(1, 2)])
    assert look("same-sides", other) == []
    empty = subject("Why?", "", "No idea.", pairs=[judged(2, 1, "right")])
    assert look("empty-answer", empty) == ["chosen: no text"]
    refused = subject("Why?", "Because of the tide.", "I'm sorry, but I can't say.", pairs=[judged(1, 2)])
    assert look("easy-pair", refused) == ['only the rejected answer refuses: "i\'m sorry, but"']
    scripts = subject("Why?", "Because of the tide.", "因为潮水。", pairs=[judged(1, 2)])
    assert look("easy-pair", scripts) == ["the two answers are in different scripts"]
    assert look("easy-pair", subject("Why?", "I'm sorry, but no.", "Because.", pairs=[judged(1, 2, "tie")])) == []


def test_verdicts_faster_than_reading(subject, look, judged) -> None:
    def found(seconds, size):
        return look("hasty-verdict", subject("?", "a" * size, "b" * size, pairs=[judged(1, 2, "left", seconds)]))

    assert found(1.0, 10) == ["ann: 1.0 seconds for 20 characters"]
    assert found(5.0, 10) == []
    assert found(5.0, 3000) == ["ann: 5.0 seconds for 6,000 characters"]
    assert found(60.0, 3000) == []
    assert found(None, 3000) == []


def test_verdicts_that_go_in_a_circle(subject, look, judged) -> None:
    pairs = [judged(1, 2), judged(2, 3), judged(3, 1)]
    found = look("cyclic-verdicts", subject("?", "a", "b", "c", pairs=pairs))
    assert len(found) == 1
    names = found[0].split(" beats ")
    assert names[0] == names[-1]
    assert sorted(names[1:]) == ["response 1", "response 2", "response 3"]
    order = [names.index(f"response {n}") for n in (1, 2)]
    assert f"{names[order[0]]} beats response 2" in found[0] or names[-2] == "response 1"
    assert look("cyclic-verdicts", subject("?", "a", "b", "c", pairs=[judged(1, 2), judged(2, 3), judged(1, 3)])) == []


HOSTILE = [
    "[bold]x[/] [/nothing] [@click=app.bell]",
    "\x1b]0;title\x07\x1b[2J",
    "\ud83d\udc00 \u202e\u2066 \x00",
    "{" * 100_000,
    "[" * 100_000 + "1",
    "{'a': " * 5_000,
    "0" * 1_000_000,
    "a@" * 300_000,
    "a" * 1_000_000 + "@",
    "{{" * 200_000,
    "```" * 100_001,
    "+1 " * 300_000,
    "4 " * 500_000,
    '{"a": 1e999, "a": "\\d"}',
    "Ã" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_harm_no_check(subject, judged, text) -> None:
    options = {**defaults(), "labels": ("one", "two"), "schema": SCHEMA, "language": "en"}
    here = subject(text, text, text + "!", pairs=[judged(1, 2, "left", 1.0)])
    for each in CHECKS:
        found = list(each.look(here, Context(None, 1024, options)))
        assert all(isinstance(line, str) and len(line) < 500 for line in found), each.check.name
        if each.mend:
            each.mend({"role": "assistant", "content": text})


def test_names_of_checks_are_their_own() -> None:
    names = [each.check.name for each in CHECKS]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name == name.lower() for name in names)
