"""Policy files of one tenant: which policies they hold, which builds on which, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.b2c.reading.elements import LARGEST, Element, Unreadable, parse

DEEPEST_CHAIN = 10  # levels of inheritance that B2C allows
MOST_FILES = 500
MOST_ELEMENTS = 600_000  # in all files together; a tenant has at most 200 policies


@dataclass(frozen=True)
class Problem:
    """Something that keeps a policy from being read. `line` is 0 where no line is to blame."""

    file: str
    line: int
    why: str


class Broken(Exception):
    """A policy's chain cannot be followed."""

    def __init__(self, problem: Problem):
        super().__init__(f"{problem.file}:{problem.line}: {problem.why}")
        self.problem = problem


@dataclass
class PolicyFile:
    name: str
    id: str
    base: str
    root: Element

    @property
    def relying_party(self) -> Element | None:
        return self.root.child("RelyingParty")


@dataclass
class Policies:
    """By id in small letters: B2C matches ids without regard to case."""

    files: dict[str, PolicyFile] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def relying_parties(self) -> list[PolicyFile]:
        return [one for one in self.files.values() if one.relying_party is not None]

    def chain(self, policy_id: str) -> list[PolicyFile]:
        """The files a policy is made of, the base first.

        Raises:
            Broken: one of them is absent, they go in a circle, or there are too many.
        """
        found: list[PolicyFile] = []
        wanted, asker = policy_id, None
        while wanted:
            file = self.files.get(wanted.lower())
            if file is None:
                raise Broken(_blame(asker, f"the base policy {wanted} is not among the files"))
            if file in found:
                raise Broken(_blame(file, f"{file.id} is its own base: the chain goes in a circle"))
            if len(found) == DEEPEST_CHAIN:
                raise Broken(_blame(file, f"{policy_id} has more than {DEEPEST_CHAIN} levels of base policies"))
            found.append(file)
            wanted, asker = file.base, file
        return found[::-1]


def read(contents: Mapping[str, bytes]) -> Policies:
    """Every policy that can be read; what cannot is a problem, and the others go on."""
    found, elements = Policies(), 0
    for name, content in contents.items():
        if elements > MOST_ELEMENTS:
            why = f"the files before it hold more than {MOST_ELEMENTS} elements; it was not read"
            found.problems.append(Problem(name, 0, why))
            continue
        try:
            file = _policy(name, parse(content))
        except Unreadable as error:
            found.problems.append(Problem(name, error.line, error.why))
            continue
        elements += file.root.count
        if other := found.files.get(file.id.lower()):
            why = f"{file.id} is in {other.name} as well; a tenant has one policy of that id"
            found.problems.append(Problem(name, file.root.line, why))
            continue
        found.files[file.id.lower()] = file
    return found


def read_folder(folder: Path) -> Policies:
    """The `.xml` files in a folder and below it.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    contents, problems = dict[str, bytes](), list[Problem]()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".xml" and path.is_file())
    for path in paths[:MOST_FILES]:
        name = str(path.relative_to(folder))
        try:
            with path.open("rb") as file:
                contents[name] = file.read(LARGEST + 1)
        except OSError as error:
            problems.append(Problem(name, 0, f"the file cannot be read: {error.strerror}"))
    if len(paths) > MOST_FILES:
        problems.append(Problem(str(folder), 0, f"there are more than {MOST_FILES} files; the rest was not read"))
    found = read(contents)
    found.problems[:0] = problems
    return found


def _policy(name: str, root: Element) -> PolicyFile:
    policy_id = root.get("PolicyId")
    if not policy_id:
        raise Unreadable("the policy has no PolicyId", root.line)
    base = root.child("BasePolicy")
    if base is not None and not base.text_of("PolicyId"):
        raise Unreadable("BasePolicy names no PolicyId", base.line)
    return PolicyFile(name, policy_id, base.text_of("PolicyId") if base else "", root)


def _blame(file: PolicyFile | None, why: str) -> Problem:
    if file is None:
        return Problem("", 0, why)
    base = file.root.child("BasePolicy")
    return Problem(file.name, (base or file.root).line, why)
