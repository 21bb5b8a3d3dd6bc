"""Tasks and their steps: what services record about their work.

A step writes START when it begins, IN_PROGRESS when it says so, and SUCCESS or FAILED when it ends.
All its rows share an `execution_order`; running a step of the same name again is a retry of it.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from app.lib.tracelog.trace import Trace, current_trace, new_trace_id, use_trace

WriteStep = Callable[[Mapping[str, object], BaseException | None], None]
"""Takes the columns of one row, and the exception of a FAILED one."""


class _Context(ABC):
    """Entered with `with` and `async with` alike; nothing in it waits."""

    def __enter__(self) -> Self:
        self._enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    @abstractmethod
    def _enter(self) -> None: ...

    @abstractmethod
    def _exit(self, error: BaseException | None) -> None: ...


class Task(_Context):
    """A piece of work in steps, under the current trace or, without one, a trace of its own."""

    def __init__(self, name: str, write: WriteStep) -> None:
        self.name = name
        self._write = write
        self._orders: dict[object, int] = {}
        self._places = itertools.count(1)
        self._trace: Trace | None = None
        self._recorded: BaseException | None = None
        self._stack = ExitStack()

    @property
    def trace_id(self) -> str:
        trace = self._trace or current_trace()
        return trace.trace_id if trace else ""

    def step(self, name: str, input: object = None) -> "Step":  # noqa: A002 # the column's word
        """A step of this task; `input` is anything that can be shown as JSON.

        It has its place in the order from now on, whether it is entered or not.
        """
        self._order(name)
        return Step(self, name, input)

    def write(
        self, step_name: str, status: str, error: BaseException | None = None, **columns: object
    ) -> None:
        order = self._order(step_name)
        row = {"task_name": self.name, "step_name": step_name, "status": status, **columns}
        row["execution_order"] = order
        trace = self._trace or current_trace()
        if trace is not None:
            # Its own, also in a thread that knows of none.
            row["trace_id"] = trace.trace_id
        if status == "FAILED":
            self._recorded = error
            if trace is not None:
                trace.failed = True
        self._write(row, error)

    def _order(self, step_name: str) -> int:
        try:
            return self._place(step_name)
        # What is no name, as a list, may not be hashable, and the work that it names must go on.
        except Exception:  # noqa: BLE001
            return self._place((id(step_name),))

    def _place(self, key: object) -> int:
        # Threads may begin steps at the same moment.
        return self._orders.get(key) or self._orders.setdefault(key, next(self._places))

    def _enter(self) -> None:
        self._trace = current_trace() or self._stack.enter_context(use_trace(Trace(new_trace_id())))

    def _exit(self, error: BaseException | None) -> None:
        if error is not None and error is not self._recorded:
            # It failed between its steps.
            self.write(self.name, "FAILED", error)
        self._stack.close()


class Step(_Context):
    """One step. What is put into `output` is recorded when it ends well."""

    def __init__(self, task: Task, name: str, input: object) -> None:  # noqa: A002
        self.name = name
        self.output: object = None
        self._task = task
        self._input = input

    def progress(self, done: int, total: int | None = None, **more: object) -> None:
        """Record that `done` of `total` are finished; `more` is shown beside it."""
        self._task.write(
            self.name, "IN_PROGRESS", output_data={"done": done, "total": total, **more}
        )

    def _enter(self) -> None:
        self._task.write(self.name, "START", input_data=self._input)

    def _exit(self, error: BaseException | None) -> None:
        if error is None:
            self._task.write(self.name, "SUCCESS", output_data=self.output)
        else:
            self._task.write(self.name, "FAILED", error, output_data=self.output)
