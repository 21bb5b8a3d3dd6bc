"""Card numbers in text: digits that a card network gave out and that pass Luhn's test."""

import re
from typing import Final

from app.lib.tracelog.redaction.plain import MARKER

_DIGITS: Final = re.compile(r"[0-9]++(?:[ \-\u2010-\u2015\u2212\u3000][0-9]++)*+")
_SEPARATED: Final = re.compile(
    r"(?<![0-9./_])[0-9]{4}([./_])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9./_][0-9])(?![0-9])"
)
_BEHIND: Final = re.compile(
    r"\[redacted\](?:=[0-9]{7,40}\??|\^[^\^\n]{2,26}\^[0-9]{7,40}\??"
    r"|[ ,|]{1,3}[01]?[0-9][/|\-](?:20)?[0-9]{2}[ ,|]{1,3}[0-9]{3,4}(?![0-9]))"
)
"""What a magnetic stripe holds behind the number, and the date and the code of a card."""
_GROUP: Final = re.compile(r"[0-9]+")
_IBAN: Final = re.compile(
    r"[A-Z](?<![A-Za-z0-9].)[A-Z][0-9]{2} ?(?:[A-Z0-9]{4} ?){2,6}[A-Z0-9]{1,4}(?![A-Za-z0-9])"
)
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK", 21: "CH CR HR LI LV", 22: "BG BH DE GB GE IE ME RS VA",
        23: "AE IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
        26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_FULL_WIDTH: Final = {ord("０") + digit: str(digit) for digit in range(10)} | {
    ord("－"): "-",
    ord("ー"): "-",
    ord("　"): " ",
}


def hide_cards(text: str) -> str:
    """Text without card numbers, 14 to 19 digits that a card network gave out and Luhn confirms,
    and without IBANs of as many digits.
    """
    shown, end, is_long = [], 0, False
    for run in _DIGITS.finditer(text if text.isascii() else text.translate(_FULL_WIDTH)):
        if run.end() - run.start() < 14 or _is_fraction(text, run.start()):
            continue
        is_long = True
        groups = list(_GROUP.finditer(run[0]))
        first = 0
        while first < len(groups):
            size = _card_groups(groups, first)
            if size:
                shown += [text[end : run.start() + groups[first].start()], MARKER]
                end = run.start() + groups[first + size - 1].end()
            first += size or 1
    if not shown:
        text = _SEPARATED.sub(_hide_separated, text) if _has_separator(text) else text
        return hide_accounts(text) if is_long else text
    return hide_accounts(_BEHIND.sub(MARKER, "".join([*shown, text[end:]])))


def hide_accounts(text: str) -> str:
    """Text without IBANs: letters and digits of a country's length that add up."""
    return _IBAN.sub(lambda match: MARKER if _is_iban(match[0]) else match[0], text)


def _is_iban(text: str) -> bool:
    text = text.replace(" ", "")
    if _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def _has_separator(text: str) -> bool:
    return "." in text or "/" in text or "_" in text


def _hide_separated(match: re.Match[str]) -> str:
    return MARKER if is_card(match[0].replace(match[1], "")) else match[0]


def _is_fraction(text: str, at: int) -> bool:
    return at >= 2 and text[at - 1] == "." and text[at - 2].isdigit()


def _card_groups(groups: list[re.Match[str]], first: int) -> int:
    """How many groups of digits from `first` on make up a card's number; 0 for none."""
    digits = ""
    for index in range(first, len(groups)):
        digits += groups[index][0]
        if len(digits) > 19:
            return 0
        if len(digits) >= 14 and is_card(digits):
            return index - first + 1
    return 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's number."""
    return _has_card_prefix(digits) and _passes_luhn(digits)


def _has_card_prefix(digits: str) -> bool:
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if size == 16:
        return (
            digits[0] == "4"
            or 51 <= two <= 55
            or 2221 <= four <= 2720
            or two in {60, 62, 64, 65}
            or 3528 <= four <= 3589
        )
    if size == 15:
        return two in {34, 37}
    if size == 14:
        return two in {36, 38, 39} or 300 <= int(digits[:3]) <= 305
    return 17 <= size <= 19 and two == 62


def _passes_luhn(digits: str) -> bool:
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0
