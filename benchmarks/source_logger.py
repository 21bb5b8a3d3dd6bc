"""The source document's logger, as it behaves there: what ours is compared with.

For each row it looks whether the CSV file is there, opens it, appends through `csv.DictWriter` and
closes it, and leaves to a background task to connect to Turso, insert the row and disconnect. The
route calls it by hand.
"""

import csv
import json
import time
import uuid
from datetime import datetime
from pathlib import Path

import orjson
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import Response


class SourceLogger:
    def __init__(self, turso_url: str, folder: Path) -> None:
        self._url = turso_url
        self._folder = folder

    def log(self, background: BackgroundTasks, table: str, data: dict[str, object]) -> None:
        data.setdefault(
            "created_at",
            datetime.now().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        )
        self._append(table, data)
        background.add_task(self._insert, table, data)

    def _append(self, table: str, data: dict[str, object]) -> None:
        path = self._folder / f"{table}.csv"
        try:
            with path.open():
                is_new = False
        except FileNotFoundError:
            is_new = True
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=data.keys())
            if is_new:
                writer.writeheader()
            writer.writerow(data)

    def _insert(self, table: str, data: dict[str, object]) -> None:
        from libsql_client import create_client_sync

        texts = {
            key: json.dumps(value) if isinstance(value, (dict, list)) else value
            for key, value in data.items()
        }
        names, marks = ", ".join(texts), ", ".join(f":{key}" for key in texts)
        try:
            with create_client_sync(self._url, auth_token="") as client:
                client.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", texts)
        except Exception as error:  # noqa: BLE001 # as it does
            print(f"not delivered: {error}")


def source_app(turso_url: str, folder: Path) -> FastAPI:
    """The same route as `bare_app`, with both bodies recorded."""
    app = FastAPI()
    logger = SourceLogger(turso_url, folder)

    @app.post("/echo")
    async def echo(request: Request, background_tasks: BackgroundTasks) -> Response:
        started = time.perf_counter()
        data = orjson.loads(await request.body())
        response = Response(
            orjson.dumps(data), 200, None, "application/json", background=background_tasks
        )
        logger.log(
            background_tasks,
            "api_logs",
            {
                "trace_id": str(uuid.uuid4()),
                "method": request.method,
                "endpoint": request.url.path,
                "request_header": dict(request.headers),
                "request_body": data,
                "response_status": 200,
                "response_body": data,
                "duration_ms": round((time.perf_counter() - started) * 1000),
                "ip_address": request.client.host if request.client else None,
            },
        )
        return response

    return app
