"""Long work that survives a kill, and work by the clock.

A module with a kind of job or a schedule is imported here, so that the engine knows it.
"""

from app.jobs import (
    ai_refinement,
    bulk_export,
    bulk_import,
    clean_up,
    image_optimization,
    import_clean_up,
    item_clean_up,
    picture_clean_up,
)

__all__ = [
    "ai_refinement",
    "bulk_export",
    "bulk_import",
    "clean_up",
    "image_optimization",
    "import_clean_up",
    "item_clean_up",
    "picture_clean_up",
]
