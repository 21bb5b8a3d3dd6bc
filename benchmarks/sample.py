"""The JSON route that the benchmarks of the trace log measure."""

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response


def bare_app() -> FastAPI:
    return with_echo(FastAPI())


def with_echo(app: FastAPI) -> FastAPI:
    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(
            orjson.dumps(orjson.loads(await request.body())), 200, None, "application/json"
        )

    return app
