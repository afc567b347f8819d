"""`manage.py doctor`: is this tenant connected, which permission is missing, what does that switch off.

With `--live`, also: does Microsoft answer each kind of call as we expect (docs/live-check.md).
"""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import selectors as accounts
from accounts.management.naming import find_tenants
from accounts.models import Tenant
from accounts.permissions import Standing
from accounts.tenancy import no_context, tenant_context
from directory import selectors
from graph import certificate
from graph.explain import Words
from tenants import claims, clocks, connection
from tenants.live import command as live

_LIVE = ("user", "app", "yes", "write")


class Command(BaseCommand):
    help = "Act in one tenant, or in every connected one, and say in plain words what works. Fails on any fault."

    def add_arguments(self, parser):
        parser.add_argument("--tenant", help="slug, domain or id; without it, every active tenant")
        live.add_arguments(parser)

    def handle(self, *args, tenant, **options):
        faulty = False
        if options["live"] and not tenant:
            raise CommandError("Name the tenant of a live check: --tenant.")
        if ending := certificate.warning():
            self.stdout.write(f"  ! {ending}")
        for difference in clocks.differences():
            faulty |= self._clock(difference)
        with no_context(), clocks.of_answers() as answers:
            tenants = find_tenants(tenant) if tenant else [one for one in find_tenants(None) if one.is_active]
            if not tenants:
                raise CommandError("No tenant is connected yet. An administrator begins at /onboarding/ of the portal.")
            for one in tenants:
                with tenant_context(one.pk):
                    faulty |= not self._examine(one)
                    if options["live"]:
                        faulty |= not live.run(self, one, **{name: options[name] for name in _LIVE})
        for difference in answers.differences():
            faulty |= self._clock(difference)
        if faulty:
            raise CommandError("Something is wrong; see above.")

    def _clock(self, difference: clocks.Difference) -> bool:
        """Print where a clock is off. Returns whether things fail by it."""
        if difference.is_fault:
            self._bad(str(difference))
        elif difference.is_off:
            self.stdout.write(f"  ! {difference}")
        else:
            self._good(f"{difference.whose} and {difference.other} agree.")
        return difference.is_fault

    def _examine(self, tenant: Tenant) -> bool:
        """Print what is found. Returns whether all is well."""
        self.stdout.write(self.style.MIGRATE_HEADING(f"{tenant.name} ({tenant.pk}), {tenant.get_state_display()}"))
        found = connection.check(tenant)
        if found.problem:
            self._problem(found.problem)
        else:
            name = f" as {found.organization}" if found.organization else ""
            self._good(f"Microsoft gives the portal a token, and Graph answers{name}.")
        for finding in found.findings:
            if finding.granted:
                self._good(f"{finding.permission}")
            elif finding.standing == Standing.NOT_KNOWN:
                self.stdout.write(f"  ? {finding.permission}: whether it is granted is not known. {finding.text}")
            elif finding.optional:
                self.stdout.write(f"  - {finding.permission} is not granted (optional). {finding.text}")
            else:
                self._bad(f"{finding.permission} is missing. {finding.text}")
        if found.too_much:
            self.stdout.write(f"  ! {found.too_much}")
        self._sign_in(tenant)
        self._claims(tenant)
        self._copy(tenant)
        return found.works

    def _claims(self, tenant: Tenant) -> None:
        missing = claims.not_asked_for(tenant)
        if missing is None:
            self.stdout.write("  ? Whether the registration asks for the claims shows once somebody has signed in.")
        elif not missing:
            self._good("The registration asks for the claims.")
        for name, without in (missing or {}).items():
            self.stdout.write(f"  - The registration does not ask for the claim {name}, so {without}.")

    def _problem(self, problem: Words) -> None:
        code = f" ({problem.code})" if problem.code else ""
        self._bad(f"{problem.what}{code}")
        for line in (problem.fix, problem.request_id and f"Microsoft's request id: {problem.request_id}"):
            if line:
                self.stdout.write(f"    {line}")

    def _sign_in(self, tenant: Tenant) -> None:
        """Whether directory roles count here: only where the registration asks for them do tokens name any."""
        told = accounts.directory_roles_told(tenant)
        if told:
            self._good("Sign-in says which directory roles people hold.")
        elif told is False:
            self.stdout.write(
                "  - Sign-in does not say which directory roles people hold, so only the portal's own roles count. Add"
                " the groups claim with directory roles to the registration (Token configuration)."
            )

    def _copy(self, tenant: Tenant) -> None:
        for collection in selectors.freshness(tenant).values():
            label = collection.get_kind_display()
            if not collection.complete_at:
                self.stdout.write(f"  - {label}: never read to the end. {collection.error}".rstrip())
                continue
            age = timezone.now() - collection.complete_at
            text = f"{label}: {collection.row_count}, complete {int(age.total_seconds() // 60)} minutes ago."
            self.stdout.write(f"  - {text} {collection.error}".rstrip())

    def _good(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS("  ok ") + text)

    def _bad(self, text: str) -> None:
        self.stdout.write(self.style.ERROR("  FAULT ") + text)
