"""What is encrypted and what is only found again."""

from app.lib.secret_box import SecretBox

BOX = SecretBox("k" * 32)


def test_what_was_sealed_is_opened_for_the_same_purpose_only() -> None:
    sealed = BOX.seal("totp", "日本語 secret")
    assert "secret" not in sealed
    assert BOX.open("totp", sealed) == "日本語 secret"
    assert BOX.open("other", sealed) is None
    assert SecretBox("l" * 32).open("totp", sealed) is None
    for broken in ("", sealed[:-2], "é", sealed[:40] + "x" + sealed[41:]):
        assert BOX.open("totp", broken) is None


def test_it_is_good_for_a_while() -> None:
    sealed = BOX.seal("totp", "x")
    assert BOX.open("totp", sealed, max_age=60) == "x"
    assert BOX.open("totp", sealed, max_age=-1) is None


def test_a_digest_depends_on_secret_purpose_and_text() -> None:
    digests = {
        BOX.digest("a", "x"),
        BOX.digest("a", "y"),
        BOX.digest("b", "x"),
        SecretBox("l" * 32).digest("a", "x"),
    }
    assert len(digests) == 4


def test_without_a_secret_two_boxes_of_a_process_understand_each_other() -> None:
    assert SecretBox("").open("p", SecretBox("").seal("p", "x")) == "x"
