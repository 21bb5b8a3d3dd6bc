"""A stand-in for Supabase Storage: answers as the real one does, and refuses what it refuses."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from app.config import Settings
from app.services.pictures.supabase_bucket import SupabaseBucket
from tests.support.gotrue import SECRET

_PREFIX = "/storage/v1"


@dataclass
class SupabaseStorage:
    """`handle` is the server. `buckets` are public or not; `objects` are files by bucket/key."""

    buckets: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    broken: int = 0
    """How many of the next requests fail with 500."""
    asked: int = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.broken:
            self.broken -= 1
            return _refused(500, "InternalError", "Internal server error")
        # A secret key of the new kind stands in `apikey`; as a bearer it is no valid token.
        if request.headers.get("apikey") != SECRET:
            return httpx.Response(401, json={"message": "No API key found in request"})
        if "authorization" in request.headers:
            return _refused(403, "Unauthorized", "Invalid Compact JWS")
        path = request.url.path.removeprefix(_PREFIX)
        if match := re.fullmatch(r"/bucket(?:/([^/]+))?", path):
            return self._bucket(request, match[1])
        if match := re.fullmatch(r"/object/list/([^/]+)", path):
            return self._list(match[1], _json(request))
        if match := re.fullmatch(r"/object/(?:authenticated/)?([^/]+)(?:/(.+))?", path):
            return self._object(request, match[1], match[2])
        return httpx.Response(404, json={"message": "Route not found"})

    def _bucket(self, request: httpx.Request, name: str | None) -> httpx.Response:
        if request.method == "POST":
            body = _json(request)
            if body["name"] in self.buckets:
                return _refused(409, "Duplicate", "The resource already exists")
            self.buckets[body["name"]] = body.get("public", False)
            return httpx.Response(200, json={"name": body["name"]})
        if name not in self.buckets:
            return _refused(404, "Bucket not found", "Bucket not found")
        return httpx.Response(200, json={"id": name, "name": name, "public": self.buckets[name]})

    def _object(self, request: httpx.Request, bucket: str, key: str | None) -> httpx.Response:
        if bucket not in self.buckets:
            return _refused(404, "Bucket not found", "Bucket not found")
        path = f"{bucket}/{key}"
        match request.method:
            case "POST":
                if not re.fullmatch(r"[\w/!.*'() &$@=;:+,?-]+", key or ""):
                    return _refused(400, "InvalidKey", f"Invalid key: {key}")
                if path in self.objects and request.headers.get("x-upsert") != "true":
                    return _refused(409, "Duplicate", "The resource already exists")
                self.objects[path] = request.content, request.headers["content-type"]
                return httpx.Response(200, json={"Key": path, "Id": "1"})
            case "GET" if path in self.objects:
                content, kind = self.objects[path]
                return httpx.Response(200, content=content, headers={"Content-Type": kind})
            case "GET":
                return _refused(404, "not_found", "Object not found")
            case "DELETE":
                names = [f"{bucket}/{each}" for each in _json(request)["prefixes"]]
                if not names:
                    return _refused(400, "InvalidRequest", "body/prefixes must NOT have fewer")
                gone = [name for name in names if self.objects.pop(name, None)]
                return httpx.Response(200, json=[{"name": name} for name in gone])
        return httpx.Response(404, json={"message": "Route not found"})

    def _list(self, bucket: str, body: dict[str, Any]) -> httpx.Response:
        folder = f"{bucket}/{body['prefix']}".rstrip("/") + "/"
        rest = [path.removeprefix(folder) for path in self.objects if path.startswith(folder)]
        files = {name: {"name": name, "id": "1"} for name in rest if "/" not in name}
        folders = {name.partition("/")[0] for name in rest if "/" in name}
        entries = files | {name: {"name": name, "id": None} for name in folders}
        start, limit = body.get("offset", 0), body.get("limit", 100)
        page = [entries[name] for name in sorted(entries)][start : start + limit]
        return httpx.Response(200, json=page)


def bucket(server: SupabaseStorage, key: str = SECRET) -> SupabaseBucket:
    """The app's way to a bucket on this server."""
    settings = Settings(
        supabase_url="https://x.supabase.co",
        supabase_secret_key=SecretStr(key),
        picture_bucket="pictures",
    )
    return SupabaseBucket(settings, transport=httpx.MockTransport(server.handle))


def _json(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def _refused(status: int, error: str, message: str) -> httpx.Response:
    """The status in the answer's own words; the answer's own is 400, or 500 for that."""
    body = {"statusCode": str(status), "error": error, "message": message}
    return httpx.Response(500 if status == 500 else 400, json=body)
