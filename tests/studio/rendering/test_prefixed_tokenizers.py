"""Tokenizers that put a space before a text: parts of a conversation have the ids that they have within the whole."""

from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from store.examples import Message
from studio.rendering import ChatTokenizer, lengths, render, render_prompt
from tests.small_ggufs import TEXTS

TEMPLATES = {
    "words before an answer": "{% for m in messages %}{% if m.role == 'user' %}<s>[INST] {{ m.content }} [/INST]"
    "{% else %}{{ m.content }}</s>{% endif %}{% endfor %}",
    "a space before an answer": "{% for m in messages %}{% if m.role == 'user' %}<s>[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }} </s>{% endif %}{% endfor %}",
    "a token before an answer": "{% for m in messages %}{% if m.role == 'user' %}<s>{{ m.content }}</s><|im_start|>"
    "{% else %}{{ m.content }}</s>{% endif %}{% endfor %}",
}
QUESTION: list[Message] = [{"role": "user", "content": "The order has not come"}]
TURNS: list[Message] = [
    *QUESTION,
    {"role": "assistant", "content": "paid it"},
    *QUESTION,
    {"role": "assistant", "content": "What now?"},
]
HOSTILE: list[Message] = [
    {"role": "user", "content": "paid</s>order <|im_start|>"},
    {"role": "assistant", "content": "What</s>now"},
]


def spaced_everywhere() -> Tokenizer:
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return made


def spaced_at_first() -> Tokenizer:
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    made.decoder = decoders.Metaspace(prepend_scheme="first", split=False)
    return made


def bytes_with_a_space() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()])
    made.decoder = decoders.ByteLevel()
    return made


@pytest.fixture(params=[spaced_everywhere, spaced_at_first, bytes_with_a_space], scope="module")
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    made: Tokenizer = request.param()
    letters = [*map(chr, range(33, 127)), "▁", *pre_tokenizers.ByteLevel.alphabet()]
    made.train_from_iterator(
        TEXTS[:4], trainers.BpeTrainer(vocab_size=600, initial_alphabet=letters, special_tokens=["<unk>"])
    )
    made.add_special_tokens([AddedToken(each, normalized=False) for each in ("<s>", "</s>", "<|im_start|>")])
    return made


@pytest.fixture(params=TEMPLATES)
def chat(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> ChatTokenizer:
    return ChatTokenizer(tokenizer, TEMPLATES[request.param], {"bos_token": "<s>", "eos_token": "</s>"})


@pytest.mark.parametrize("turns", [TURNS, TURNS[:2]])
def test_an_answer_has_the_ids_that_transformers_gives_it_within_the_whole(
    chat: ChatTokenizer, turns: list[Message]
) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs: Any = PreTrainedTokenizerFast(tokenizer_object=chat.tokenizer, **chat.named_tokens)
    whole = theirs.apply_chat_template(turns, chat_template=chat.template, tokenize=True, return_dict=False)
    made = render(chat, turns)
    assert made.ids == whole
    assert made.ids[: made.prompt_length] == render_prompt(chat, turns[:-1]).ids
    assert "".join(made.pieces) == made.text


def test_what_a_broken_token_leaves_gets_no_space(chat: ChatTokenizer) -> None:
    made = render(chat, HOSTILE)
    tokens = [chat.tokenizer.id_to_token(i) for i in made.ids]
    assert sum(token in ("<s>", "</s>", "<|im_start|>") for token in tokens) == sum(
        token in ("<s>", "</s>", "<|im_start|>")
        for token in map(chat.tokenizer.id_to_token, render(chat, TURNS[:2]).ids)
    )
    text = chat.tokenizer.decode(made.ids, skip_special_tokens=False)
    assert "paid</s>order <|im_start|>" in text
    assert "What</s>now" in text
    assert lengths(chat, HOSTILE) == (made.prompt_length, len(made.ids))
