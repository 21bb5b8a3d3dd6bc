"""What goes wrong with pictures."""

from app.services.errors import ServiceError


class PictureRefused(ServiceError):
    """A file is no picture that can be taken. `code` and `values` make the sentence that says why.

    `app/routers/picture_texts.py` has the sentences.
    """

    def __init__(self, code: str, **values: int) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class StorageAway(ServiceError):
    """The storage does not take or give files at this moment."""
