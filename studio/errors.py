"""The fault that a user sees: one sentence of what and where, one of what to do next."""


class StudioError(Exception):
    """Something a user can do something about.

    Attributes:
        message: what is wrong and where, one sentence.
        hint: what to do next, one sentence; empty when the message says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
