"""A part of `make attack`: what takes seconds and leaves the demo as it was."""

import pytest

from tests.attack import floods, pages, rows, tokens
from tests.attack.ground import Ground

SHORT = [pages.strangers, pages.roles, pages.tenants, tokens.replayed, rows.statements, rows.walls, floods.sizes]


@pytest.mark.parametrize("section", SHORT, ids=lambda one: one.__name__)
def test_it_holds(demo, section):
    database = (demo.var_dir / "postgres.url").read_text().strip()

    results = list(section(Ground(demo.portal_url, demo.sandbox, database)))

    assert [(one.what, one.seen) for one in results if not one.held] == []
    assert len(results) > 10
