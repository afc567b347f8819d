"""Pages people see: Django's templates, used on their own, and headers that keep scripts and other sites out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from starlette.responses import HTMLResponse

FOLDER = Path(__file__).resolve().parent.parent
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; frame-src {frames}"
)


@lru_cache
def _engine() -> Engine:
    return Engine(dirs=[FOLDER / "templates"], autoescape=True)


def show(
    template: str,
    values: dict[str, Any],
    status: int = 200,
    *,
    frames: list[str] | None = None,
    posts_anywhere: bool = False,
) -> HTMLResponse:
    """A finished page. Values are text, lists and plain objects; templates print no numbers or dates.

    `form-action` is left open: after a form the browser is redirected to the application, wherever that is.
    """
    context = Context(values, use_l10n=False, use_tz=False)
    body = _engine().get_template(template).render(context)
    policy = POLICY.format(frames=" ".join(frames) if frames else "'none'")
    headers = NO_STORE | {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer" if posts_anywhere else "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(body, status, headers=headers)
