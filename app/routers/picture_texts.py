"""Why a file is no picture, in the reader's words."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.i18n import Language
from app.services.pictures.errors import PictureRefused

_MILLION: Final = 1_000_000
# A message for the next page travels in a cookie, which browsers limit to 4 KB.
_SHOWN: Final = 4
_SHOWN_OF_A_NAME: Final = 30


def refusal(language: Language, code: str, values: Mapping[str, int]) -> str:
    """The sentence of a problem. It stands behind the file's name."""
    _ = language.gettext
    limit = values.get("limit", 0)
    match code:
        case "empty":
            return _("The file is empty.")
        case "not_a_picture":
            return _("This is no picture in JPEG, PNG, WebP, GIF or AVIF.")
        case "too_many_bytes":
            return _("The file has more than %(count)s.") % {"count": language.file_size(limit)}
        case "too_many_pixels":
            return _("The picture has more than %(count)s.") % {
                "count": megapixels(language, limit)
            }
        case "too_many":
            return _("An item has at most 30 pictures, and 10 can be added at once.")
        case "too_hard":
            return _("The picture takes too much memory or time to read.")
        case "lost":
            return _("The file was lost. Please upload it again.")
        case _:
            return _("The picture is damaged or incomplete.")


def refusals(language: Language, refused: Sequence[tuple[str, PictureRefused]]) -> str:
    """The first files that were not taken, and why, in one line."""
    lines = [
        f"{name[:_SHOWN_OF_A_NAME]}: {refusal(language, problem.code, problem.values)}"
        for name, problem in refused[:_SHOWN]
    ]
    if more := len(refused) - len(lines):
        text = language.ngettext(
            "%(count)s more file was not taken.", "%(count)s more files were not taken.", more
        )
        lines.append(text % {"count": more})
    return language.gap.join(lines)


def away(language: Language) -> str:
    """That the storage does not answer."""
    return language.gettext("The pictures could not be stored. Please try again later.")


def megapixels(language: Language, count: int) -> str:
    """Pixels as cameras count them."""
    return language.gettext("%(count)s megapixels") % {
        "count": language.number(round(count / _MILLION, 1))
    }
