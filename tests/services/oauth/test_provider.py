"""What a service tells of an account, made fit for one here."""

import pytest

from app.services.oauth.provider import Profile


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Hana\n Sato\t", "Hana Sato"),
        ("花\x00子\u202e", "花子"),
        ("x" * 300, "x" * 100),
        (" \x07 ", "hana"),
    ],
)
def test_names_have_one_line_and_an_end(name: str, kept: str) -> None:
    assert Profile.told("1", "hana@example.com", name).name == kept


@pytest.mark.parametrize(
    "email", ["", "hana", "hana@", f"{'h' * 300}@example.com", "a@b\r\nBcc: c@d"]
)
def test_what_is_no_address_is_none(email: str) -> None:
    profile = Profile.told("1", email, "")
    assert (profile.email, profile.name) == ("", "–")


def test_addresses_are_compared_without_regard_to_case() -> None:
    assert Profile.told("1", "Hana@Example.COM", "Hana").email == "hana@example.com"
