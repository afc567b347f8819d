"""What the gate knows: rules that refuse a refresh, how each tenant wants to be asked, and who may ask.

Rules are written by the spine's actions only (`revocation/actions/refuse_refresh`), so that each has a request, an
audit entry and an undo. The gate reads; all it ever writes are `GateCount`s.
"""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant, TenantOwned

EVERYONE = uuid.UUID(int=0)  # in the place of a person's object id, so that one index scan finds both
ANY_POLICY = ""


class RuleQuerySet(models.QuerySet):
    def in_force(self) -> Self:
        """What refuses now: neither ended nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), ended_at=None)


class RefreshRule(TenantOwned):
    """Whose refresh is refused, where, and when. Exactly one of `issued_before` and `condition` says when.

    A list or a group is one rule for each of its people, made by one request.
    """

    class Condition(models.TextChoices):
        """What has to be true of a claim for a refusal. It holds until that changes; nobody has to end the rule."""

        MISSING = "missing", _("is missing")
        EQUALS = "equals", _("equals")
        DIFFERS = "differs", _("differs from what it was when the token was issued")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)

    person_id = models.UUIDField(default=EVERYONE)  # object id
    person_label = models.CharField(max_length=256, blank=True)
    app_id = models.UUIDField(null=True)  # client id; null: any application
    app_label = models.CharField(max_length=256, blank=True)
    policy_id = models.CharField(max_length=128, blank=True, default=ANY_POLICY)  # in small letters: B2C ignores case

    issued_before = models.DateTimeField(null=True)  # compared strictly; see `rules`
    condition = models.CharField(max_length=16, choices=Condition, blank=True)
    claim = models.CharField(max_length=64, blank=True)
    value = models.CharField(max_length=256, blank=True)

    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    author_id = models.CharField(max_length=64)
    author_label = models.CharField(max_length=256)
    request_id = models.UUIDField()  # the revocation request that made it
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=256, blank=True)  # a label; empty where it ran out by itself

    objects = RuleQuerySet.as_manager()

    class Meta:
        indexes = [
            # The gate's one query. Ended rules are not in it, however many there are.
            models.Index(fields=["tenant", "person_id", "policy_id"], condition=Q(ended_at=None), name="rule_to_apply"),
            models.Index(fields=["tenant", "-created_at", "id"], condition=Q(ended_at=None), name="rule_in_force"),
            models.Index(fields=["tenant", "-created_at", "id"], name="rule_by_time"),
            models.Index(fields=["tenant", "request_id"], name="rule_by_request"),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="rule_to_expire"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(Q(issued_before__isnull=False) & Q(condition="") & Q(claim=""))
                | (Q(issued_before=None) & ~Q(condition="") & ~Q(claim="")),
                name="one_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_label or self.person_id} / {self.app_label or self.policy_id or '*'}"

    @property
    def is_for_everyone(self) -> bool:
        return self.person_id == EVERYONE

    @property
    def is_narrow(self) -> bool:
        """One person in one application: what helpdesk may ask for."""
        return not self.is_for_everyone and self.app_id is not None


class GateSetting(TenantOwned):
    """How a tenant's gate behaves. No row: the tenant has none."""

    class Fails(models.TextChoices):
        """What is answered where the gate cannot decide: the database is away, or a claim it needs was not sent."""

        CLOSED = "closed", _("Closed: nobody gets a new token until it can be decided")
        OPEN = "open", _("Open: everybody gets a new token until it can be decided")

    class Authentication(models.TextChoices):
        BASIC = "Basic", _("User name and password (Basic)")
        API_KEY = "ApiKeyHeader", _("Key in a header (ApiKeyHeader)")

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    is_b2c = models.BooleanField(default=False)
    fails = models.CharField(max_length=8, choices=Fails, default=Fails.CLOSED)
    # Microsoft's sample lets a token pass that was issued less than five minutes before the revocation.
    tolerance = models.BooleanField(default=False)
    authentication = models.CharField(max_length=16, choices=Authentication, default=Authentication.BASIC)
    id_prefix = models.CharField(max_length=32, default="Consentry")  # of the ids that generated policies add
    # Which applications sign in through a policy: {policy in small letters: [client ids]}. B2C is not known to name
    # the client at a refresh, so a rule about an application is found by the policy.
    apps_by_policy = models.JSONField(default=dict, blank=True)
    messages = models.JSONField(default=dict, blank=True)  # what a refused person is told: {language: text}
    country_attribute = models.CharField(max_length=64, blank=True)  # of the recipe "no refresh without a country"
    # Entra External ID: the registration its calls are issued for, and the tenant's own sign-in host.
    extension_app_id = models.UUIDField(null=True, blank=True)
    extension_host = models.CharField(max_length=253, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"gate of {self.tenant_id}"


class GateCredential(TenantOwned):
    """What B2C proves itself with. Kept as a keyed hash; shown once, when it is made. Two are valid at a time."""

    VALID_AT_A_TIME = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=80)  # the id of the hash's key, then the hash
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=256)
    used_at = models.DateTimeField(null=True)  # to within a minute or so
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=256, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.id)[:8]


class KeptPolicy(TenantOwned):
    """A custom policy of the tenant as it was read last. Pages about policies read these rows and ask nobody."""

    policy_id = models.CharField(max_length=128)  # as its file spells it
    xml = models.BinaryField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("policy_id"), "tenant", name="one_row_per_policy")]

    def __str__(self) -> str:
        return self.policy_id


class PolicyText(TenantOwned):
    """The XML of a policy that is to be uploaded, or that an upload replaced, found by its digest.

    A policy may have a megabyte: requests, seals and records hold the digest, and so hold the text.
    """

    sha256 = models.CharField(max_length=64)
    xml = models.BinaryField()
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sha256"], name="one_row_per_text")]

    def __str__(self) -> str:
        return self.sha256


class GateCount(TenantOwned):
    """How often the gate was asked, and what it answered: a sampled counter. B2C repeats calls: these are no people."""

    class Door(models.TextChoices):
        REFRESH = "refresh", _("Refresh")
        SIGN_IN = "sign_in", _("Sign-in")
        ISSUANCE = "issuance", _("Token issuance (External ID)")

    class Answer(models.TextChoices):
        OPEN = "open", _("let through")
        REFUSED = "refused", _("refused")
        UNDECIDED = "undecided", _("could not be decided")

    hour = models.DateTimeField()
    door = models.CharField(max_length=16, choices=Door)
    policy_id = models.CharField(max_length=128, blank=True)
    answer = models.CharField(max_length=16, choices=Answer)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour", "door", "policy_id", "answer"], name="one_count")
        ]

    def __str__(self) -> str:
        return f"{self.door} {self.answer}: {self.count}"
