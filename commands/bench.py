"""Measure how fast the app is here.

`bench recording` tells what CPU time the trace log adds to a request, `bench http` how many
requests a second a server answers with it, `bench append` how many rows a second processes write,
`bench stall` what a store that never answers costs the app, `bench delivery` how fast a backlog
reaches sqld, `bench items` how long a page of a very long list takes,
`bench explorer` how long the pages of the trace log do, `bench browser` what they cost a real
browser, `bench import` how many rows a second imports and exports have, `bench memory` how soon
the app answers after its start and how much memory it takes. `bench NAME --help` tells more.
"""

import importlib

from commands.kit.arguments import Arguments

BENCHMARKS = {
    "recording": "recording",
    "http": "http",
    "append": "append",
    "stall": "stall",
    "delivery": "delivery",
    "items": "items",
    "explorer": "explorer",
    "browser": "browser",
    "import": "imports",  # `import` is no name for a module
    "memory": "memory",
}


def check(arguments: list[str]) -> str:
    """Which benchmark they name; ends where they name none, before anything is installed."""
    parser = Arguments(prog="manage.py bench", description=__doc__)
    parser.add_argument("name", choices=BENCHMARKS)
    name: str = parser.parse_args(arguments[:1]).name
    return name


def main(arguments: list[str]) -> int:
    """Run one benchmark and print its table."""
    module = importlib.import_module(f"benchmarks.{BENCHMARKS[check(arguments)]}")
    code: int = module.main(arguments[1:])
    return code
