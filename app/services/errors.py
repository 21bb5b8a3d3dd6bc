"""What services raise where a caller's wish cannot be met."""

from app.models.item import Item


class ServiceError(Exception):
    """A wish that could not be met, for a reason that the user can be told."""


class NotFound(ServiceError):
    """There is no such thing, or it is another's: nobody can tell which."""


class Forbidden(ServiceError):
    """The user may know of it, but not do it."""


class Conflict(ServiceError):
    """Somebody changed the item in the meantime; `current` is how it is now."""

    def __init__(self, current: Item) -> None:
        super().__init__(f"item {current.id} is at version {current.version}")
        self.current = current


class InvalidCredentials(ServiceError):
    """The address is unknown or the password wrong: nobody can tell which."""


class EmailTaken(ServiceError):
    """Another account has this address."""


class PasswordIsEmail(ServiceError):
    """The new password is the account's address."""
