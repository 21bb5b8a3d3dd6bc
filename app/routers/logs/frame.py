"""What stands around every page of the trace log: its tabs, and the span of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final
from urllib.parse import urlencode

from app.routers.logs.span import DEFAULT_RANGE, RANGES, Span, preset_span

TABS: Final[Mapping[str, str]] = {
    "overview": "/logs",
    "requests": "/logs/requests",
    "tasks": "/logs/tasks",
}
"""The pages that look at a span of time, by name; they hand it on to each other."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Around the page of a tab. `kept` is what of its URL stays when another span is chosen."""

    tab: str
    span: Span
    zone: tzinfo
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return TABS[self.tab]

    @property
    def is_custom(self) -> bool:
        return self.span.is_bounded and not self.span.preset

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Name, URL and whether it is on."""
        names = [*(("",) if self.tab == "requests" else ()), *RANGES]
        return [
            (
                name,
                self.url(preset_span(name, self.span.ends_at)),
                name == self.span.preset and not self.is_custom,
            )
            for name in names
        ]

    @property
    def earlier(self) -> str:
        """The span of the same length that ends where this one begins."""
        return self.url(self.span.moved(-1))

    @property
    def later(self) -> str:
        return self.url(self.span.moved(1))

    @property
    def wider(self) -> str:
        return self.url(self.span.wider)

    def url(self, span: Span) -> str:
        state = {**self.kept, **span.state}
        return self.path + (f"?{urlencode(state)}" if state else "")

    def tab_url(self, name: str, **state: object) -> str:
        """Another tab in the same span."""
        kept = {key: str(value) for key, value in state.items() if value not in {None, ""}}
        query = urlencode({**kept, **self.span.state})
        return TABS[name] + (f"?{query}" if query else "")

    @property
    def local_ends(self) -> tuple[str, str]:
        """Both ends on the reader's clock, as a form's field takes them."""
        span = self.span if self.span.is_bounded else preset_span(DEFAULT_RANGE, self.span.ends_at)
        return (
            span.starts_at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M"),
            span.ends_at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M"),
        )
