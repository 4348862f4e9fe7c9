"""A mapping in the making: the columns and codes of a file, what each means so far, and what a row becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from screens.widgets.conversation import message_text
from screens.widgets.table import Row as Line
from screens.widgets.text_view import Span
from store.examples import Message, prompt_of
from store.pairs import Verdict
from studio import templates
from studio.errors import StudioError
from studio.file_look import ColumnLook, FileLook
from studio.formats.row import Judgement, Row, RowError
from studio.mapped_rows import by_columns
from studio.mapping import FIELDS, MEANINGS, Mapping, meaning_of
from studio.project import Project
from studio.reading import Fields, choose, unexplained

LONGEST_SHOWN = 2000
"""Characters of a text in the preview: enough to know what it is."""

KINDS = {"true or false": "yes/no", "nothing": "empty"}

VERDICT_WORDS: dict[str, str] = {
    "left": "the first answer is better",
    "right": "the second answer is better",
    "tie": "both are as good",
    "both_bad": "both are bad",
    "skip": "nobody could say",
}


@dataclass(frozen=True)
class Subject:
    """What can be given a meaning: a column, or a verdict code."""

    name: str
    column: ColumnLook | None = None

    @property
    def meanings(self) -> dict[str, str]:
        """What it can mean, with what that is."""
        return FIELDS if self.column else VERDICT_WORDS


class Draft:
    """What a person has said so far, beginning with what could be guessed."""

    def __init__(self, project: Project, look: FileLook) -> None:
        self.look = look
        self._project = project
        self._columns = dict(look.guess.columns)
        self._verdicts: dict[str, Verdict] = dict(look.guess.verdicts)

    @property
    def mapping(self) -> Mapping:
        """The mapping as it stands; meanings of codes that are in no chosen column are left out."""
        codes = self.look.codes_for(Mapping(self._columns))
        return Mapping(dict(self._columns), {code: v for code, v in self._verdicts.items() if code in codes})

    @property
    def subjects(self) -> list[Subject]:
        """The verdict codes to explain, then the columns."""
        codes = self.look.codes_for(Mapping(self._columns))
        return [*map(Subject, codes), *(Subject(column.path, column) for column in self.look.columns)]

    def meaning(self, subject: Subject) -> str:
        """Return what a column or a code means so far; empty for nothing."""
        if subject.column is None:
            return self._verdicts.get(subject.name, "")
        return next((field for field, column in self._columns.items() if column == subject.name), "")

    def give(self, subject: Subject, meaning: str) -> None:
        """Give a column or a code a meaning, or none; a field is taken from the column that had it."""
        if subject.column is None:
            self._verdicts.pop(subject.name, None)
            if meaning:
                self._verdicts[subject.name] = MEANINGS[meaning]
            return
        self._columns = {f: c for f, c in self._columns.items() if c != subject.name and f != meaning}
        if meaning:
            self._columns[meaning] = subject.name

    def cycle(self, subject: Subject, step: int) -> None:
        """Give the next meaning that no other column has; after the last one none."""
        taken = set() if subject.column is None else set(self._columns) - {self.meaning(subject)}
        free = ["", *(name for name in subject.meanings if name not in taken)]
        self.give(subject, free[(free.index(self.meaning(subject)) + step) % len(free)])

    def use(self, mapping: Mapping) -> None:
        """Take a mapping that was kept, in the place of what was said."""
        self._columns, self._verdicts = dict(mapping.columns), dict(mapping.verdicts)

    def state(self) -> tuple[bool, str]:
        """Return whether the file can be imported so, and what stands in the way or what would come of it."""
        mapping = self.mapping
        unclear = unexplained(self.look.codes_for(mapping), mapping)
        if unclear:
            return False, f"Say what the verdict codes mean: {', '.join(unclear)}."
        try:
            reading = choose(self._project, self.look.path, list(self.look.sample), None, mapping)
        except StudioError as error:
            return False, error.message
        if not reading.read:
            return False, "Nothing is said yet: give a column a meaning, or press p to keep plain records."
        made, reason = self._made(reading.read)
        rows = f"of the first {len(self.look.sample)} rows"
        if not made:
            return False, f"None {rows} would become an example: {reason}."
        others = len(self.look.sample) - made
        which = "1 does not" if others == 1 else f"{others} do not; the first"
        return True, f"Ready: {made} {rows} become examples." + (f" {which}: {reason}." if others else "")

    def _made(self, read: Callable[[Fields], Row]) -> tuple[int, str]:
        """Return how many rows of the sample can be read, and why the first of the others can't."""
        made, first_reason = 0, ""
        for fields in self.look.sample:
            try:
                read(fields)
                made += 1
            except RowError as reason:
                first_reason = first_reason or str(reason)
        return made, first_reason

    def line(self, subject: Subject) -> Line:
        """Return the line of a column or a code in the list."""
        meaning = self.meaning(subject)
        if subject.column is None:
            return Line((f"code {subject.name}", meaning or "?", "code", "", VERDICT_WORDS.get(meaning, "say what")))
        kind = KINDS.get(subject.column.kind, subject.column.kind)
        lacking = f"{subject.column.missing:,}" if subject.column.missing else ""
        return Line((subject.name, meaning or "-", kind, lacking, " | ".join(subject.column.samples)))

    def preview(self, number: int) -> list[Span]:
        """Return what one of the sample's rows becomes, or the reason why it becomes nothing."""
        try:
            row = self._row(number)
        except StudioError as error:
            return [Span(f"{error.message} {error.hint}", "italic")]
        except RowError as reason:
            return [Span(f"no example: {reason}", "italic")]
        if row is None:
            return [Span("a plain record, no example: no column has a meaning", "italic")]
        return self._spans(row)

    def _row(self, number: int) -> Row | None:
        fields, mapping, look = self.look.sample[number], self.mapping, self.look
        if mapping.columns:
            return by_columns(mapping)(fields)
        if look.format:
            return look.format.read(fields)
        own = self._project.settings.template
        return templates.apply(own, fields) if own and look.by_template else None

    def _spans(self, row: Row) -> list[Span]:
        judged = partial(_judgement_words, verdicts=self.mapping.verdicts)
        heading = [f"verdict: {VERDICT_WORDS[row.verdict]}"] if row.verdict else []
        heading += [f"verdict: {judged(judgement)}" for judgement in row.judgements]
        heading += [f"problem: {row.problem}"] if row.problem else []
        spans = [Span(f"{line}\n", "italic") for line in heading]
        prompt = prompt_of(row.messages)
        spans += [span for message in row.messages for span in _turn(str(message["role"]), message)]
        for number, candidate in enumerate(row.candidates, 1):
            words = [f"answer {number}" if len(row.candidates) > 1 else "answer", candidate.author]
            words += [{True: "labelled good", False: "labelled bad", None: ""}[candidate.label]]
            spans += [s for m in candidate.messages for s in _turn(", ".join(filter(None, words)), m)]
        if len(prompt) == len(row.messages) and not row.candidates:
            spans.append(Span("no answer yet\n", "italic"))
        return spans


def _judgement_words(judgement: Judgement, verdicts: dict[str, Verdict]) -> str:
    meaning = judgement.verdict or meaning_of(judgement.code, verdicts)
    words = VERDICT_WORDS[meaning] if meaning else "not explained yet"
    said = f"{judgement.code}, {words}" if judgement.code else words
    return f"{judgement.rater} says {said}" if judgement.rater else said


def _turn(title: str, message: Message) -> list[Span]:
    text = message_text(message)
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
    return [Span(f"{title}: ", "bold"), Span(f"{shown}\n")]
