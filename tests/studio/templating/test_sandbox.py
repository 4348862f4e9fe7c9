"""The sandbox: whatever a template says, it comes to an end and does not get out."""

import re

import pytest

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.settings import TemplateSettings, TurnTemplate
from studio.templates import apply
from studio.templating.parts import Misfit, TemplateError

RECORD = {"prompt": "Why?", "meta": {"kind": "letter"}, "list": [1, 2], "yes": True}


def made(text: str) -> str:
    row = apply(TemplateSettings(turns=(TurnTemplate("user", text),)), RECORD)
    return str(row.messages[0]["content"])


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in list recursive %}{{ loop(range(9999)) }}{% endfor %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"
        "{% endfor %}{{ ns.x }}",
        "{{ 'x' * 10**10 }}",
        "{{ [1] * 10**10 }}",
        "{{ 9**(9**9) }}",
        "{{ 'x' | center(10**9) }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ '%999999999d' % 3 }}",
        "{{ '%999999999d' | format(3) }}",
        "{{ '{:999999999}'.format(3) }}",
        "{{ ('a' * 100000) | replace('a', 'a' * 100000) }}",
        "{{ ('a' * 100000).replace('a', 'a' * 100000) }}",
    ],
)
def test_what_would_never_end_or_fill_the_memory_is_broken_off(text) -> None:
    with pytest.raises(RowError):
        made(text)


@pytest.mark.parametrize("text", ["{{ prompt.__class__ }}", "{{ lipsum() }}", "{{ list | random }}"])
def test_what_pries_or_differs_each_time_is_not_there(text) -> None:
    with pytest.raises((StudioError, RowError)):
        made(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ prompt }} {{ prompt ~ '!' }}", "Why? Why?!"),
        ("{% for n in list %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 "),
        ("{{ list | join(', ') }} {{ ', '.join(['a', 'b']) }}", "1, 2 a, b"),
        ("{{ 'a %s' | format(prompt) }} {{ '%.1f' % 1.25 }} {{ '{:.1f}'.format(1.25) }}", "a Why? 1.2 1.2"),
        ("{{ prompt.replace('?', '!') }} {{ prompt | replace('W', 'w') }}", "Why! why?"),
        ("{{ 'x' * 3 }}{{ 2 * 3 }}{{ 2 ** 3 }}{{ meta | tojson(indent=2) }}", 'xxx68{\n  "kind": "letter"\n}'),
    ],
)
def test_what_people_write_works(text, result) -> None:
    assert made(text) == result


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a\n  {{ prompt | uper }}", (2, 15), "No filter named 'uper'"),
        ("a {{ 1 ? 2 }}", (1, 8), "unexpected char"),
        ("{% for x in %}", (1, 13), "Expected an expression"),
        ("x\r\n{% frob %}", (2, 4), "unknown tag 'frob'"),
        ("{{ prompt.__class__.__mro__ }}", (1, 1), "not allowed"),
    ],
)
def test_a_mistake_is_told_with_line_and_column(text, place, says) -> None:
    with pytest.raises(TemplateError, match=says) as caught:
        made(text)
    assert tuple(caught.value.place) == place
    assert caught.value.part == "turn 1"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("x\n\nhello {{ prmpt }}", (3, 10), "no field 'prmpt'; did you mean 'prompt'"),
        ("{{ prompt }}{{ zebra }}", (1, 16), "no field 'zebra'$"),
        ("a\n {{ meta.knd }}", (2, 10), "no 'knd' in that; did you mean 'kind'"),
        ("{{ meta['knd'] }}", (1, 10), "did you mean 'kind'"),
        ("ok {{ prompt + 3 }}", (1, 4), "can only concatenate"),
        ("\n{{ yes }}", (2, 1), "is true"),
    ],
)
def test_what_a_record_lacks_is_named_with_its_place_and_what_was_meant(text, place, says) -> None:
    with pytest.raises(Misfit) as caught:
        made(text)
    assert tuple(caught.value.place) == place
    assert re.search(says, caught.value.reason)
