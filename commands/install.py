"""Install the packages that the app needs into .venv, and do nothing else."""

from commands.kit.arguments import Arguments


def main(arguments: list[str]) -> int:
    """The door has installed them before it came here."""
    Arguments(prog="manage.py install", description=__doc__).parse_args(arguments)
    return 0
