"""Jobs in the reader's words: kinds, steps, problems and results. A new kind adds its own here."""

from collections.abc import Mapping
from typing import Any, Final

from app.i18n import Language
from app.lib.utils import utc_now
from app.models.job import Job
from app.routers import import_texts
from app.services.imports.folder import FILES_KEPT

_TABLE: Final = "table_"


def kind_name(language: Language, kind: str) -> str:
    """What a kind of job is called; of one that has no name here, as the trace log has it."""
    _ = language.gettext
    names: Mapping[str, str] = {
        "AI_Refinement": _("Suggestion"),
        "Bulk_Export": _("Export"),
        "Bulk_Import": _("Import"),
        "Image_Optimization": _("Pictures"),
    }
    return names.get(kind, kind)


def step_name(language: Language, step: str) -> str:
    """What a step is called."""
    _ = language.gettext
    names: Mapping[str, str] = {
        "Fetch_Data": _("Reading the item"),
        "AI_Generation": _("Writing"),
        "DB_Count": _("Counting"),
        "Validation": _("Checking"),
        "DB_Commit": _("Saving"),
        "DB_Rollback": _("Taking back"),
        "Summary": _("Finishing"),
        "Write_File": _("Writing the file"),
        "Read": _("Reading"),
        "Optimize": _("Encoding"),
        "Store": _("Storing"),
    }
    return names.get(step, step)


def problem(language: Language, job: Job) -> str:
    """Why a job failed."""
    _ = language.gettext
    if not job.problem:
        return ""
    code, values = job.problem["code"], job.problem["values"]
    if code.startswith(_TABLE):
        return import_texts.file_problem(language, code.removeprefix(_TABLE), values)
    if code == "bad_rows":
        return _bad_rows_problem(language, job)
    sentences: Mapping[str, str] = {
        "internal": _("Something went wrong on our side. Please try again."),
        "unknown_kind": _("This app does not know this kind of job any more."),
        "mail_failed": _("The mail could not be sent. Please try again later."),
        "import_file_lost": _("The file is not here any more. Please upload it again."),
        "disk_full": _("There is no room left for the file. Please tell who runs this app."),
        "ai_away": _("The language model cannot be reached. Please try again later."),
        "ai_broken": _("The language model broke off. Please try again."),
        "ai_budget": _("Today's suggestions are used up."),
        "ai_busy": _("The language model has too much to do. Please try again later."),
        "ai_cut": _("What the language model wrote is not complete. Please try again."),
        "ai_empty": _("The language model had nothing to say. Please try again."),
        "ai_item_gone": _("The item was deleted."),
        "ai_key": _("The language model does not let this app in. Please tell who runs it."),
        "ai_late": _("The language model took too long. Please try again later."),
        "ai_refused": _("The language model refused. Please tell who runs this app."),
        "ai_thrown_away": _("The suggestion was thrown away."),
        "ai_too_long": _("What the language model wrote is too long. Please try again."),
        "ai_unreadable": _("The answer makes no sense. Please tell who runs this app."),
        "ai_withheld": _("The language model does not want to write about this."),
        "pictures_refused": _("None of the files could be used; each picture says why."),
        "picture_storage_away": _("The pictures could not be stored. Please try again later."),
    }
    sentence = sentences.get(code, sentences["internal"])
    return sentence % values if values else sentence


def outcome(language: Language, job: Job) -> str:
    """What came of a job that is done, in a sentence; empty where its end says it all."""
    result = job.result or {}
    if job.kind == "Bulk_Export" and "rows" in result:
        text = language.ngettext("%(rows)s item.", "%(rows)s items.", result["rows"])
        kept = language.gettext("The file is kept for a day.")
        return f"{text % {'rows': language.number(result['rows'])}}{language.gap}{kept}"
    if job.kind == "Bulk_Import" and "inserted" in result:
        return _imported(language, result)
    if job.kind == "Image_Optimization" and result.get("failed"):
        text = language.gettext("%(ready)s ready, %(failed)s could not be used.")
        return text % {"ready": result["ready"], "failed": result["failed"]}
    return ""


def bad_rows(job: Job) -> int:
    """How many rows of an import can be downloaded to be mended."""
    told = job.result or (job.problem or {}).get("values", {})
    is_kept = job.ended_at is not None and utc_now() < job.ended_at + FILES_KEPT
    return int(told.get("bad", 0)) if job.kind == "Bulk_Import" and is_kept else 0


def _bad_rows_problem(language: Language, job: Job) -> str:
    values = job.problem["values"] if job.problem else {}
    text = language.ngettext(
        "%(bad)s of %(rows)s rows is not right. Nothing was imported.",
        "%(bad)s of %(rows)s rows are not right. Nothing was imported.",
        values["bad"],
    )
    return text % {name: language.number(value) for name, value in values.items()}


def _imported(language: Language, result: Mapping[str, Any]) -> str:
    """What came in, and what did not, as far as there is any."""
    ngettext = language.ngettext
    came, known, bad = result["inserted"], result["skipped"], result["bad"]
    parts = [(ngettext("%(count)s item imported.", "%(count)s items imported.", came), came)]
    if known:
        text = ngettext("%(count)s was there already.", "%(count)s were there already.", known)
        parts.append((text, known))
    if bad:
        text = ngettext("%(count)s row was not right.", "%(count)s rows were not right.", bad)
        parts.append((text, bad))
    return language.gap.join(text % {"count": language.number(count)} for text, count in parts)
