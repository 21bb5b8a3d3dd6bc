"""What is done with the value under a key."""

from enum import Enum


class Rule(Enum):
    """What is done with the value under a key. `null` and JSON's booleans are always shown."""

    SHOW = "shown, as far as the text rules let it"
    HIDE = "hidden whole, containers too"
    FLAG = "shown where it says yes or no, else hidden"
    COUNT = "shown where it is a number, a duration or a time, else hidden"
    RANDOM = "hidden where it looks random"
    KEYED = "hidden where it looks random, and is neither a UUID nor a path"
    SESSION = "hidden where it looks random, or short and mixed as no name is"
    WORD = "hidden where it looks random, or is more than words and numbers"
    PHRASE = "hidden where it is a dozen words, as those that a wallet is recovered with"
    MIXED = "hidden where it is mixed as a password is, and no path"
    CODE = "hidden where it looks random or is 4 to 8 digits as text"
    FILE = "hidden where it looks random, or is mixed as a password is and no path"
    GRANT = (
        "hidden where it looks random, is mixed as no name is, or as a device shows it: WDJB-MJHT"
    )
    TYPED = (
        "hidden where a neighbour says what it is typed into: {'target': '#password', 'text': …}"
    )
    NAMED = "hidden where a neighbour names a secret: {'name': 'password', 'value': …}"
    KIN = "hidden where a neighbour says what it is a part of: {'kty': 'EC', 'd': …}"
