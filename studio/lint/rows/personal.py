"""What may be personal data or a secret, and its redaction."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from store.examples import Message
from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import changed, excerpt, texts_of


class Stretch(NamedTuple):
    """A stretch of text that may be personal data."""

    kind: str
    """What it is, and what stands in its place once it is redacted: EMAIL."""
    start: int
    end: int


_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b")

_RESERVED = (".example", ".invalid", ".test", ".localhost")
"""Ends of domains that nobody can have."""

_DIGITS = re.compile(r"\d[\d .()/-]{5,}\d")
"""What every number of a telephone, card or account, and every address of four bytes, has in it."""

_CARD = re.compile(
    r"(?<![\w.+-])(?:\d{16}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3[47]\d{13}|3[47]\d\d([ -])\d{6}\2\d{5})(?![\w-]|\.\d)"
)
_CARD_STARTS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|35|6(?:011|4[4-9]|5)")
_LONG_NUMBER = re.compile(r"(?<![\w.+-])\d{3,}(?:[ -]\d{3,})*(?!\w|\.\d)")
"""Digits in groups, or in one."""
_CARD_DIGITS = range(13, 20)
"""How many digits a card's number may have."""
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_PHONE = re.compile(
    r"(?<![\w.+])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}"
    r"|(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4})(?![\w-]|\.\d)"
)
"""International numbers, and North America's as people set them apart there; other digits are too often sums."""

_SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^-]*(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----)?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}"
    r"|\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{32,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}"
    r"|\b[rs]k_live_[0-9A-Za-z]{20,}|\bSG\.[\w-]{20,24}\.[\w-]{39,50}|\bnpm_[A-Za-z0-9]{36}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
)
_SECRET_SIGNS = (
    *("PRIVATE KEY-", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("sk-", "_live_", "hf_", "xox", "AIza", "SG.", "npm_", "eyJ"),
)
"""One of these stands in every secret: they are found sooner than the whole pattern."""


_NAMES = {"EMAIL": "e-mail", "PHONE": "telephone", "CARD": "card", "IBAN": "account", "IP": "IP address"}


def stretches(text: str) -> list[Stretch]:
    """Return what may be personal data in a text, in order and not overlapping."""
    finders = (_emails, _ibans, _cards, _addresses, _phones)
    candidates = sorted((stretch for find in finders for stretch in find(text)), key=lambda stretch: stretch.start)
    found: list[Stretch] = []
    for stretch in candidates:
        if not found or stretch.start >= found[-1].end:
            found.append(stretch)
    return found


def _emails(text: str) -> Iterator[Stretch]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not match[0].endswith(_RESERVED):
                yield Stretch("EMAIL", *match.span())


def _ibans(text: str) -> Iterator[Stretch]:
    for match in _IBAN.finditer(text):
        from stdnum import iban

        if iban.is_valid(match[0]):
            yield Stretch("IBAN", *match.span())


def _cards(text: str) -> Iterator[Stretch]:
    for match in _CARD.finditer(text):
        if _CARD_STARTS.match(match[0]) and _has_check_digit(match[0]):
            yield Stretch("CARD", *match.span())


def _has_check_digit(number: str) -> bool:
    """Tell whether the last digit is right by Luhn's rule, and the digits are not nearly all the same."""
    from stdnum import luhn

    digits = number.replace(" ", "").replace("-", "")
    return len(set(digits)) > 3 and bool(luhn.is_valid(digits))


def _addresses(text: str) -> Iterator[Stretch]:
    for match in _ADDRESS.finditer(text):
        try:
            is_real = ip_address(match[0]).is_global
        except ValueError:
            continue
        # Versions of programs have four small numbers too, and everybody knows the public name servers.
        if is_real and match[0] not in ("8.8.8.8", "8.8.4.4", "1.1.1.1") and max(map(int, match[0].split("."))) > 31:
            yield Stretch("IP", *match.span())


def _phones(text: str) -> Iterator[Stretch]:
    for match in _PHONE.finditer(text):
        from phonenumbers import NumberParseException, is_valid_number, parse

        try:
            is_real = is_valid_number(parse(match[0], "US"))
        except NumberParseException:
            continue
        if is_real:
            yield Stretch("PHONE", *match.span())


def _personal(subject: Subject, _: Context) -> Iterator[str]:
    texts = texts_of(subject)
    if "@" not in texts.whole and not _DIGITS.search(texts.whole):
        return
    for passage in texts.passages:
        found = stretches(passage.text)
        for kind, times in Counter(stretch.kind for stretch in found).items():
            first = next(stretch for stretch in found if stretch.kind == kind)
            more = f" and {times - 1:,} more" if times > 1 else ""
            yield f"{passage.where}: {_NAMES[kind]} {excerpt(passage.text, first.start, first.end)}{more}"


def _possible_card(subject: Subject, _: Context) -> Iterator[str]:
    if not _DIGITS.search(texts_of(subject).whole):
        return
    for passage in texts_of(subject).passages:
        if found := _first_like_a_card(passage.text):
            yield f"{passage.where}: {excerpt(found)}"


def _first_like_a_card(text: str) -> str:
    """Return the first number as long as a card's whose check digit is right, but that is not plainly a card's."""
    for match in _LONG_NUMBER.finditer(text):
        is_long = len(match[0]) >= _CARD_DIGITS[0] and sum(map(str.isdecimal, match[0])) in _CARD_DIGITS
        if is_long and _has_check_digit(match[0]) and not _is_told(text, match):
            return match[0]
    return ""


def _is_told(text: str, match: re.Match[str]) -> bool:
    return any(found.start < match.end() and match.start() < found.end for found in stretches(text))


def _secret(subject: Subject, _: Context) -> Iterator[str]:
    whole = texts_of(subject).whole
    if any(sign in whole for sign in _SECRET_SIGNS) and _SECRETS.search(whole):
        for passage in texts_of(subject).passages:
            # A key that is shown is a key that is told: its beginning says which service to ask for a new one.
            if match := _SECRETS.search(passage.text):
                yield f"{passage.where}: {match[0][:8]}... ({len(match[0]):,} characters)"


def _redact(message: Message) -> Message:
    return changed(message, _redacted)


def _redacted(text: str) -> str:
    for stretch in reversed(stretches(text)):
        text = f"{text[: stretch.start]}[{stretch.kind}]{text[stretch.end :]}"
    return text


def _redact_secrets(message: Message) -> Message:
    return changed(message, lambda text: _SECRETS.sub("[SECRET]", text))


CHECKS = (
    OfRow(
        Check(
            "personal-data",
            "texts with what may be personal data",
            "E-mail addresses, telephone, card and account numbers (their check digits are right) and IP addresses:"
            " a model can say them to anybody. Names and postal addresses are not looked for.",
            "warning",
            fix="writes [EMAIL], [PHONE] and the like in their place; the record keeps the original",
        ),
        _personal,
        _redact,
    ),
    OfRow(
        Check(
            "possible-card",
            "long numbers that pass the check of a card's number",
            "Their last digit is right, but they are not written or do not begin as cards do. One long number in ten"
            " is like that by chance, sums and serial numbers too, so see for yourself before you exclude any.",
            "info",
        ),
        _possible_card,
    ),
    OfRow(
        Check(
            "secret",
            "texts with what looks like a key or a password's token",
            "Private keys and access tokens of known services: a model can say them to anybody.",
            "error",
            fix="writes [SECRET] in their place; the record keeps the original",
        ),
        _secret,
        _redact_secrets,
    ),
)
