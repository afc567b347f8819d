"""Tenants, the people who sign in, and what they may do where."""

import uuid
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import keys
from accounts.roles import Capability, Role, capabilities


class Tenant(models.Model):
    """An Entra tenant the portal knows. The operator's registry: not itself tenant-owned."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting for admin consent")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended by the operator")
        OFFBOARDED = "offboarded", _("left")

    class SignOutAction(models.TextChoices):
        REVOKE_SESSIONS = "revoke_sessions", _("revokeSignInSessions (v1.0)")
        INVALIDATE_TOKENS = "invalidate_tokens", _("invalidateAllRefreshTokens (beta, B2C custom policies)")

    id = models.UUIDField(primary_key=True, help_text=_("The Entra tenant id (`tid`)."))
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=256)
    domain = models.CharField(max_length=256, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    connected_at = models.DateTimeField(null=True, blank=True)

    # What Microsoft said last: features switch themselves by it (accounts.permissions). Never asked is not "nothing".
    granted_permissions = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    permissions_checked_at = models.DateTimeField(null=True, blank=True)
    permissions_unknown_since = models.DateTimeField(null=True, blank=True)  # since when Microsoft does not tell
    # Object id of the portal's own service principal in this tenant, which must never be touched.
    own_service_principal_id = models.UUIDField(null=True, blank=True)

    sign_out_action = models.CharField(max_length=32, choices=SignOutAction, default=SignOutAction.REVOKE_SESSIONS)
    approval_threshold = models.PositiveIntegerField(
        default=50, help_text=_("A revocation touching more people than this needs a second approver.")
    )
    approve_app_deletion = models.BooleanField(default=False)
    allow_emergency_override = models.BooleanField(default=False)
    # The rule of two persons before it was loosened, and until when it holds on: see revocation.rules.two_persons.
    stricter_rule = models.JSONField(default=dict, blank=True)
    stricter_until = models.DateTimeField(null=True, blank=True)
    # A MAC over these and the emergency accounts, under a key outside the database: see the same place.
    rule_seal = models.CharField(max_length=80, blank=True, default="", db_default="")
    write_share_percent = models.PositiveSmallIntegerField(
        default=80, help_text=_("Share of Microsoft's write quota a mass action may use.")
    )
    break_glass_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    # Whom a worried person may ask: shown to everybody of the tenant. Empty where the tenant names nobody.
    contact_name = models.CharField(max_length=100, blank=True, default="", db_default="")
    contact_phone = models.CharField(max_length=40, blank=True, default="", db_default="")
    contact_mail = models.EmailField(max_length=254, blank=True, default="", db_default="")
    notify_people = models.BooleanField(default=False)
    notify_subject = models.CharField(max_length=200, blank=True)
    notify_body = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE


class TenantOwned(models.Model):
    """A row of one tenant, read only through selectors that take the tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class UserManager(BaseUserManager):
    def create_user(self, username: str, password: str | None = None, **fields):
        user = self.model(username=username, **fields)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields):
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by (`tid`, `oid`). The operator's own account has neither."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(max_length=80, unique=True)  # "<tid>.<oid>" for people from Entra
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, related_name="+")
    object_id = models.UUIDField(null=True)
    display_name = models.CharField(max_length=256, blank=True)
    upn = models.CharField(max_length=256, blank=True)  # for display only: it changes owners
    language = models.CharField(max_length=16, blank=True, default="", db_default="")  # that mails are written in
    is_guest = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # Whether the last ID token said which directory roles there are. None before the first.
    directory_roles_told = models.BooleanField(null=True)
    identity_checked_at = models.DateTimeField(null=True)
    # One request at a time asks Microsoft again; until then others wait, and after a failure so does everybody.
    identity_lease_until = models.DateTimeField(null=True)
    # Raised whenever this person's tokens are wiped, so that a refresh under way cannot write them back. It is part of
    # the session's hash, so that every session signed in before is worthless, also one no list of sessions knew.
    token_epoch = models.PositiveIntegerField(default=0)
    # The operator's second factor, encrypted, and the half minute whose code was used last: `accounts.second_factor`.
    factor = models.BinaryField(null=True)
    factor_used = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "username"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "object_id"], name="one_account_per_person")]

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_session_auth_hash(self) -> str:
        return self._epoch_hash()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._epoch_hash(secret)

    def _epoch_hash(self, secret: str | None = None) -> str:
        value = f"{self.password}:{self.token_epoch}"
        return salted_hmac("consentry.session", value, secret=secret, algorithm="sha256").hexdigest()


class Membership(models.Model):
    """What one person may do in one tenant: their own, or another whose admin let them in."""

    class Source(models.TextChoices):
        ENTRA = "entra", _("from sign-in")
        GRANTED = "granted", _("granted by the tenant's admin")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=32, choices=Role), default=list)
    source = models.CharField(max_length=16, choices=Source, default=Source.ENTRA)
    granted_by = models.CharField(max_length=256, blank=True)
    # Who let them in, by object id: the granter, then whoever had let the granter in, up to one of the tenant's own.
    let_in_by = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    granted_at = models.DateTimeField(null=True, blank=True)  # since when they hold a role that they did not before
    # A MAC over who may do what, under a key outside the database: nobody is let in by writing a row.
    seal = models.CharField(max_length=80, blank=True, default="", db_default="")
    # Who was let in, for this tenant's pages: the account itself belongs to another tenant and stays hidden.
    person_label = models.CharField(max_length=256, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="one_membership_per_tenant")]

    def __str__(self) -> str:
        return f"{self.user} @ {self.tenant}"

    @property
    def object_id(self) -> uuid.UUID | None:
        """The person's own object id in this tenant's directory; None where they are only let in."""
        return self.user.object_id if self.user.tenant_id == self.tenant_id else None

    def sealed(self) -> str:
        """The seal this row ought to have."""
        return keys.seal("membership", str(self.tenant_id), self._fixed())

    def holds(self, home: uuid.UUID | None) -> bool:
        """Whether it is as it was given. `home` is the person's own tenant, where Entra says again and again."""
        return home == self.tenant_id or keys.holds(self.seal, "membership", str(self.tenant_id), self._fixed())

    def _fixed(self) -> list:
        since = self.granted_at.isoformat() if self.granted_at else None
        return [str(self.user_id), str(self.source), list(self.roles), list(self.let_in_by), since]

    @property
    def roles_known(self) -> bool:
        """False where Microsoft told of no role and may just not have been asked: then there may be one."""
        silent = self.user.directory_roles_told is False and self.source == self.Source.ENTRA
        return not silent or self.roles != [Role.USER]

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        return capabilities(self.roles)

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities


class SavedView(TenantOwned):
    """Filters of a list under a name: one person's, in one tenant. Nobody else is shown them, and no entry is made."""

    class List(models.TextChoices):
        APPS = "apps"
        PERMISSIONS = "permissions"
        PEOPLE = "people"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    list = models.CharField(max_length=16, choices=List)
    name = models.CharField(max_length=64)
    query = models.CharField(max_length=2000)  # as an address says it, without its "?"

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "list", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name


class EndedSession(models.Model):
    """A portal session that was ended from elsewhere, so that its browser can be told: see `accounts.ended`."""

    digest = models.CharField(max_length=64, primary_key=True)  # of the session's key, which opens nothing any more
    reason = models.CharField(max_length=64, blank=True)
    by_owner = models.BooleanField()
    ended_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest


class Bucket(models.Model):
    """How much one person may still do of something, and when: see `accounts.pace`. A key, a number and a time."""

    key = models.CharField(primary_key=True, max_length=64)  # "<account id>:<what>"
    level = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Silence(models.Model):
    """A host of Microsoft's that answers nobody, as some process found out: see `accounts.outages`. Of no tenant."""

    host = models.CharField(primary_key=True, max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()  # the word of the one who found out holds until then

    def __str__(self) -> str:
        return self.host


class Duration(models.Model):
    """How long something took, in all processes together: see `accounts.durations`. Of no tenant, and of nobody."""

    id = models.BigAutoField(primary_key=True)
    figure = models.CharField(max_length=64)
    labels = ArrayField(models.CharField(max_length=64))
    counts = ArrayField(models.BigIntegerField())  # one for each bucket, the last for what took longer than any
    seconds = models.FloatField(default=0)  # all of it added up

    class Meta:
        constraints = [models.UniqueConstraint(fields=["figure", "labels"], name="one_row_per_duration")]

    def __str__(self) -> str:
        return f"{self.figure} {self.labels}"


class TokenCache(models.Model):
    """One person's MSAL cache, encrypted. Written only by `accounts.token_store`."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    blob = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"tokens of {self.user_id}"
