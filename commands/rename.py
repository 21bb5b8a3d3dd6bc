"""Call the product by another name: pages, mails, cookies, packages and images.

Everybody is signed out once, since the cookies are called otherwise. LICENSE keeps whom the
template is by, as it asks for.
"""

from commands.kit import naming, node
from commands.kit.arguments import Arguments
from commands.kit.environment import ROOT
from commands.kit.words import say


def main(arguments: list[str]) -> int:
    """Write the new name wherever it stands; nothing where it is the same."""
    parser = Arguments(prog="manage.py rename", description=__doc__)
    parser.add_argument("name", help='as people read it, such as "My App"')
    parser.add_argument("--slug", default="", help="as programs take it, such as my-app")
    options = parser.parse_args(arguments)
    before = naming.current(ROOT)
    product = naming.product(options.name, options.slug)
    if product.name == before.name and not options.slug:
        product = before  # with the slug that it was given
    changed = []
    fresh = node.modules_are_fresh()
    for file, text in naming.changes(ROOT, product):
        if text is None:
            say("rename_no_place", where=file)
            continue
        with (ROOT / file).open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        changed.append(file)
    if fresh:
        node.mark_fresh()  # a name in package-lock.json is no reason to install anew
    if changed:
        say("renamed", name=product.name, slug=product.slug, files=", ".join(changed))
        say("rename_after")
    else:
        say("rename_same", name=product.name, slug=product.slug)
    return 0
