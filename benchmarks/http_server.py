"""One of the servers that `manage.py bench http` compares."""

import argparse
import gc
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.config import Settings
from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger, NullLogger
from app.lib.tracelog.capture.asgi import ASGIApp
from app.lib.tracelog.capture.middleware import CaptureMiddleware
from app.main import create_app
from benchmarks.least import LeastRecorder
from benchmarks.sample import bare_app, with_echo
from benchmarks.source_logger import source_app
from commands.kit.database import migrate
from commands.kit.memory import OBJECTS_A_COLLECTION


def template(folder: Path, turso_url: str | None) -> FastAPI:
    """The whole template on fresh files, with the route; without a URL it records nothing."""
    folder.mkdir()
    settings = Settings(
        database_url=f"sqlite:///{(folder / 'app.db').as_posix()}",
        log_dir=folder / "logs",
        turso_url=turso_url or "",
    )
    migrate(settings)
    return with_echo(create_app(settings, logger=None if turso_url else NullLogger()))


def app_of(kind: str, turso_url: str, folder: Path) -> FastAPI | ASGIApp:
    match kind:
        case "recorded" | "beside":
            logger = EnhancedCSVLogger(turso_url, base_path=folder, beside=kind == "beside")
            return CaptureMiddleware(bare_app(), logger.recorder)
        case "sees" | "writes":
            return LeastRecorder(bare_app(), folder if kind == "writes" else None)
        case "csv":
            return CaptureMiddleware(bare_app(), CSVOnlyLogger(folder).recorder)
        case "source":
            folder.mkdir()
            return source_app(turso_url, folder)
        case "template":
            return template(folder, turso_url)
        case "template_bare":
            return template(folder, None)
    return bare_app()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--port", type=int)
    parser.add_argument("--turso-url", default="")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    # As `manage.py run` has it.
    gc.freeze()
    gc.set_threshold(OBJECTS_A_COLLECTION)
    uvicorn.run(
        app_of(options.kind, options.turso_url, options.folder),
        port=options.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
