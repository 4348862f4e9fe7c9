"""The shapes that other tools document for the files that they read."""

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Interval, Len
from pydantic import ConfigDict, StringConstraints
from typing_extensions import TypedDict


class Schema(TypedDict):
    """Objects without any key besides those that are named."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]


class Function(Schema):
    name: str
    arguments: str


class Call(Schema):
    id: str
    type: Literal["function"]
    function: Function


class ToolFunction(Schema):
    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]


class Tool(Schema):
    type: Literal["function"]
    function: ToolFunction


class Asked(Schema):
    role: Literal["system", "user"]
    content: str


class Answer(Schema):
    role: Literal["assistant"]
    content: str


class Said(Schema):
    role: Literal["assistant"]
    content: str
    tool_calls: NotRequired[list[Call]]
    weight: NotRequired[Literal[0, 1]]


class Result(Schema):
    role: Literal["tool"]
    content: str
    tool_call_id: str


OpenAiMessage = Asked | Said | Result


class OpenAiChat(Schema):
    messages: list[OpenAiMessage]
    tools: NotRequired[list[Tool]]
    parallel_tool_calls: NotRequired[bool]


class OpenAiInput(Schema):
    messages: list[OpenAiMessage]
    tools: NotRequired[list[Tool]]
    parallel_tool_calls: NotRequired[bool]


class OpenAiPreference(Schema):
    input: OpenAiInput
    preferred_output: Annotated[list[Answer], Len(1, 1)]
    non_preferred_output: Annotated[list[Answer], Len(1, 1)]


class AlpacaPrompt(Schema):
    instruction: str
    input: str
    system: NotRequired[str]
    history: NotRequired[list[Annotated[list[str], Len(2, 2)]]]


class Alpaca(AlpacaPrompt):
    output: str


class AlpacaRanking(AlpacaPrompt):
    chosen: str
    rejected: str


class AlpacaKto(AlpacaPrompt):
    output: str
    kto_tag: bool


Turn = TypedDict(
    "Turn",
    {"from": Literal["system", "human", "gpt", "function_call", "observation"], "value": str},
)
GptTurn = TypedDict("GptTurn", {"from": Literal["gpt"], "value": str})


class ShareGpt(Schema):
    conversations: list[Turn]
    tools: NotRequired[str]
    system: NotRequired[str]


class Ranking(Schema):
    conversations: list[Turn]
    chosen: GptTurn
    rejected: GptTurn
    tools: NotRequired[str]
    system: NotRequired[str]


class Kto(Schema):
    messages: list[Asked | Answer]
    label: bool


class Plain(Schema):
    messages: list[Asked | Answer]


class Trained(Schema):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    train: NotRequired[bool]
    tool_calls: NotRequired[list[Any]]
    tool_call_id: NotRequired[str]


class AxolotlChat(Schema):
    messages: list[Trained]
    tools: NotRequired[list[Tool]]


class AxolotlDpo(Schema):
    messages: list[Asked | Answer]
    chosen: Answer
    rejected: Answer


class Pair(Schema):
    prompt: str
    answer1: str
    answer2: str


class Selected(Schema):
    selected: Literal["left", "right"]


class Chosen(Schema):
    from_name: str
    to_name: str
    type: Literal["pairwise"]
    value: Selected


class Annotation(Schema):
    was_cancelled: bool
    result: Annotated[list[Chosen], Len(1, 1)]


class Task(Schema):
    data: Pair
    annotations: Annotated[list[Annotation], Len(1)]


class AxolotlTexts(Schema):
    system: str


class AxolotlArgilla(AxolotlTexts):
    instruction: str
    chosen_response: str
    rejected_response: str


class AxolotlIcr(AxolotlTexts):
    input: str
    chosen: str
    rejected: str


class AxolotlIntel(AxolotlTexts):
    question: str
    chosen: str
    rejected: str


class AxolotlPromptPairs(AxolotlTexts):
    prompt: str
    chosen: str
    rejected: str


class PandaLm(Schema):
    instruction: str
    input: str
    response1: str
    response2: str
    annotator1: Literal[1, 2]


AutoJ = TypedDict("AutoJ", {"label": Literal[0, 1], "prompt": str, "response 1": str, "response 2": str})


class LlmBar(Schema):
    input: str
    output_1: str
    output_2: str
    label: Literal[1, 2]


class AlpacaEval(Schema):
    instruction: str
    output_1: str
    output_2: str
    preference: Annotated[float, Interval(ge=1, le=2)]


class ArgillaFields(Schema):
    prompt: Annotated[list[Asked | Answer], Len(1)]
    response1: str
    response2: str


class ArgillaAnswer(Schema):
    value: Literal["response1", "response2"]
    user_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    status: Literal["submitted"]


class ArgillaRecord(Schema):
    fields: ArgillaFields
    responses: dict[Literal["preference"], Annotated[list[ArgillaAnswer], Len(1, 1)]]


class Distilabel(Schema):
    prompt: str
    prompt_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    chosen: Annotated[list[Asked | Answer], Len(2)]
    rejected: Annotated[list[Asked | Answer], Len(2)]


SCHEMAS: dict[str, Any] = {
    "openai-chat": OpenAiChat,
    "openai-preference": OpenAiPreference,
    "alpaca": Alpaca,
    "llamafactory-ranking-alpaca": AlpacaRanking,
    "llamafactory-kto-alpaca": AlpacaKto,
    "sharegpt": ShareGpt,
    "llamafactory-ranking": Ranking,
    "llamafactory-kto": Kto,
    "llamafactory-messages": Plain,
    "axolotl-chat": AxolotlChat,
    "axolotl-dpo": AxolotlDpo,
    "label-studio": Task,
    "axolotl-argilla": AxolotlArgilla,
    "axolotl-icr": AxolotlIcr,
    "axolotl-intel": AxolotlIntel,
    "axolotl-prompt-pairs": AxolotlPromptPairs,
    "pandalm": PandaLm,
    "auto-j": AutoJ,
    "llmbar": LlmBar,
    "alpaca-eval": AlpacaEval,
    "argilla": ArgillaRecord,
    "distilabel": Distilabel,
}
