"""Imports point down the floors, as docs/architecture.md draws them. The contracts are in pyproject.toml."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

PROJECT = Path(__file__).resolve().parent.parent
FLOORS = ["graph", "accounts", "audit", "directory", "b2c", "revocation", "tenants", "inbox", "consent", "portal"]
NO_CIRCLES = [*FLOORS, "sandbox"]


def test_imports_point_down_and_the_sandbox_stands_apart():
    lint_imports = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([lint_imports, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, timeout=120)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("package", NO_CIRCLES)
def test_no_files_import_each_other_in_a_circle(package: str):
    """With imports inside functions and for type checkers; the contract in pyproject.toml asks the same of folders."""
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    TopologicalSorter(imports).prepare()


def test_no_file_is_longer_than_one_can_read():
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=PROJECT, capture_output=True, text=True).stdout.split()

    long = {name: lines for name in files if (lines := len((PROJECT / name).read_text().splitlines())) > 400}

    assert not {name for name in long if "/migrations/" not in name}


def test_graph_uses_no_models():
    used = {name for path in (PROJECT / "graph").rglob("*.py") for name in _imports(path)}

    assert not {name for name in used if name.startswith(("django.db", "django.contrib"))}


@pytest.mark.parametrize("floor", FLOORS)
def test_only_the_transport_makes_http_sessions(floor: str):
    """`portal.local.demo` watches its own processes; nothing else speaks HTTP past `graph.transport`."""
    allowed = {PROJECT / "graph" / "transport.py", PROJECT / "portal" / "local" / "demo.py"}

    makers = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / floor).rglob("*.py")
        if path not in allowed and _makes_session(path)
    ]

    assert makers == []


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module}
    return found


def _makes_session(path: Path) -> bool:
    """Whether a file calls `requests.get(...)`, `requests.Session()` and the like, or opens URLs by other means."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "requests":
                return True
    return bool(_imports(path) & {"urllib.request", "http.client", "urllib3", "httpx", "aiohttp"})
