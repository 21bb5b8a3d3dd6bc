"""What is said about files of items that are imported, in the reader's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.forms import sentence_in
from app.i18n import Language


def file_problem(language: Language, code: str, values: Mapping[str, int]) -> str:
    """Why a file cannot be imported."""
    _ = language.gettext
    sentences = {
        "empty": _("The file is empty."),
        "no_rows": _("The file has no rows of items."),
        "not_a_table": _("This is neither a CSV file nor an Excel workbook (.xlsx)."),
        "old_excel": _(
            "This is an old or a protected Excel file. Save it as .xlsx without a password."
        ),
        "encrypted": _("The file is protected by a password. Save it without one."),
        "damaged": _("The file is damaged, or no Excel workbook. Save it anew, or as CSV."),
        "encoding": _("The file's text is neither UTF-8 nor Shift_JIS. Save it as UTF-8."),
        "quotes": _("A quotation mark in row %(row)s does not fit, or has no counterpart."),
        "row_too_long": _("Row %(row)s has no end that could be found."),
        "too_many_columns": _("Row %(row)s has more than %(limit)s columns."),
        "too_many_rows": _("The file has more than %(limit)s rows. Split it, please."),
        "too_large": _("The file is too large."),
        "too_slow": _("The workbook takes too long to read. Save it as CSV."),
        "unpacks_to_too_much": _("The workbook is far larger inside than it looks."),
    }
    text = sentences.get(code, sentences["damaged"])
    return text % {name: language.number(value) for name, value in values.items()}


def row_problem(language: Language, problem: Mapping[str, Any]) -> str:
    """What is wrong with a row: the field, and a sentence."""
    _ = language.gettext
    names = field_names(language)
    match problem["field"], problem["type"]:
        case "", _kind:
            width = language.number(problem["ctx"]["width"])
            return _("There are more cells than the %(width)s columns of the file.") % {
                "width": width
            }
        case "status", _kind:
            text = _("The status is one of todo, doing and done.")
        case _field, kind:
            text = sentence_in(language, kind, problem["ctx"])
    return f"{names[problem['field']]}: {text}"


def row_problems(language: Language, problems: Sequence[Mapping[str, Any]]) -> str:
    """All that is wrong with a row."""
    return language.gap.join(row_problem(language, problem) for problem in problems)


def field_names(language: Language) -> dict[str, str]:
    """What the parts of an item are called."""
    _ = language.gettext
    return {
        "title": _("Title"),
        "description": _("Description"),
        "status": _("Status"),
        "due_on": _("Due"),
    }
