"""A request and its steps (docs/architecture.md has the life of a step), and the rows beside them."""

import uuid
from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant, TenantOwned
from accounts.sentences import LongSentence, MadeOf, Said, ShortSentence


class RequestQuerySet(models.QuerySet):
    def open(self) -> Self:
        """What still waits for a person or for the workers."""
        return self.filter(state__in=RevocationRequest.OPEN)

    def under_way(self) -> Self:
        """What has begun, or may: it needs nobody's word any more. Paused ones too."""
        return self.filter(state__in=RevocationRequest.UNDER_WAY)


class RevocationRequest(Said, TenantOwned):
    """Something a person asked to be changed in a directory: who, why, and the digest of the exact steps."""

    class Kind(models.TextChoices):
        """What people know a request by. What it changes, and who may steer it, its steps' actions say."""

        SIGN_OUT = "sign_out", _("Sign-out")
        SIGN_OUT_SELF = "sign_out_self", _("Own sign-out")
        CONTAIN_PEOPLE = "contain_people", _("Accounts secured")
        CONTAIN_APP = "contain_app", _("App taken out")
        REMOVE_OWN_APP = "remove_own_app", _("App removed by its user")
        REMOVE_OWN_PERMISSION = "remove_own_permission", _("Permission removed by its user")
        REVOKE_USER_CONSENT = "revoke_user_consent", _("Consent withdrawn")
        REVOKE_ADMIN_CONSENT = "revoke_admin_consent", _("Admin consent withdrawn")
        DISABLE_APP = "disable_app", _("App disabled")
        ENABLE_APP = "enable_app", _("App enabled")
        DELETE_APP = "delete_app", _("App deleted")
        RESTORE_APP = "restore_app", _("App restored")
        PURGE_APP = "purge_app", _("App deleted for good")
        REVOKE_CONSENTS = "revoke_consents", _("Consents withdrawn")
        DISABLE_APPS = "disable_apps", _("Apps disabled")
        TAKE_OUT = "take_out", _("Apps taken out")
        KEEP_OUT = "keep_out", _("App kept out")
        LIVE_CHECK = "live_check", _("Live check")  # of the connection, on a test user and a test app
        UNDO = "undo", _("Undo")

    class State(models.TextChoices):
        AWAITING_APPROVAL = "awaiting_approval", _("Waiting for approval")
        RUNNING = "running", _("Under way")
        PAUSED = "paused", _("Paused")
        CANCELLED = "cancelled", _("Cancelled")
        REJECTED = "rejected", _("Rejected")
        EXPIRED = "expired", _("Approval expired")
        FINISHED = "finished", _("Finished")

    UNDER_WAY = (State.RUNNING, State.PAUSED)
    OPEN = (State.AWAITING_APPROVAL, *UNDER_WAY)
    STOPPED = (State.CANCELLED, State.REJECTED, State.EXPIRED)  # what was not begun by then never is
    CLOSED = (*STOPPED, State.FINISHED)

    SAID = {"title": "title_made"}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64, choices=Kind)
    title = ShortSentence(max_length=256)  # "Remove Mail Sidekick"
    title_made = MadeOf()
    state = models.CharField(max_length=32, choices=State, default=State.RUNNING)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=256)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)  # SHA-256 over the exact steps, hex
    step_count = models.PositiveIntegerField()
    actions = models.JSONField(default=dict)  # how many steps of each action
    people_count = models.PositiveIntegerField(default=0)  # the people its steps hit
    interactive = models.BooleanField(default=True)  # never waits behind a mass action
    high_priority = models.BooleanField(default=False)  # a mass action that may use the whole write quota
    needs_approval = models.BooleanField(default=False)
    overridden = models.BooleanField(default=False)  # a tenant admin approved it alone, in an emergency
    approver_user_id = models.UUIDField(null=True)  # the approver's account, whose rights count while it runs
    approver_id = models.CharField(max_length=64, blank=True)
    approver_label = models.CharField(max_length=256, blank=True)
    approved_digest = models.CharField(max_length=64, blank=True)
    approved_at = models.DateTimeField(null=True)
    approval_expires_at = models.DateTimeField(null=True)
    seal = models.CharField(max_length=80, default="")  # MAC over what was asked, under a key outside the database
    approval_seal = models.CharField(max_length=80, default="")  # the same over who agreed to it
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followers")  # undo, retry
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="request_by_time"),
            models.Index(fields=["tenant", "actor_id", "-created_at"], name="request_by_actor"),
            models.Index(
                fields=["tenant", "state"],
                condition=models.Q(state__in=["awaiting_approval", "running", "paused"]),
                name="request_open",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class StepQuerySet(models.QuerySet):
    def pending(self) -> Self:
        """What Microsoft has not answered yet."""
        return self.filter(state__in=RevocationStep.PENDING)

    def unsettled(self) -> Self:
        """What may still change: not answered, or not proved."""
        return self.filter(state__in=RevocationStep.UNSETTLED)

    def for_a_human(self) -> Self:
        """What went wrong and does not mend itself."""
        return self.filter(state__in=RevocationStep.FOR_A_HUMAN)

    def went_through(self) -> Self:
        """What Microsoft took, proved or not."""
        return self.filter(state__in=RevocationStep.WENT_THROUGH)


class RevocationStep(Said, TenantOwned):
    """One write in the directory, and everything known about its fate."""

    SAID = {"outcome": "outcome_made"}

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        CLAIMED = "claimed", _("Being asked")
        ACCEPTED = "accepted", _("Accepted")
        VERIFIED = "verified", _("Verified")
        NO_EFFECT = "no_effect", _("No effect")
        FAILED = "failed", _("Failed")
        UNCONFIRMED = "unconfirmed", _("Unconfirmed")
        CANCELLED = "cancelled", _("Cancelled")

    PENDING = (State.WAITING, State.CLAIMED)
    UNSETTLED = (*PENDING, State.ACCEPTED)
    FOR_A_HUMAN = (State.FAILED, State.UNCONFIRMED)
    WENT_THROUGH = (State.ACCEPTED, State.VERIFIED, State.UNCONFIRMED)
    FINAL = (State.VERIFIED, State.NO_EFFECT, *FOR_A_HUMAN, State.CANCELLED)
    # What several steps together are called by: what needs a human first, then what is furthest from proved.
    WORST_FIRST = (
        *FOR_A_HUMAN,
        State.CLAIMED,
        State.WAITING,
        State.ACCEPTED,
        State.CANCELLED,
        State.NO_EFFECT,
        State.VERIFIED,
    )

    # No indexes of their own: every index below begins with one of them, and lists are long.
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    request = models.ForeignKey(RevocationRequest, on_delete=models.PROTECT, related_name="steps", db_index=False)
    position = models.PositiveIntegerField()
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=32)
    target_id = models.CharField(max_length=128)
    target_label = models.CharField(max_length=256)
    params = models.JSONField(default=dict)
    before = models.JSONField(null=True)  # the before-image: what undo and restore put back
    urgency = models.SmallIntegerField(default=50)  # smaller goes first
    # Interactive requests jump every mass action: copied from the request, so that claiming needs one index.
    interactive = models.BooleanField(default=True)
    # A MAC over everything above, under a key that is not in the database: what was asked for is what is done.
    seal = models.CharField(max_length=80, blank=True)

    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(null=True)  # due time of the next attempt or the next proof
    lease_until = models.DateTimeField(null=True)
    called_at = models.DateTimeField(null=True)  # set, and committed, before the call leaves
    attempts = models.PositiveSmallIntegerField(default=0)
    proofs = models.PositiveSmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    graph_request_id = models.CharField(max_length=64, blank=True)
    outcome_code = models.CharField(max_length=128, blank=True)
    outcome = LongSentence(blank=True)  # one sentence for people
    outcome_made = MadeOf()
    observed = models.JSONField(null=True)  # what the directory showed just before the call, and what it shows now

    objects = StepQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "position"], name="one_step_per_position")]
        indexes = [
            models.Index(
                fields=["request", "urgency", "position"], condition=models.Q(state="waiting"), name="steps_waiting"
            ),
            models.Index(fields=["tenant", "not_before"], condition=models.Q(state="accepted"), name="steps_to_prove"),
            models.Index(fields=["tenant", "lease_until"], condition=models.Q(state="claimed"), name="steps_claimed"),
            models.Index(fields=["request", "state"], name="steps_by_state"),
            models.Index(fields=["tenant", "target_id"], name="steps_by_target"),
            # What was done to the consents of an app, and to those of a person.
            models.Index(
                "tenant",
                KT("before__client_id"),
                models.F("id").desc(),
                condition=models.Q(target_type="grant"),
                name="steps_by_app_of_grant",
            ),
            models.Index(
                "tenant",
                KT("before__principal_id"),
                models.F("id").desc(),
                condition=models.Q(target_type="grant"),
                name="steps_by_person_of_grant",
            ),
            models.Index(
                fields=["tenant", "-id"],
                condition=models.Q(state__in=["failed", "unconfirmed"]),
                name="steps_for_a_human",
            ),
        ]


def worst(states: Iterable[str]) -> RevocationStep.State:
    """What several steps together are called by, in pages, reports and results alike."""
    found = set(states)
    return next((state for state in RevocationStep.WORST_FIRST if state in found), RevocationStep.State.VERIFIED)


class WriteQuota(models.Model):
    """One of Microsoft's write quotas, or a tenant's share of one, as all workers count it together.

    Key: "tenant:<tid>" for one app in one tenant, "mass:<tid>" and "clicks:<tid>" for the shares of
    mass actions and of clicks, "app" for the whole app.
    """

    class Reading(models.TextChoices):
        WINDOWS = "windows", _("in windows")
        CONTINUOUS = "continuous", _("continuously")

    key = models.CharField(primary_key=True, max_length=64)
    # As windows: when the present one opened, the writes let out since, and those that Microsoft did in it.
    opened_at = models.DateTimeField()
    taken = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    # As a bucket that refills all the time: what it held at that time.
    level = models.FloatField()
    level_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)  # a 429 said so
    # Which of the two Microsoft's answers showed; empty while neither was seen.
    reading = models.CharField(max_length=16, choices=Reading, blank=True)
    seen_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict)  # "writes" done within "seconds", and the "wait" of a 429
    probe_after = models.DateTimeField(null=True)  # nothing is tried out before

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When the sweeper last came round ("sweep"). Belongs to no tenant: a name and a time."""

    name = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()  # by the clock of the worker
    database_at = models.DateTimeField(null=True)  # the same moment by the database's

    def __str__(self) -> str:
        return self.name


class ListDraft(TenantOwned):
    """A resolved selection waiting for its confirmation. Read only through `revocation.lists.kept`."""

    class Source(models.TextChoices):
        PASTE = "paste", _("A pasted list")
        FILE = "file", _("A file")
        GROUP = "group", _("A group")
        APP = "app", _("Everyone who consented to an app")
        EVERYONE = "everyone", _("Everyone in the tenant")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor_id = models.CharField(max_length=64)  # only this person may see and confirm it
    source = models.CharField(max_length=16, choices=Source)
    source_label = models.CharField(max_length=256, blank=True)
    source_id = models.CharField(max_length=64, blank=True)  # of the group or app
    recipe = models.CharField(max_length=32)
    options = models.JSONField(default=dict, db_default={})  # what the recipe needs besides the people: a rule's terms
    counts = models.JSONField(default=dict)
    rows = models.BinaryField()  # `Selection.packed()`
    digest = models.CharField(max_length=64)
    copy_complete_at = models.DateTimeField(null=True)  # how old the directory copy was
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # Set in the transaction that creates the request: a second click finds it and creates nothing.
    request = models.ForeignKey(RevocationRequest, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["tenant", "actor_id", "-created_at"], name="draft_by_actor")]

    def __str__(self) -> str:
        return f"{self.get_source_display()} ({self.created_at:%Y-%m-%d %H:%M})"


class UploadQuerySet(models.QuerySet):
    def lost(self) -> Self:
        """What nobody reads at the moment, and somebody should: new, or of a worker that died."""
        free = models.Q(taken_until=None) | models.Q(taken_until__lt=timezone.now())
        return self.filter(free, draft=None, trouble="", attempts__lt=3, expires_at__gt=timezone.now())


class ListUpload(TenantOwned):
    """A long list that a worker reads. Written only by `revocation.lists.reading`; see there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor_id = models.CharField(max_length=64)  # only this person may see it
    user_id = models.UUIDField()  # their account, whose roles count when it is read
    source = models.CharField(max_length=16, choices=ListDraft.Source)
    source_label = models.CharField(max_length=256, blank=True)
    recipe = models.CharField(max_length=32)
    options = models.JSONField(default=dict)
    content = models.BinaryField()  # compressed; empty once it was read
    lines = models.PositiveIntegerField()
    read = models.PositiveIntegerField(default=0)  # of the lines
    attempts = models.PositiveSmallIntegerField(default=0)
    taken_until = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)  # why it cannot be taken, in a sentence
    draft = models.ForeignKey(ListDraft, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["tenant"], condition=models.Q(draft=None, trouble=""), name="uploads_to_read"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} ({self.created_at:%Y-%m-%d %H:%M})"

    @property
    def gave_up(self) -> bool:
        """Whether nobody tries any more, and nothing says why."""
        over = self.taken_until is None or self.taken_until < timezone.now()
        return self.draft_id is None and not self.trouble and self.attempts >= 3 and over


class Notice(TenantOwned):
    """One e-mail to one affected person. The row comes before the mail, so that nobody is told twice."""

    request = models.ForeignKey(RevocationRequest, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    claimed_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)  # handed to the mail server
    fault = models.CharField(max_length=128, blank=True)  # what kind of error; never the address or the text

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "person_id"], name="one_notice_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} ({self.request_id})"
