"""Documents that must keep up with the code."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent


def test_the_example_environment_names_every_setting():
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", (PROJECT / "portal" / "settings.py").read_text()))
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))

    deployed = "".join(path.read_text() for path in (PROJECT / "deploy").iterdir() if path.is_file())

    assert read <= named
    assert named <= read | set(re.findall(r"\$\{([A-Z_]+)(?::[?-][^}]*)\}", deployed))


PAGES = ["README.md", *sorted(str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_documents_lead_somewhere(page: str):
    text = (PROJECT / page).read_text()

    missing = [
        target
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
        if not ((PROJECT / page).parent / target).exists()
    ]

    assert missing == []


def test_the_readme_names_only_commands_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", (PROJECT / "README.md").read_text()))

    assert named <= targets
