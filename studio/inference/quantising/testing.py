"""The test of one quantised model against the unquantised one: divergence, answers, checks and speed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.checks.run import score
from studio.checks.settings import Check
from studio.inference.engine import Engine, ModelKey
from studio.inference.quantising.answering import Answers, Speed, prompt_ids, speeds
from studio.inference.quantising.held_out import Question
from studio.inference.quantising.measuring import Loss, measure, rendered
from studio.inference.quantising.report import CheckChange, Regression, Test
from studio.rendering import ChatTokenizer
from studio.statistics.agreement import mcnemar_p
from studio.statistics.paired import paired_change

REGRESSIONS = 5
"""Prompts that are shown with both answers."""

SHOWN_TOKENS = 128
"""Where no check looks at an answer, its beginning shows enough."""

COMPARING, ANSWERING = 0.5, 0.4
"""Shares of the test's time, as rough as a progress line needs them; the rest times both models."""

ALL = "all checks"
"""The name of what passes each of them, where there are several."""

Answered = Mapping[int, tuple[str, str]]
"""The answers before and after, by example."""

Tell = Callable[[str, float], None]


@dataclass
class Trial:
    """What every type of a model is tested with; the unquantised model's answers are made once."""

    engine: Engine
    tokenizer: ChatTokenizer
    before: ModelKey
    questions: Sequence[Question]
    checks: Sequence[Check]
    reply_tokens: int
    key: str

    def __post_init__(self) -> None:
        self._answers = self._answers_of(self.before)

    def run(self, gguf: Path, tell: Tell) -> Test:
        """Test a quantised file.

        Raises:
            StudioError: there is nothing to test it with, or llama.cpp's process died.
        """
        quantised = self.engine.load(gguf, context=self.before.context)
        own_answers = not any(question.answer for question in self.questions)
        questions = self._with_own_answers(tell) if own_answers else self.questions
        texts = rendered(self.tokenizer, questions, self.before.context)
        doing = "comparing with 16-bit floats"
        tell(doing, 0.0)
        loss = measure(
            self.engine, quantised, self.before, texts, lambda done: tell(doing, COMPARING * done / len(texts))
        )
        answered = self._answered(self._answers_of(quantised), loss, tell)
        tell("timing both", COMPARING + ANSWERING)
        speed = self._speeds(quantised)
        return Test(
            key=self.key,
            texts=loss.texts,
            tokens=loss.tokens,
            skipped=len(self.questions) - loss.texts,
            own_answers=own_answers,
            perplexity=loss.perplexity,
            perplexity_before=loss.perplexity_before,
            mean_kl=loss.mean_kl,
            worst_kl=loss.worst_kl,
            same_top=loss.same_top,
            speed=speed.after,
            speed_before=speed.before,
            speed_ratio=speed.ratio,
            checks=changes(self.checks, self.questions, answered),
            regressions=self._regressions(answered, loss),
        )

    def _answers_of(self, model: ModelKey) -> Answers:
        # At least half of the context is the question's.
        tokens = min(self.reply_tokens if self.checks else SHOWN_TOKENS, self.reply_tokens, model.context // 2)
        return Answers(self.engine, self.tokenizer, model, tokens)

    def _with_own_answers(self, tell: Tell) -> list[Question]:
        """Let the unquantised model answer, where nobody did."""
        found = []
        for question in self.questions:
            tell("answering in 16-bit floats", 0.0)
            if reply := self._answers.to(question):
                found.append(replace(question, answer=[{"role": "assistant", "content": reply}]))
        return found

    def _answered(self, answers: Answers, loss: Loss, tell: Tell) -> dict[int, tuple[str, str]]:
        """Return both models' answers: to all prompts for the checks, else to those that differ most."""
        worst = sorted(self.questions, key=lambda question: -loss.kl_of.get(question.example, -1.0))
        asked = worst if self.checks else worst[:REGRESSIONS]
        found = {}
        for number, question in enumerate(asked):
            tell("answering held-out prompts", COMPARING + ANSWERING * number / len(asked))
            before, after = self._answers.to(question), answers.to(question)
            if before is not None and after is not None:
                found[question.example] = (before, after)
        return found

    def _speeds(self, quantised: ModelKey) -> Speed:
        prompts = (prompt_ids(self.tokenizer, question, self.before.context // 2) for question in self.questions)
        usable = [ids for ids in prompts if ids]
        return speeds(self.engine, quantised, self.before, usable) if usable else Speed(0.0, 0.0, 0.0)

    def _regressions(self, answered: dict[int, tuple[str, str]], loss: Loss) -> tuple[Regression, ...]:
        found = [
            Regression(
                example=question.example,
                asked=question.asked,
                before=answered[question.example][0],
                after=answered[question.example][1],
                kl=loss.kl_of.get(question.example, 0.0),
                lost=lost(self.checks, question, answered),
            )
            for question in self.questions
            if question.example in answered
        ]
        # What a check lost first, then what differs most; an answer that stayed the same is no regression.
        worse = [each for each in found if each.lost or each.before != each.after]
        return tuple(sorted(worse, key=lambda each: (-len(each.lost), -each.kl))[:REGRESSIONS])


def changes(checks: Sequence[Check], questions: Sequence[Question], answered: Answered) -> tuple[CheckChange, ...]:
    """Return how the share that passes changed, of each check and of all together."""
    asked = [question for question in questions if question.example in answered]
    if not asked or not checks:
        return ()
    by_check = {check.name: [_passed(check, question, answered) for question in asked] for check in checks}
    if len(checks) > 1:
        together = zip(*by_check.values(), strict=True)
        by_check[ALL] = [(all(b for b, _ in one), all(a for _, a in one)) for one in together]
    return tuple(_change(name, pairs) for name, pairs in by_check.items())


def lost(checks: Sequence[Check], question: Question, answered: Answered) -> tuple[str, ...]:
    """Return the checks that the answer before passes and the one after does not."""
    passed = {check.name: _passed(check, question, answered) for check in checks}
    return tuple(name for name, (before, after) in passed.items() if before and not after)


def _passed(check: Check, question: Question, answered: Answered) -> tuple[bool, bool]:
    before, after = (score(check, reply, question.fields) >= 1 for reply in answered[question.example])
    # What counts below 0 is a fault: it passes where it is not found.
    return (before, after) if check.weight > 0 else (not before, not after)


def _change(name: str, pairs: Sequence[tuple[bool, bool]]) -> CheckChange:
    lost_now, won_now = pairs.count((True, False)), pairs.count((False, True))
    change = paired_change(pairs.count((True, True)), lost_now, won_now, pairs.count((False, False)))
    return CheckChange(
        name=name,
        of=len(pairs),
        passed_before=sum(before for before, _ in pairs),
        passed=sum(after for _, after in pairs),
        change=change.value,
        low=change.low,
        high=change.high,
        p=mcnemar_p(lost_now, won_now),
    )
