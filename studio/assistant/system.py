"""The system prompt that says what a project's assistant is for."""

from studio.assistant.settings import AssistantSettings
from studio.project import Project


def system_of(project: Project) -> str:
    """Return the project's system prompt, for chat, for serving, for bundles; empty where it states none."""
    return system_text(project.settings.assistant)


def system_text(assistant: AssistantSettings) -> str:
    """Return the system prompt as it was written, or else made of the assistant's name, purpose, refusals and tone."""
    if assistant.system:
        return assistant.system
    return "\n".join(part for part in (_who(assistant), _limits(assistant), _tone(assistant)) if part)


def _who(assistant: AssistantSettings) -> str:
    who = f"You are {assistant.name}." if assistant.name else ""
    purpose = f"Your purpose: {_sentence(assistant.purpose)}" if assistant.purpose else ""
    return " ".join(part for part in (who, purpose) if part)


def _limits(assistant: AssistantSettings) -> str:
    if not assistant.refuses:
        return ""
    listed = "\n".join(f"- {each}" for each in assistant.refuses)
    how = (
        f"Then answer: {assistant.refusal}" if assistant.refusal else "Then say briefly that you can't help with that."
    )
    return f"You must refuse:\n{listed}\n{how}"


def _tone(assistant: AssistantSettings) -> str:
    return f"Tone: {_sentence(assistant.tone)}" if assistant.tone else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
