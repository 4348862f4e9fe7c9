"""How llama-cpp-python's server turns a conversation into ids: by the one renderer, with its stop tokens."""

import json
from collections.abc import Callable
from typing import Any

from studio.errors import StudioError
from studio.rendering import ChatTokenizer, render_prompt
from studio.serving import forms
from studio.serving.bodies import gone
from studio.serving.guard import fault

NAME = "tuning-studio"
"""Under which the handler is registered with llama-cpp-python."""

_OF_CHAT = ("functions", "function_call", "tool_choice", "response_format", "logprobs", "top_logprobs")


def register(name: str, tokenizer: ChatTokenizer, system: str) -> None:
    """Tell llama-cpp-python of the handler."""
    from llama_cpp.llama_chat_format import register_chat_completion_handler

    register_chat_completion_handler(NAME)(handler(name, tokenizer, system))


def handler(name: str, tokenizer: ChatTokenizer, system: str) -> Callable[..., Any]:
    """Return what answers a chat request, under the name that is served."""

    def answer(*, llama: Any, messages: list[dict[str, Any]], tools: Any = None, **asked: Any) -> Any:
        from llama_cpp.llama_chat_format import _convert_completion_to_chat

        try:
            ids = prompt_ids(tokenizer, messages, tools, system)
            options = _options(llama, tokenizer, asked, len(ids))
        except StudioError as error:
            if asked.get("stream"):
                # The answer has begun by now, with status 200; clients know this form of a fault in it.
                return iter([{"error": fault(str(error))}])
            raise _refused(str(error)) from error
        return _convert_completion_to_chat(
            llama.create_completion(prompt=ids, **{**options, "model": name}), stream=bool(options.get("stream"))
        )

    return answer


def _options(llama: Any, tokenizer: ChatTokenizer, asked: dict[str, Any], length: int) -> dict[str, Any]:
    if length >= llama.n_ctx():
        raise StudioError(f"The conversation has {length:,} tokens; the context holds {llama.n_ctx():,}.")
    if asked.get("logprobs"):
        # With all logits kept the server would take many times the memory.
        raise StudioError("Log-probabilities are not served; the raw window of Chat shows them.")
    options = {name: value for name, value in asked.items() if name not in _OF_CHAT}
    if grammar := forms.grammar_of(asked.get("response_format"), llama._model.vocab):
        options["grammar"] = grammar
    if (left := gone.get()) is not None:
        # A client that waits for the whole answer may leave too.
        options["stopping_criteria"] = lambda _ids, _logits: left.is_set()
    options["logits_processor"] = _ending(llama, tokenizer, options.get("logits_processor"))
    return options


def prompt_ids(tokenizer: ChatTokenizer, messages: list[dict[str, Any]], tools: Any, system: str) -> list[int]:
    """Return a conversation's ids, the project's system prompt before it where it brings none.

    Raises:
        StudioError: the template refuses it, or it holds more than text.
    """
    if not messages:
        raise StudioError("There is no message to answer.")
    turns = [_turn(message) for message in messages]
    if system and not any(turn["role"] == "system" for turn in turns):
        turns.insert(0, {"role": "system", "content": system})
    return render_prompt(tokenizer, turns, tools).ids


def _turn(message: dict[str, Any]) -> dict[str, Any]:
    """Return a turn as templates and training know it: text as one string, arguments as objects."""
    turn = dict(message)
    if isinstance(turn.get("content"), list):
        parts = turn["content"]
        if any(part.get("type") != "text" for part in parts):
            raise StudioError("Only text can be asked.")
        turn["content"] = "".join(part["text"] for part in parts)
    if turn.get("tool_calls"):
        turn["tool_calls"] = [_call(call) for call in turn["tool_calls"]]
    return turn


def _call(call: dict[str, Any]) -> dict[str, Any]:
    arguments = call["function"].get("arguments")
    try:
        found = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        found = arguments
    return {**call, "function": {**call["function"], "arguments": found}}


def _ending(llama: Any, tokenizer: ChatTokenizer, others: Any) -> Any:
    """Return what makes the tokens that end an answer here end it in llama.cpp too, which knows its own alone.

    Their probability is given to the one that it knows.
    """
    import numpy as np
    from llama_cpp import LogitsProcessorList, llama_vocab_is_eog

    vocabulary, end = llama._model.vocab, llama.token_eos()
    unknown = [i for i in tokenizer.eos_ids if not llama_vocab_is_eog(vocabulary, i)]
    if not unknown or end < 0:
        return others

    def gathered(_: Any, scores: Any) -> Any:
        scores[end] = np.logaddexp.reduce(scores[[end, *unknown]])
        scores[unknown] = -np.inf
        return scores

    return LogitsProcessorList([*(others or ()), gathered])


def _refused(why: str) -> Exception:
    from fastapi import HTTPException

    return HTTPException(status_code=400, detail=why)
