"""Takes a file of items onto the disk as it comes in; its size is no matter of memory."""

from pathlib import Path
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from app.config import Settings
from app.lib.table_problems import TableLimits, TableProblem
from app.lib.table_source import TableShape
from app.services.imports.folder import ImportFolder
from app.services.imports.import_service import UploadedTable, look_at, table_limits

FIELD: Final = "file"
PATH: Final = "/items/import"

_PIECE: Final = 1 << 20
"""So much is written at a time, outside the event loop."""


_LOOKING: Final = CapacityLimiter(4)
"""So many files are looked at at once; the worst of them take half a minute."""


class NoFile(Exception):
    """The form came without a file, or is no form."""


async def take_table(request: Request, settings: Settings) -> UploadedTable:
    """The file of a form, in a folder of its own. Raises `NoFile`, `TableProblem` and `OSError`."""
    key, folder = await run_in_threadpool(ImportFolder.new, settings.files_dir)
    try:
        name, size = await _receive(request, folder, settings.import_max_bytes)
        shape, sample = await look_apart(folder.upload, table_limits(settings))
        return UploadedTable(key, name, size, shape, sample)
    # Whatever ends it, also a visitor who leaves: what came of the file does not stay.
    except BaseException:
        folder.remove()
        raise


async def look_apart(path: Path, limits: TableLimits) -> tuple[TableShape, list[list[str]]]:
    """`look_at` beside the event loop, where files that take long leave threads to others."""
    return await to_thread.run_sync(look_at, path, limits, limiter=_LOOKING)


async def _receive(request: Request, folder: ImportFolder, most_bytes: int) -> tuple[str, int]:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise NoFile
    form = _Form()
    parser = MultipartParser(
        options[b"boundary"],
        {
            "on_part_begin": form.begin,
            "on_header_field": form.header_field,
            "on_header_value": form.header_value,
            "on_header_end": form.header,
            "on_part_data": form.content,
            "on_end": form.end,
        },
    )
    size = 0
    with folder.write(folder.upload) as file:
        try:
            async for chunk in request.stream():
                parser.write(chunk)
                if len(form.data) >= _PIECE:
                    size += await run_in_threadpool(file.write, form.data)
                    form.data.clear()
                    if size > most_bytes:
                        raise TableProblem("too_large")
            parser.finalize()
        except MultipartParseError:
            raise NoFile from None
        size += await run_in_threadpool(file.write, form.data)
        if size > most_bytes:
            raise TableProblem("too_large")
        if not form.is_whole or not (size or form.name):
            raise NoFile
    return form.name, size


class _Form:
    """Keeps of a form's parts the content of the file, until it is taken from `data`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.name = ""
        self.is_whole = False
        self._field = b""
        self._value = b""
        self._is_file = False

    def begin(self) -> None:
        self._is_file = False

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header(self) -> None:
        if self._field.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            if options.get(b"name") == FIELD.encode() and b"filename" in options:
                self._is_file = True
                self.name = options[b"filename"].decode(errors="replace")
        self._field = self._value = b""

    def content(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.data += data[start:end]

    def end(self) -> None:
        self.is_whole = True
