"""From files to a set of policies, in bounded time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.utils.translation import gettext as _

from b2c.policies.elements import LARGEST, Element, PolicyError, parse
from b2c.policies.model import Policy, PolicySet

__all__ = ["PolicyError", "read", "read_folder"]

MOST_FILES = 250  # a tenant holds up to 200 policies
LARGEST_SET = 24 * 1024 * 1024  # bytes
LONGEST_CHAIN = 10


def read(files: Mapping[str, bytes]) -> PolicySet:
    """The policies in these files.

    Raises:
        PolicyError: one of them is no policy, or they inherit from each other in a circle.
    """
    if len(files) > MOST_FILES:
        raise PolicyError("", 0, _("More than %d files at once.") % MOST_FILES)
    found: dict[str, Policy] = {}
    duplicates, size = [], 0
    for file in sorted(files):
        root = parse(file, files[file])
        size += len(files[file])
        if size > LARGEST_SET:
            raise PolicyError(file, 0, _("The files are larger than %d MB together.") % (LARGEST_SET // 1024**2))
        policy = Policy(_id_of(root), file, root)
        if found.setdefault(policy.id.lower(), policy) is not policy:
            duplicates.append(policy)
    policies = PolicySet(found, tuple(duplicates))
    for policy in found.values():
        _check_chain(policies, policy)
    return policies


def read_folder(folder: Path) -> PolicySet:
    """The policies in a folder's XML files, not in folders below it.

    Raises:
        PolicyError: see `read`.
        OSError: the folder, or a file in it, cannot be opened.
    """
    files = {}
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".xml"]
    for path in paths[: MOST_FILES + 1]:
        with path.open("rb") as opened:
            files[path.name] = opened.read(LARGEST + 1)
    return read(files)


def _id_of(root: Element) -> str:
    if policy_id := root.get("PolicyId"):
        return policy_id
    raise PolicyError(root.file, root.line, _("The policy has no PolicyId."))


def _check_chain(policies: PolicySet, policy: Policy) -> None:
    seen = {policy.id.lower()}
    at: Policy | None = policies.get(policy.base_id)
    while at is not None:
        if at.id.lower() in seen:
            why = _("%(policy)s is based on itself, by way of %(base)s.") % {
                "policy": policy.id,
                "base": policy.base_id,
            }
            raise PolicyError(policy.file, _base_line(policy), why)
        seen.add(at.id.lower())
        if len(seen) > LONGEST_CHAIN:
            why = _("%(policy)s inherits over more than %(most)d levels; B2C takes no more.")
            raise PolicyError(policy.file, _base_line(policy), why % {"policy": policy.id, "most": LONGEST_CHAIN})
        at = policies.get(at.base_id)


def _base_line(policy: Policy) -> int:
    base = policy.root.child("BasePolicy")
    return base.line if base is not None else policy.root.line
