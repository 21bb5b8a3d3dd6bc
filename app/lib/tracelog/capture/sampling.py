"""Which of the requests that went well are recorded, where not all are to be."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

_RULE: Final = re.compile(r"(?:([A-Z]+):)?(/[^\s=]*)=(0(?:\.[0-9]+)?|1(?:\.0+)?|\.[0-9]+)")


@dataclass(frozen=True, slots=True)
class _Rule:
    method: str
    path: str
    share: float

    def fits(self, method: str, path: str) -> bool:
        if self.method not in ("", method):
            return False
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Rules on how much is kept of what went well and did not take `slow_ms` milliseconds.

    The first rule that fits a request decides; where none does it is kept. `salt` keeps those who
    send trace ids of their own from choosing which are left out.
    """

    rules: tuple[_Rule, ...] = ()
    slow_ms: int = 1000
    salt: bytes = b""

    @classmethod
    def parse(cls, rules: Iterable[str], slow_ms: int = 1000, salt: str = "") -> Self:
        """From rules like `GET:/items=0.1`: of this path and all below it, a share from 0 to 1.

        Without a method a rule is for all. Raises `ValueError`.
        """
        parsed = []
        for text in rules:
            match = _RULE.fullmatch(text)
            if match is None:
                raise ValueError(f"{text!r} is no rule like GET:/items=0.1")
            parsed.append(_Rule(match[1] or "", match[2], float(match[3])))
        return cls(tuple(parsed), slow_ms, hashlib.sha256(salt.encode()).digest())

    def keeps(
        self, method: str, path: str, *, trace_id: str, status: int, duration_ms: int
    ) -> bool:
        """Whether a request is recorded: always if it failed (status from 400 on) or was slow.

        The draw is the trace's: what shares a trace and a rule is kept together or not at all, by
        all processes of the same `salt`.
        """
        if status >= 400 or duration_ms >= self.slow_ms:
            return True
        for rule in self.rules:
            if rule.fits(method, path):
                return self._draw(trace_id) < rule.share
        return True

    def _draw(self, trace_id: str) -> float:
        """A number from 0 to 1."""
        drawn = hashlib.blake2b(trace_id.encode(), key=self.salt, digest_size=8).digest()
        return int.from_bytes(drawn, "big") / 2**64
