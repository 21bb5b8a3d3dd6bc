"""Which passwords are refused: those that everybody tries first.

Length is what counts, so there are no rules about kinds of characters. Of the passwords known to be
common, few have 12 characters: `common_passwords.sha256` has them, from the lists that zxcvbn and
Django carry. Others are common ones made longer by simple means, and are recognised by what is left
when the means are taken away.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from app.product import NAME, SLUG

# Words that lists of common passwords are made of, and runs on keyboards, in both languages.
_WORDS: Final = """
password passwort passw0rd pass word pa55word p4ssword admin administrator root user guest
login welcome letmein iloveyou loveyou love princess sunshine monkey dragon football baseball
soccer basketball superman batman pokemon naruto starwars master shadow ashley michael jordan
hunter killer charlie freedom whatever trustno computer internet secret security changeme
default temporary temp test testing tester sample example demo hello helloworld goodmorning
google apple microsoft windows samsung facebook qwerty qwertyuiop qwertz azerty asdf asdfgh
asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc qweasd qweasdzxc wasd abc abcd abcde abcdef abcdefg
abcdefgh abcdefghijkl abcdefghijklmnop aaa company mypassword thisismypassword yourpassword
newpassword oldpassword thepassword correcthorsebatterystaple japan tokyo osaka sakura nippon
pasuwado himitsu aishiteru arigato arigatou konnichiwa ohayou doraemon pikachu summer winter
spring autumn january february march april may june july august september october november
december monday tuesday wednesday thursday friday saturday sunday
"""
_NO_LETTERS: Final = re.compile(r"[\W\d_]+")
_PRODUCT: Final = {_NO_LETTERS.sub("", name.lower()) for name in (NAME, SLUG)}
_COMMON: Final = frozenset({*_WORDS.split(), *_PRODUCT})
_KNOWN: Final = Path(__file__).parent / "common_passwords.sha256"
"""A line for each, the beginning of its hash: nobody should have to read what some of them say."""
_DIGITS: Final = 12
_LEET: Final = str.maketrans("013457@$!", "oleastasi")
_RUNS: Final = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


def is_common(password: str) -> bool:
    """Whether a password is among those that are tried first."""
    plain = "".join(password.lower().split())
    if len(set(plain)) < 5 or _repeats(plain) or any(plain in run for run in _RUNS):
        return True
    if hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS] in _known():
        return True
    for text in (plain, re.sub(r"[\W\d_]+$", "", plain).translate(_LEET)):
        bare = _NO_LETTERS.sub("", text)
        if not bare or _made_of_common(bare):
            return True
    return False


@cache
def _known() -> frozenset[str]:
    return frozenset(_KNOWN.read_text("ascii").split())


def _repeats(text: str) -> bool:
    """Whether it is one short piece again and again: found where it stands inside its double."""
    return (text + text).find(text, 1) < min(len(text), 7)


def _made_of_common(text: str) -> bool:
    """Whether it is one common word, or the same or another common word behind it."""
    return text in _COMMON or any(
        text[:cut] in _COMMON and text[cut:] in _COMMON for cut in range(3, len(text) - 1)
    )
