import getpass
import importlib.util
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.access import Actor
from accounts.management.naming import tenant_called
from accounts.tenancy import tenant_context
from b2c.policies.comparing import compare
from b2c.policies.linting import Severity, lint
from b2c.policies.model import GateSpec, PolicySet
from b2c.policies.reading import PolicyError, read_folder
from b2c.policies.writing import CannotWrite, Written, write
from b2c.spec import spec
from revocation.management.printing import details
from revocation.models import RevocationStep
from revocation.rules.refusals import Refused
from revocation.services.uploading import upload


class Command(BaseCommand):
    help = (
        "Judge a folder of Azure AD B2C custom policies, write those that ask the gate, compare them, and prove them."
    )

    def add_arguments(self, parser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="lint|write|compare|prove|upload")
        one = actions.add_parser("lint", help="what keeps them from refusing, with file, line, why and mend")
        self._common(one)
        one.add_argument("--quiet", action="store_true", help="only where and what")
        one = actions.add_parser("write", help="the policies that ask the gate, into a folder of their own")
        self._common(one)
        one.add_argument("--into", type=Path, required=True, help="where they are written")
        one.add_argument("--policy", action="append", help="a relying party's id; may be given again; all without it")
        one = actions.add_parser("compare", help="what `write` would change beside what is in the folder")
        self._common(one)
        one.add_argument("--policy", action="append", help="a relying party's id; may be given again; all without it")
        one = actions.add_parser("prove", help="what happens to somebody who was revoked, at each door")
        one.add_argument("folder", type=Path)
        one.add_argument("--gate", choices=["refuse", "allow", "down"], help="what the gate answers")
        one.add_argument("--revoked-by", help="gate, or one of the two dates of an account")
        one.add_argument("--minutes-after", help="how long after the token was issued")
        one.add_argument("--json", action="store_true")
        one = actions.add_parser("upload", help="a request that uploads them; administrators may have to approve it")
        one.add_argument("folder", type=Path)
        one.add_argument("--tenant", required=True, help="slug, domain or id")
        one.add_argument("--reason", required=True, help="kept in the audit record")
        one.add_argument("--ticket", default="")

    def _common(self, parser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--tenant", help="slug, domain or id: the gate is as its page says")
        parser.add_argument("--gate-url", help="without a tenant: https://portal.example/b2c/TENANT-ID")

    def handle(self, *args, action: str, folder: Path, **options) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        if action == "prove":
            self._prove(folder, options)
            return
        if action == "upload":
            self._upload(folder, options)
            return
        try:
            policies = read_folder(folder)
        except PolicyError as error:
            raise CommandError(str(error)) from None
        if not policies.policies:
            raise CommandError(f"There is no policy in {folder}.")
        gate = _gate(options)
        if action == "lint":
            self._lint(policies, gate, quiet=options["quiet"])
            return
        if gate is None:
            raise CommandError("Say which gate: --tenant, or --gate-url.")
        try:
            written = write(policies, gate, options["policy"])
        except CannotWrite as cannot:
            raise CommandError(str(cannot)) from None
        if action == "write":
            self._write(written, options["into"], folder)
        else:
            self._compare(policies, written)
        for note in written.notes:
            self.stdout.write(f"{note.policy}: {'left as it is. ' if note.left else ''}{note.what}")

    def _lint(self, policies: PolicySet, gate: GateSpec | None, *, quiet: bool) -> None:
        found = lint(policies, gate)
        for one in found:
            self.stdout.write(f"{one.file}:{one.line}: {one.severity}: {one.rule}: {one.what}")
            if not quiet:
                self.stdout.write(f"    {one.why}")
                self.stdout.write(f"    {one.mend}")
        errors = sum(one.severity is Severity.ERROR for one in found)
        self.stdout.write(f"{len(policies.policies)} policies, {len(found)} findings, {errors} of them errors.")
        if errors:
            sys.exit(1)

    def _write(self, written: Written, into: Path, folder: Path) -> None:
        if into.resolve() == folder.resolve():
            raise CommandError("Write them into a folder of their own: --into names the tenant's.")
        into.mkdir(parents=True, exist_ok=True)
        for name, content in written.files.items():
            (into / name).write_bytes(content)
            self.stdout.write(f"{into / name}")
        self.stdout.write(f"{len(written.files)} policies, in the order in which they are uploaded.")

    def _compare(self, policies: PolicySet, written: Written) -> None:
        for one in compare(policies, written):
            figures = f" +{one.added} -{one.removed}" if one.kind == "changed" else ""
            self.stdout.write(f"{one.policy}: {one.kind}{figures}")
            for line in one.lines if one.kind == "changed" else ():
                self.stdout.write(f"  {line}")

    def _prove(self, folder: Path, options: dict) -> None:
        """By the interpreter beside the portal. It is no part of the image that is deployed."""
        if importlib.util.find_spec("sandbox") is None:
            raise CommandError("The interpreter is not in this installation: prove from a checkout of the project.")
        command = [sys.executable, "-m", "sandbox.b2c", "prove", str(folder.resolve())]
        for name in ("gate", "revoked_by", "minutes_after"):
            if options[name]:
                command += [f"--{name.replace('_', '-')}", options[name]]
        command += ["--json"] if options["json"] else []
        done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
        self.stdout.write(done.stdout)
        if done.returncode:
            self.stderr.write(done.stderr)
            sys.exit(done.returncode)

    def _upload(self, folder: Path, options: dict) -> None:
        found = tenant_called(options["tenant"])
        if not options["reason"].strip():
            raise CommandError("Say why: --reason is kept in the audit record.")
        base = Actor.command_line(found.pk)
        actor = Actor(base.id, f"{getpass.getuser()} ({base.label})", tenant_id=found.pk)
        files = {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if one.suffix.lower() == ".xml"}
        with tenant_context(found.pk):
            try:
                request = upload(found, files, actor=actor, reason=options["reason"], ticket=options["ticket"])
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            for line in details(request):
                self.stdout.write(line)
            if request.is_open:
                self.stdout.write("It waits for approval, or workers go on with it; follow it with:")
                self.stdout.write(f"  manage.py revocations --tenant {found.slug} --request {request.pk}")
            elif request.steps.filter(state=RevocationStep.State.FAILED).exists():
                raise CommandError("Not every policy was uploaded.")


def _gate(options: dict) -> GateSpec | None:
    if options["tenant"]:
        tenant = tenant_called(options["tenant"])
        with tenant_context(tenant.pk):
            return spec(tenant)
    return GateSpec(options["gate_url"]) if options["gate_url"] else None
