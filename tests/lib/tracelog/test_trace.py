"""One chain of work has one trace id, wherever the work goes."""

import asyncio
import contextvars
import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.lib.tracelog.client import traced_async_client, traced_client
from app.lib.tracelog.trace import (
    Trace,
    carry,
    current_trace,
    incoming_trace_id,
    new_trace_id,
    outgoing_headers,
    trace_id_of,
    use_trace,
)
from tests.lib.tracelog.forks import forks

UUID = "6f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
DIGITS = UUID.replace("-", "")
PARENT = f"00-{DIGITS}-00f067aa0ba902b7-01"


def incoming(**headers: str) -> str | None:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return incoming_trace_id(raw, dict(raw))


def test_a_valid_trace_id_is_adopted() -> None:
    assert incoming(x_trace_id=UUID) == UUID
    assert incoming(x_trace_id=UUID.upper()) == UUID
    assert incoming(traceparent=PARENT) == UUID
    assert incoming(traceparent=f" {PARENT}\t") == incoming(x_trace_id=f"{UUID} ") == UUID
    assert incoming(traceparent=PARENT, x_trace_id=str(uuid.uuid4())) == UUID
    assert incoming(traceparent=f"01-{DIGITS}-00f067aa0ba902b7-01-more") == UUID


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        UUID + "0",
        UUID + "\n",
        UUID[:-1],
        f"{{{UUID}}}",
        DIGITS,
        "00000000-0000-0000-0000-000000000000",
        "'; DROP TABLE api_logs; --",
        "<script>alert(1)</script>",
        "６f1c4d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f",
        "x" * 100_000,
    ],
)
def test_a_hostile_trace_id_is_not(value: str) -> None:
    assert incoming(x_trace_id=value) is None


@pytest.mark.parametrize(
    "value",
    [
        f"ff-{DIGITS}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{DIGITS}-{'0' * 16}-01",
        f"00-{DIGITS.upper()}-00f067aa0ba902b7-01",
        PARENT + "-more",
        PARENT + "\n",
        PARENT[:-1],
        "00-zz-zz-01",
    ],
)
def test_a_malformed_traceparent_is_not(value: str) -> None:
    assert incoming(traceparent=value) is None


def test_a_trace_id_sent_twice_is_not() -> None:
    pair = (b"x-trace-id", UUID.encode())
    assert incoming_trace_id([pair, pair], dict([pair])) is None


def test_the_trace_follows_tasks_and_worker_threads() -> None:
    async def main() -> list[Trace | None]:
        with use_trace(Trace(UUID)):
            task = asyncio.create_task(inner())
            return [await task, await asyncio.to_thread(current_trace)]

    async def inner() -> Trace | None:
        return current_trace()

    assert [trace and trace.trace_id for trace in asyncio.run(main())] == [UUID, UUID]
    assert current_trace() is None


def test_carry_takes_the_trace_into_a_plain_thread() -> None:
    seen: list[Trace | None] = []

    def look() -> None:
        seen.append(current_trace())

    with use_trace(Trace(UUID)) as trace, ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=carry(look))
        assert pool.submit(carry(current_trace)).result() is trace
    thread.start()
    thread.join()

    assert seen == [trace]


def test_one_carried_function_runs_in_several_threads_at_once() -> None:
    both = threading.Barrier(2)

    def look() -> Trace | None:
        both.wait(60)
        return current_trace()

    with use_trace(Trace(UUID)) as trace, ThreadPoolExecutor(2) as pool:
        carried = carry(look)
        seen = [pool.submit(carried) for _ in range(2)]
        assert [each.result() for each in seen] == [trace, trace]


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=dict(request.headers))


def test_the_ready_made_clients_hand_the_trace_on() -> None:
    async def ask() -> dict[str, str]:
        async with traced_async_client(transport=httpx.MockTransport(answer)) as client:
            return dict((await client.get("http://other")).json())

    with use_trace(Trace(UUID)), traced_client(transport=httpx.MockTransport(answer)) as client:
        for headers in (client.get("http://other").json(), asyncio.run(ask())):
            assert headers["x-trace-id"] == UUID
            assert incoming(traceparent=headers["traceparent"]) == UUID


@pytest.mark.parametrize(("name", "value"), [("x-trace-id", UUID), ("traceparent", PARENT)])
def test_a_trace_that_the_caller_names_is_the_only_one_handed_on(name: str, value: str) -> None:
    with (
        use_trace(Trace(new_trace_id())),
        traced_client(transport=httpx.MockTransport(answer)) as client,
    ):
        headers = client.get("http://other", headers={name: value}).json()

    assert headers[name] == value
    assert ("x-trace-id" in headers) != ("traceparent" in headers)


def test_nothing_is_handed_on_outside_a_trace() -> None:
    with traced_client(transport=httpx.MockTransport(answer)) as client:
        assert "x-trace-id" not in client.get("http://other").json()
    assert outgoing_headers() == {}


def test_an_exception_tells_the_trace_that_it_left_last() -> None:
    """One that several wait for, such as a failed connection, is raised in each of them."""
    error = LookupError()
    for trace_id in ("first", "second"):
        with pytest.raises(LookupError), use_trace(Trace(trace_id)):
            raise error
        assert trace_id_of(error) == trace_id
    assert trace_id_of(LookupError()) is None


def test_a_trace_is_over_also_where_another_context_ends_it() -> None:
    """A generator that a pool of threads goes through runs in a copy of the context each time."""

    def pieces() -> Iterator[Trace | None]:
        with use_trace(Trace(UUID)):
            yield current_trace()

    going = pieces()
    first = contextvars.copy_context()
    trace = first.run(next, going)
    second, outside = first.copy(), contextvars.copy_context()

    assert second.run(list, going) == []
    assert trace is not None
    assert [each.run(current_trace) for each in (first, second, outside)] == [trace, None, None]


def test_new_trace_ids_are_random_uuids_also_in_many_threads() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: new_trace_id(), range(2_000)))

    assert len(set(found)) == 2_000
    assert {uuid.UUID(each).version for each in found} == {4}
    assert all(str(uuid.UUID(each)) == each for each in found)


@forks
def test_a_forked_process_does_not_draw_its_parents_trace_ids() -> None:
    new_trace_id()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, "\n".join(new_trace_id() for _ in range(100)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        of_child = set(pipe.read().split())

    assert len(of_child) == 100
    assert of_child.isdisjoint(new_trace_id() for _ in range(100))
