"""Chat templates of strangers: whatever they say, they end soon, and reach nothing."""

import subprocess
import sys
import textwrap

import pytest

from studio.chat_template import render_template
from studio.chat_templates import check
from studio.errors import StudioError
from studio.rendering import ChatTokenizer
from studio.template_traps import traps

MESSAGES = [{"role": "user", "content": "Hi"}]

GROWING = (
    "{% set ns = namespace(x=START) %}{% for i in range(99) %}{% set ns.x = STEP %}{% endfor %}{{ ns.x | length }}"
)


def _growing(step: str, start: str = "'aa'") -> str:
    return GROWING.replace("START", start).replace("STEP", step)


NEST = "{% for j in range(99999) %}" * 3 + "{% endfor %}" * 3

HOSTILE = {
    "huge range": "{% for i in range(10**9) %}x{% endfor %}",
    "nested loops": NEST,
    "nested loops over text": "{% for a in 'x' * 9999 %}{% for b in 'x' * 9999 %}{% endfor %}{% endfor %}",
    "a loop of itself": "{% for i in [1, 2] recursive %}{{ loop(range(9999)) }}{% endfor %}",
    "a macro of itself": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "a macro of itself, at some depth": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}"
    "{% endif %}{% endmacro %}{{ f(40) }}",
    "a block of itself": "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "long repetition": "{{ 'a' * 10**9 }}",
    "long repetition in a name": "{% set x = 'a' * 10**9 %}{{ x | length }}",
    "long list": "{{ ([0] * 10**9) | length }}",
    "list of long texts": "{{ [('a' * 10**6)] * 10**5 }}",
    "huge power": "{{ 9**(9**9) }}",
    "doubling sums": _growing("ns.x + ns.x"),
    "doubling joins": _growing("ns.x ~ ns.x"),
    "doubling lists": _growing("ns.x + ns.x", "[1]"),
    "lists in lists": _growing("[ns.x, ns.x]"),
    "tuples in tuples": _growing("(ns.x, ns.x)"),
    "objects in objects": _growing("{'a': ns.x, 'b': ns.x}"),
    "dicts of dicts": _growing("dict(a=ns.x, b=ns.x)"),
    "JSON of JSON": _growing("ns.x | tojson | tojson", "'\"'"),
    "escapes of escapes": _growing("ns.x | e | replace('&', '&&')", "'&'"),
    "growing squares": _growing("ns.x * ns.x", "9"),
    "gathered text": "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x %}"
    "{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}{{ ns.x | length }}",
    "a macro's argument": "{% macro f(x, n) %}{% if n %}{{ f(x + x, n-1) }}{% endif %}{% endmacro %}{{ f('aa', 60) }}",
    "centred": "{{ 'x' | center(10**9) }}",
    "padded": "{{ 'x'.ljust(10**9) }}",
    "padded bytes": "{{ 'x'.encode().center(10**9) | length }}",
    "filled with zeros": "{{ '1'.zfill(10**9) }}",
    "tabs": "{{ ('\\t' * 10**6).expandtabs(1000) | length }}",
    "number in bytes": "{{ (1).to_bytes(10**9) | length }}",
    "wide format": "{{ '%999999999d' % 3 }}",
    "wide format by a filter": "{{ '%999999999d' | format(3) }}",
    "wide format by a method": "{{ '{:999999999}'.format(3) }}",
    "wide format by an argument": "{{ '{:{}}'.format(3, 999999999) }}",
    "format of long texts": "{{ ('%s' * 10**5) | format(*([('a' * 10**5)] * 100)) }}",
    "replaced": "{{ ('a' * 10**6) | replace('a', 'b' * 10**6) }}",
    "replaced by a method": "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
    "translated": "{{ ('x' * 10**6).translate({120: 'y' * 10**6}) | length }}",
    "joined": "{{ ('a' * 10**6) | join('b' * 10**6) | length }}",
    "joined lazily": "{{ ([none] * 99999) | map('default', 'x' * 10**6, true) | join | length }}",
    "joined by a method": "{{ ('b' * 10**6).join(range(9999) | map('string')) | length }}",
    "lists made of lazy ones": "{{ (range(99999) | map('center', 1000) | list * 9) | length }}",
    "from keys": "{{ {}.fromkeys(range(99999), 'x' * 10**6) }}",
    "indented": "{{ ('\\n' * 10**6) | indent(1000) | length }}",
    "indented JSON": "{{ range(9999) | list | tojson(indent=10**9) }}",
    "wrapped": "{{ ('a ' * 10**6) | wordwrap(1, true, 'x' * 10**6) | length }}",
    "links": "{{ ('(' * 10**6) | urlize }}",
    "tags": "{{ ('<' * 10**6) | striptags }}",
    "sums of lists": "{{ ([[1] * 99] * 9999) | sum(start=[]) | length }}",
    "looked up lazily": "{% set l = range(99999) | list %}{{ l | reject('in', l) | list | length }}",
    "looked up by tests": "{% set l = range(99999) | list %}{{ l | select('eq', l) | list | length }}" * 999,
    "left out by a loop": "{% set l = range(99999) | list %}{% for i in l if i in l and -1 in l %}{% endfor %}",
    "compared straight on": "{% set a = range(99999) | list * 9 %}{% set b = range(99999) | list * 9 %}"
    + "{{ a == b }}" * 1900,
    "a long comparison": "{% set a = [0] * 900000 %}{{ a" + " == a" * 9000 + " }}",
    "sorted": "{{ (range(99999) | list * 9) | sort | length }}",
    "grouped by a long way": "{{ range(9999) | list | groupby('" + "real." * 2000 + "real') | length }}",
    "a long way to each": "{{ range(99999) | map(attribute='" + "real." * 9000 + "real') | list | length }}",
    "wide format in other digits": "{{ '{:٩٩٩٩٩٩٩٩٩}'.format(3) | length }}",
    "indented deep JSON": "{% set ns = namespace(x=[1]) %}{% for i in range(900) %}{% set ns.x = [ns.x] %}{% endfor %}"
    "{{ ([ns.x] * 99) | tojson(indent=100) | length }}",
    "number of many digits": "{{ ('f' * 10**6) | int(base=16) > 0 }}",
    "number of many bytes": "{{ (1).from_bytes(('a' * 10**6).encode()) > 0 }}",
    "number of many digits as it is": "{{ 0x" + "f" * 60000 + " > 0 }}",
    "many arguments": "{{ namespace(" + ",".join(f"a{i}=1" for i in range(9999)) + ").x }}",
    "many parameters": "{% macro f(" + ",".join(f"a{i}" for i in range(9999)) + ") %}{% endmacro %}",
    "a fault of Jinja's own": "{{ ('x' * 10**6) | truncate(999, true, 'y' * 10**6) }}",
    "words": "{{ lipsum(n=10**6) }}",
    "long date": "{{ strftime_now('%Y' * 10**6) }}",
    "slices": _growing("ns.x + [('a' * 10**6)[i:]]", "[]").replace("99)", "99999)"),
    "straight on": "{% set x = 'a' * 10**6 %}" + "{{ x | upper | length }}" * 2400,
    "a chain of filters": "{% set x = 'a' * 10**6 %}{{ x" + " | upper | lower" * 90 + "}}",
    "giant": "x" * 10**7,
    "giant literal": "{{ '" + "x" * 10**6 + "' }}",
    "giant number": "{{ " + "9" * 10**5 + " }}",
    "many tags": "{{ a }}" * 10**6,
    "much to compile": "{% set x = [" + "a," * 49_000 + "] %}",
    "sums to compile": "{{ a+a+a+a+a+a+a }}" * 5_000,
    "deep brackets": "{{ " + "(" * 10**5 + "1" + ")" * 10**5 + " }}",
    "deep lists": "{{ " + "[" * 9000 + "]" * 9000 + " }}",
    "deep conditions": "{% if 1 %}" * 9000 + "{% endif %}" * 9000,
    "many loops in one another": "{% for i in [1] %}" * 90 + "{% endfor %}" * 90,
    "classes": "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "classes by a filter": "{{ (messages | attr('__class__')).x }}",
    "classes by a format": "{{ '{0.__class__.__mro__}'.format(messages).x.y }}",
    "classes by a map": "{{ messages | map(attribute='__class__') | first }}{{ messages.__class__.x }}",
    "a function's globals": "{{ raise_exception.__globals__['json'] }}",
    "the environment": "{{ self._TemplateReference__context.environment.x }}",
    "a namespace's workings": "{% set ns = namespace(__class__=1) %}{{ ns.__class__ }}",
    "files": "{% include '/etc/passwd' %}",
    "changes": "{{ messages.append(1) }}",
}

ENDS = 3
"""Seconds of the processor's time, rounded up, after which a template counts as endless; it is cut off at one."""


def test_what_would_not_end_or_would_get_out_is_refused_soon() -> None:
    # In a process of its own, which the system ends where a template goes on, or takes more than a gigabyte.
    program = f"""
        import resource
        from studio.chat_template import render_template
        from studio.errors import StudioError
        from tests.studio.rendering.test_hostile_templates import HOSTILE, MESSAGES
        resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))
        for name, source in HOSTILE.items():
            used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            resource.setrlimit(resource.RLIMIT_CPU, (int(used) + {ENDS}, resource.RLIM_INFINITY))
            print(name, end=": ", flush=True)
            try:
                render_template(source, MESSAGES, None, {{}}, add_generation_prompt=True)
                print("rendered")
            except StudioError as error:
                print("out of memory" if isinstance(error.__cause__, MemoryError) else "refused")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"{name}: refused" for name in HOSTILE], done.stderr[-2000:]


def test_an_endless_one_is_told_as_a_trap_at_once(tokenizer: ChatTokenizer) -> None:
    endless = ChatTokenizer(tokenizer.tokenizer, HOSTILE["nested loops"], {})
    assert [(trap.name, trap.level) for trap in traps(endless)] == [("endless", "error")]


def test_a_broken_template_is_refused_with_its_line() -> None:
    with pytest.raises(StudioError, match="Line 1 of the chat template is not valid Jinja"):
        check("{{ " + "(" * 10**5)


def test_a_long_conversation_is_no_reason_to_stop() -> None:
    source = "{% for m in messages %}{{ '<' + m.role + '>' + m.content | trim }}{% endfor %}"
    messages = [{"role": "user", "content": "abc " * 250_000}] * 20
    made = render_template(source, messages, None, {}, add_generation_prompt=False)
    assert len(made) == 20 * (6 + 999_999)
