"""A template in the making: its texts one after another, each of them to be edited by itself."""

from dataclasses import dataclass, replace

from studio.settings import FewShot, ResponseTemplate, TemplateSettings, TurnTemplate

ROLES = ("system", "user", "assistant", "tool", "messages", "prompt")
"""The roles of turns; the last two name a field that holds a list of turns."""

SINGLE = ("name", "system", "tools", "schema", "verdict", "comment", "rater", "examples_for")
"""The texts that a template has one of, at most."""

ADDABLE: dict[str, str] = {
    "turn": "a turn after this one",
    "system": "a system prompt, in the place of what the records bring",
    "few-shot": "an example of this project, shown before each prompt",
    "response": "a response: one of several candidate answers",
    "author": "whose the response is",
    "label": "whether the response is good: true or false",
    "verdict": "the better of two: left, right, tie, both_bad or skip",
    "tools": "the tools that the model may call, as a JSON list",
    "schema": "what every answer must fit; {{ json_schema }} writes it out",
    "comment": "a remark on the verdict",
    "rater": "who gave the verdict",
    "examples_for": "a question: approved examples nearest to it are shown first",
}
"""What can be added, with what it is."""


@dataclass
class DraftPart:
    """One text of a template."""

    kind: str
    text: str = ""
    role: str = ""
    """Of a turn."""
    few_shot: FewShot | None = None
    """Of an example that is shown: taken as it is."""


class TemplateDraft:
    """The texts in the order in which they are walked through."""

    def __init__(self, template: TemplateSettings) -> None:
        self._files = {
            "tools": (template.tools, template.tools_file),
            "schema": (template.schema, template.schema_file),
        }
        self._examples = template.examples
        self.parts = [DraftPart("name", template.name)]
        self.parts += [DraftPart("system", template.system)] if template.system else []
        self.parts += [DraftPart("few-shot", few_shot=shown) for shown in template.few_shot]
        self.parts += [DraftPart("turn", turn.content, turn.role) for turn in template.turns]
        for response in template.responses:
            self.parts.append(DraftPart("response", response.content))
            self.parts += [DraftPart(k, t) for k in ("author", "label") if (t := getattr(response, k))]
        self.parts += [DraftPart(k, t) for k in SINGLE[2:] if (t := getattr(template, k))]

    @property
    def template(self) -> TemplateSettings:
        """The template as it stands."""
        single = {part.kind: part.text for part in self.parts if part.kind in SINGLE}
        for kind, (text, file) in self._files.items():
            # A text that was changed here is no longer what the file says.
            if file and single.get(kind) == text:
                single[f"{kind}_file"] = file
        return TemplateSettings(
            turns=tuple(TurnTemplate(part.role, part.text) for part in self.parts if part.kind == "turn"),
            responses=self._responses(),
            few_shot=tuple(part.few_shot for part in self.parts if part.few_shot),
            examples=self._examples,
            **{**single, "name": single.get("name", "").strip() or "plain"},
        )

    def _responses(self) -> tuple[ResponseTemplate, ...]:
        found: list[ResponseTemplate] = []
        for part in self.parts:
            if part.kind == "response":
                found.append(ResponseTemplate(part.text))
            elif part.kind == "author" and found:
                found[-1] = replace(found[-1], author=part.text)
            elif part.kind == "label" and found:
                found[-1] = replace(found[-1], label=part.text)
        return tuple(found)

    def label(self, at: int) -> str:
        """Return what a part is called: turns by their role, what there are several of with its number."""
        part = self.parts[at]
        number = sum(other.kind == part.kind for other in self.parts[: at + 1])
        if part.kind == "turn":
            return f"{number} {part.role}"
        return f"{part.kind} {number}" if part.kind in ("response", "few-shot") else part.kind

    def at(self, fault: str) -> int | None:
        """Return the part that a fault is in, by the name that faults give it."""
        kind, _, number = fault.partition(" ")
        if " of " in fault:
            kind, _, number = fault.partition(" of response ")
        wanted, seen, responses = int(number) if number.isdecimal() else 1, 0, 0
        for at, part in enumerate(self.parts):
            responses += part.kind == "response"
            seen += part.kind == kind
            if part.kind == kind and (responses if kind in ("author", "label") else seen) == wanted:
                return at
        return None

    def addable(self, at: int) -> list[str]:
        """Return the kinds that can be added where one is."""
        present = {part.kind for part in self.parts}
        in_response = self.parts[at].kind in ("response", "author", "label")
        taken = self._siblings(at) if in_response else {"author", "label"}
        return [kind for kind in ADDABLE if kind not in taken and not (kind in SINGLE and kind in present)]

    def _siblings(self, at: int) -> set[str]:
        start = max(i for i in range(at + 1) if self.parts[i].kind == "response")
        found = set()
        for part in self.parts[start + 1 :]:
            if part.kind not in ("author", "label"):
                break
            found.add(part.kind)
        return found

    def add(self, kind: str, at: int, few_shot: FewShot | None = None) -> int:
        """Add a part after the one at `at`, or where its kind belongs; return where it is."""
        part = DraftPart(kind, few_shot=few_shot)
        if kind == "turn":
            here = self.parts[at]
            part.role = "assistant" if here.kind == "turn" and here.role == "user" else "user"
            place = at + 1 if here.kind == "turn" else self._end_of("name", "system", "few-shot", "turn")
        elif kind in ("author", "label"):
            place = at + 1
        else:
            place = self._end_of(*_BEFORE[kind])
        self.parts.insert(place, part)
        return place

    def _end_of(self, *kinds: str) -> int:
        return max(at for at, part in enumerate(self.parts) if part.kind in kinds) + 1

    def remove(self, at: int) -> bool:
        """Remove a part, of a response all of it; the name and the only turn stay. Tell whether it went."""
        part = self.parts[at]
        if part.kind == "name" or (part.kind == "turn" and sum(p.kind == "turn" for p in self.parts) == 1):
            return False
        end = at + 1
        while part.kind == "response" and end < len(self.parts) and self.parts[end].kind in ("author", "label"):
            end += 1
        del self.parts[at:end]
        return True

    def next_role(self, at: int) -> bool:
        """Let another speak a turn; tell whether it is one."""
        part = self.parts[at]
        if part.kind != "turn":
            return False
        part.role = ROLES[(ROLES.index(part.role) + 1) % len(ROLES)] if part.role in ROLES else ROLES[0]
        return True


_TURNS = ("name", "system", "few-shot", "turn")
_RESPONSES = (*_TURNS, "response", "author", "label")
_BEFORE: dict[str, tuple[str, ...]] = {
    "system": ("name",),
    "few-shot": ("name", "system", "few-shot"),
    "response": _RESPONSES,
    **{kind: (*_RESPONSES, *SINGLE[2 : SINGLE.index(kind)]) for kind in SINGLE[2:]},
}
"""After which kinds each kind stands."""
