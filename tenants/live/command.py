"""`manage.py doctor --live`: the live check at the command line, with its question before and its lines after."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Tenant
from graph.errors import GraphError
from tenants.live.expected import Expectations, Fixture, Provenance, fixtures
from tenants.live.run import Line, LiveCheck, Stopped, leftovers, put_back
from tenants.live.subject import Subject, Unfit, subject

QUESTION = """This makes one call of each kind in {tenant}, in the portal's name and on Microsoft's directory.
  {user}: signed out everywhere, twice. That cannot be put back.
  {app}: given a consent and an assignment of that user, disabled, deleted; then all of it is put back.
Nobody and nothing else is changed. Every change is in the audit record, under "live check".
"""


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--live", action="store_true", help="try one call of each kind on a test user and a test app")
    parser.add_argument("--user", help="with --live: the test user's object id or user principal name")
    parser.add_argument("--app", help="with --live: the test app's object id or client id")
    parser.add_argument("--yes", action="store_true", help="with --live: do not ask first")
    parser.add_argument("--write", metavar="FOLDER", help="with --live: write the cleaned exchanges there, as JSON")


def run(command: BaseCommand, tenant: Tenant, *, user: str, app: str, yes: bool, write: str | None) -> bool:
    """Check, print, and write. Returns whether everything was as expected and is as it was.

    Raises:
        CommandError: the user or the app is unfit, Microsoft cannot be asked, or the operator said no.
    """
    say = command.stdout.write
    if not user or not app:
        raise CommandError("Name a test user and a test app: --user and --app. Nothing was changed.")
    for request in leftovers(tenant):
        say(f"An earlier check was cut off: putting back {request.title}.")
        if trouble := put_back(request):
            raise CommandError(" ".join(trouble))
    try:
        found = subject(tenant, user, app)
    except (Unfit, GraphError) as reason:
        raise CommandError(f"{reason} Nothing was changed.") from reason
    if not yes and not _agreed(say, found):
        raise CommandError("Nothing was changed.")
    with _stopping_in_order() as asked_to_stop:
        check = LiveCheck(found, Expectations(fixtures()), lambda text: say(f"  - {text}"), asked_to_stop)
        try:
            check.run()
        except Stopped:
            check.trouble.append("Stopped before the end.")
        finally:
            for line in check.lines:
                say(_said(command, line))
            for trouble in check.trouble:
                say(command.style.ERROR("  FAULT ") + trouble)
            if write:
                say(f"{_written(Path(write), check.lines)} exchanges written to {write}.")
    differing = sum(1 for line in check.lines if line.differences)
    unknown = sum(1 for line in check.lines if line.fixture is None)
    say(f"{len(check.lines)} kinds of answers: {differing} differ, {unknown} without a fixture.")
    return not differing and not check.trouble


def _agreed(say, found: Subject) -> bool:
    say(QUESTION.format(tenant=found.tenant.name, user=found.person.upn, app=f"{found.app} ({found.app.app_id})"))
    return input("Type yes to go on: ").strip().lower() == "yes"


def _said(command: BaseCommand, line: Line) -> str:
    one = line.exchange
    options = "?" + "&".join(sorted(one.query)) if one.query else ""
    code = f" {one.code}" if one.code else ""
    what = f"{one.method} /{one.version}{one.path}{options} → {one.status}{code}"
    if line.fixture is None:
        return f"  new    {what}"
    if not line.differences:
        return command.style.SUCCESS("  same   ") + what
    known = f"{line.fixture.name}, known by: {line.fixture.provenance}"
    return "\n         ".join([command.style.ERROR("  DIFFERS ") + f"{what} ({known})", *line.differences])


def _written(folder: Path, lines: list[Line]) -> int:
    """One file for each kind of call and status; what was seen again with another shape takes the first's place."""
    folder.mkdir(parents=True, exist_ok=True)
    names = set()
    for line in lines:
        known = line.fixture if line.fixture and line.fixture.exchange.status == line.exchange.status else None
        name = known.name if known else _name(line)
        about = known.about if known else ""
        source = (f"a tenant of Microsoft's, {date.today():%Y-%m-%d}",)
        needs = known.needs if known else ()
        about = about or "Seen in a live check."
        made = Fixture(name, about, Provenance.TENANT, source, False, line.exchange, needs)
        (folder / f"{name}.json").write_text(made.as_json())
        names.add(name)
    return len(names)


def _name(line: Line) -> str:
    one = line.exchange
    words = [one.method, one.path, *sorted(one.query), str(one.status)]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")


@contextmanager
def _stopping_in_order() -> Iterator[threading.Event]:
    """The event is set when somebody asks the process to stop: what is under way is finished, and then put back.

    An exception out of a signal could leave a call half sent, and the database's connection of no use.
    """
    asked = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: asked.set()) for one in signals}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
