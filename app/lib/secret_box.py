"""What the app keeps and must not be read by whoever reads the database or a cookie: encrypted."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PROCESS_SECRET: Final = secrets.token_hex()


class SecretBox:
    """Encrypts and signs with keys made from the app's secret, one for each `purpose`.

    Without a secret it is good for this process only: what it sealed cannot be opened by the next.
    """

    def __init__(self, secret: str) -> None:
        self._secret = (secret or _PROCESS_SECRET).encode()
        self._fernets: dict[str, Fernet] = {}

    def seal(self, purpose: str, text: str) -> str:
        """`text` encrypted, with the time in it, in characters that cookies may have."""
        return self._fernet(purpose).encrypt(text.encode()).decode()

    def open(self, purpose: str, sealed: str, *, max_age: int | None = None) -> str | None:
        """What was sealed for the same purpose, `max_age` seconds ago at most; else None."""
        try:
            return self._fernet(purpose).decrypt(sealed.encode(), ttl=max_age).decode()
        except (InvalidToken, UnicodeError):
            return None

    def digest(self, purpose: str, text: str) -> str:
        """A keyed SHA-256, in hex: equal texts can be found, not guessed."""
        return hmac.digest(self._key(purpose), text.encode(), "sha256").hex()

    def _fernet(self, purpose: str) -> Fernet:
        if purpose not in self._fernets:
            self._fernets[purpose] = Fernet(base64.urlsafe_b64encode(self._key(purpose)))
        return self._fernets[purpose]

    def _key(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(self._secret)


def token_hash(token: str) -> str:
    """SHA-256 of a random token, in hex: what is stored of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
