"""The pages at the width of a telephone: nothing scrolls sideways, and axe finds nothing there either."""

from collections.abc import Callable

import pytest

from tests.browser.walking import Walk

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("name", ["Adele Vance", "Megan Bowen"])
def test_pages_on_a_telephone(visitor: Callable, name: str):
    person = visitor(name)
    person.page.set_viewport_size({"width": 360, "height": 740})
    start = "/" if name == "Adele Vance" else "/t/contoso/"
    walk = Walk(person.page, person.demo.portal_url, samples=1, widths=()).from_(start)

    assert walk.faults == []
