"""One of the servers that `manage.py bench http` compares."""

import argparse
import gc
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.lib.logger import CSVOnlyLogger, EnhancedCSVLogger
from app.lib.tracelog.capture.middleware import ASGIApp, CaptureMiddleware
from benchmarks.sample import bare_app
from benchmarks.source_logger import source_app
from commands.kit.memory import OBJECTS_A_COLLECTION


def app_of(kind: str, turso_url: str, folder: Path) -> FastAPI | ASGIApp:
    match kind:
        case "recorded" | "beside":
            logger = EnhancedCSVLogger(turso_url, base_path=folder, beside=kind == "beside")
            return CaptureMiddleware(bare_app(), logger.recorder)
        case "csv":
            return CaptureMiddleware(bare_app(), CSVOnlyLogger(folder).recorder)
        case "source":
            folder.mkdir()
            return source_app(turso_url, folder)
    return bare_app()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["bare", "csv", "recorded", "beside", "source"])
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
