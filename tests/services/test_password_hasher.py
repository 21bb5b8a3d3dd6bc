"""Passwords and their hashes."""

from app.services.password_hasher import PasswordHasher


async def test_only_the_password_is_right() -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)
    hashed = await hasher.hash("correct horse")

    assert await hasher.verify(hashed, "correct horse")
    assert not await hasher.verify(hashed, "Correct horse")
    assert not await hasher.verify("no hash at all", "correct horse")


async def test_who_has_no_password_is_refused_after_the_same_work() -> None:
    hasher = PasswordHasher(memory_kib=8, passes=1)

    assert not await hasher.verify(None, "correct horse")
    assert not hasher.is_outdated(hasher._nobody)  # as many rounds in as much memory


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    older = await PasswordHasher(memory_kib=16, passes=1).hash("correct horse")

    hasher = PasswordHasher(memory_kib=8, passes=1)

    assert hasher.is_outdated(older)
    assert await hasher.verify(older, "correct horse")
