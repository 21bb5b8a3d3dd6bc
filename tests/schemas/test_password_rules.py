"""Which passwords are refused."""

import pytest

from app.product import NAME
from app.schemas.password_rules import is_common


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Passw0rd!2026",
        "123456789012",
        "qwertyuiop123",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "adminadmin12",
        "letmein12345",
        "Welcome2026!!",
        "monkey dragon 12",
        "!!!!2026!!!!",
        "aishiteru1234",
        "1qaz2wsx3edc4rfv",
        "Counterstrike",
        "JamesBond007",
        "q1w2e3r4t5y6u7i8",
        f"{NAME}2026",
        "",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "another good one",
        "kQ3vTz9pXw1m",
        "犬と散歩に行く朝は早い",
        "tokyo in the rain",
    ],
)
def test_others_are_fine(password: str) -> None:
    assert not is_common(password)
