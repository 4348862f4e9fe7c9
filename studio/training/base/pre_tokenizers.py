"""How llama.cpp cuts text before it merges bytes, by the value of `tokenizer.ggml.pre`: the same rules here.

Where llama.cpp's rule departs from the one that the model's makers published (capitals beyond ASCII in `tekken` and
`gpt-4o`, Unicode normalisation in `qwen2` and `command-r`), llama.cpp's is followed: it is what the model is run with.
"""

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
DIGIT = r"\p{N}"
THREE_DIGITS = r"[0-9][0-9][0-9]"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", DIGIT)
QWEN35 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CAPITALS, _SMALL = r"((?=[\p{L}])([^a-z]))", r"((?=[\p{L}])([^A-Z]))"
_WORDS = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}*{_SMALL}+%s|[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}+{_SMALL}*%s"
    r"|%s| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SHORTENED = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?"
TEKKEN = _WORDS % ("", "", DIGIT)
GPT4O = _WORDS % (_SHORTENED, _SHORTENED, r"\p{N}{1,3}")
DEEPSEEK3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
IDEOGRAPHS = "[一-龥ࠀ-一가-\ud7ff]+"

_PATTERNS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("gpt-2", "phi-2", "mpt", "olmo", "jais", "exaone4", "roberta-bpe", "gigachat", "mellum"): (GPT2,),
    ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"): (DIGIT, GPT2),
    ("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "lfm2"): (LLAMA3,),
    ("smaug-bpe", "dbrx", "chatglm-bpe", "glm4"): (LLAMA3,),
    ("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan"): (QWEN2,),
    ("qwen35",): (QWEN35,),
    ("tekken",): (TEKKEN,),
    ("gpt-4o", "llama4"): (GPT4O,),
    ("deepseek-llm",): (
        r"[\r\n]",
        r"\s?[\p{Lu}\p{Ll}\p{Lt}]+",
        r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
        r"\s+$",
        IDEOGRAPHS,
        r"\p{N}+",
    ),
    ("deepseek-coder",): (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", IDEOGRAPHS, DIGIT),
    ("deepseek-v3", "hunyuan-dense"): (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3),
    ("bloom", "poro-chat", "gpt3-finnish"): (r" ?[^(\s|.,!?…。，、।۔،)]+",),
    ("viking",): (r" ?[^(\s|.,!?…。，、।۔،)]+", DIGIT),
    ("falcon",): (r"[\p{P}\$\+<=>\^~\|`]+", GPT2, THREE_DIGITS),
    ("default",): (r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", THREE_DIGITS),
}

PATTERNS = {name: patterns for names, patterns in _PATTERNS.items() for name in names}
"""What cuts the text, one pattern after the other, for each known value."""

WHOLE_WORDS = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "lfm2", "tekken"})
"""Values with which a word that is in the vocabulary is its token, whatever the merges say."""


def pre_tokenizer(rules: str) -> PreTokenizer:
    """Return what cuts text for a known value of `tokenizer.ggml.pre`."""
    *first, last = PATTERNS[rules]
    # The library has GPT-2's rule built in.
    cuts = [_cut(pattern) for pattern in (first if last == GPT2 else (*first, last))]
    to_bytes = ByteLevel(add_prefix_space=False, use_regex=last == GPT2)
    return Sequence([*cuts, to_bytes]) if cuts else to_bytes


PROBES = (
    "The order OP-48213 has not come; I paid 1,249.50 EUR. What now?",
    "  I'LL say it's DONE,   they're late \t tabs\there",
    "line\n\nbreaks\n  indented\n\t\n   \n1. first\n2. second\n",
    "def f(x):\n    return x**2 + 3.14159 if x >= 100000 else {'a': [1, 2, 3]}",
    "café naïve Straße 漢字とカナ 한국어 हिन्दी عربي 👩‍👧 ✅ €5 $x^2$",
)
"""Texts that rules cut differently, and that a converted model must read as its folder's tokenizer does."""


def rules_of(own: PreTokenizer | None) -> list[str]:
    """Return the known values whose rules cut the probes as a tokenizer's own do."""
    if own is None:
        return []
    wanted = _pieces(own)
    return [rules for rules in PATTERNS if _pieces(pre_tokenizer(rules)) == wanted]


def _pieces(cutter: PreTokenizer) -> list[list[str]]:
    return [[piece for piece, _ in cutter.pre_tokenize_str(text)] for text in PROBES]


def _cut(pattern: str) -> PreTokenizer:
    return Digits(individual_digits=True) if pattern == DIGIT else Split(Regex(pattern), "isolated")
