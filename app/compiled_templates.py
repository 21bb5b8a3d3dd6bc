"""Templates compiled once: for all languages, and for the starts to come."""

import hashlib
import importlib.util
import marshal
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType

import jinja2
from jinja2.bccache import Bucket


class CompiledTemplates(jinja2.BytecodeCache):
    """Keeps what templates were compiled to in `folder`, as Python does with modules.

    Where that cannot be written, or Python is to write none of its own, it is kept in memory alone.
    Languages share it: they differ in their texts only. `made_by` is whatever else decides what a
    template becomes.
    """

    def __init__(self, folder: Path, made_by: bytes) -> None:
        self._folder = folder
        self._made_by = importlib.util.MAGIC_NUMBER + jinja2.__version__.encode() + made_by
        self._compiled: dict[str, tuple[str, CodeType]] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The name alone: a copy of the project is worth as much."""
        return name.replace("/", ".")

    def get_source_checksum(self, source: str) -> str:
        return hashlib.sha256(self._made_by + source.encode()).hexdigest()

    def get_bucket(
        self, environment: jinja2.Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        bucket = super().get_bucket(environment, name, filename, source)
        if bucket.code and filename and bucket.code.co_filename != filename:
            # It was compiled elsewhere, and stack traces name the file.
            bucket.code = bucket.code.replace(co_filename=filename)
            self._compiled[bucket.key] = (bucket.checksum, bucket.code)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._compiled.get(bucket.key) or self._read(bucket.key)
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is None:
            return
        self._compiled[bucket.key] = (bucket.checksum, bucket.code)
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self._write(bucket.key, bucket.checksum, bucket.code)

    def _read(self, key: str) -> tuple[str, CodeType | None]:
        try:
            checksum, _, code = self._path(key).read_bytes().partition(b"\n")
            kept = checksum.decode(), marshal.loads(code)  # noqa: S302 # as safe as the code beside it
        except (OSError, ValueError, EOFError, TypeError):
            return "", None
        self._compiled[key] = kept
        return kept

    def _write(self, key: str, checksum: str, code: CodeType) -> None:
        self._folder.mkdir(exist_ok=True)
        path = self._path(key)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            draft.write_bytes(checksum.encode() + b"\n" + marshal.dumps(code))
            draft.replace(path)  # others may be reading it
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.{sys.implementation.cache_tag}"
