"""Stylesheets and scripts as browsers load them: many files to write in, one to ask for.

`collectstatic` puts each list below into one file, which then gets its hash and its compressed copy as any other does.
Without it (development, tests) the templates name the several files: `{% joined "css/all.css" %}` does either.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
JOINED = {
    "css/all.css": [  # the first says the order of the layers
        "css/tokens.css",
        "css/base.css",
        "css/layout.css",
        "css/places.css",
        "css/components.css",
        "css/forms.css",
        "css/data.css",
        "css/lists.css",
        "css/pages.css",
    ],
    "js/all.js": [  # each in a function of its own, so that none hears of another
        "js/times.js",
        "js/keep.js",
        "js/dialog.js",
        "js/page.js",
        "js/ticks.js",
        "js/reasons.js",
    ],
    "js/work.js": ["js/keys.js"],  # for the workspaces
}


def plain(text: str, name: str) -> str:
    """A stylesheet or script without what is written for readers: comments on lines of their own, and indentation.

    A line of a script that begins with two slashes is a comment: no text of ours has such a line within it.
    """
    if name.endswith(".css"):
        text = COMMENT.sub("", text)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


class JoinedStorage(CompressedManifestStaticFilesStorage):
    """What `collectstatic` fills: hashed, compressed, and joined."""

    joins = True

    def post_process(self, paths: dict[str, tuple], dry_run: bool = False, **options: Any) -> Iterator:
        if not dry_run:
            for name, parts in JOINED.items():
                whole = "\n".join(plain(self._text(*paths[part]), name) for part in parts)
                self.delete(name)
                self._save(name, ContentFile(whole.encode()))
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def _text(self, storage, name: str) -> str:
        with storage.open(name) as file:
            return file.read().decode()
