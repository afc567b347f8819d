"""Rows beside the copy: words by which things are found, what we changed a moment ago, who may let apps in."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Tenant, TenantOwned

LISTS_LAG = timedelta(minutes=20)  # for so long a list of the whole tenant may say what is not so any more


class Copied(TenantOwned):
    """A row of a long table.

    Each of its indexes begins with the tenant, and one of the tenant alone only costs. So does a constraint, which
    looks the tenant up for every row: row-level security lets in no row but those of the tenant that is worked on.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class SearchWord(Copied):
    """A word by which something is found: of names and addresses, and what is said of an app. See `directory.words`."""

    class Kind(models.TextChoices):
        APP = "app", _("app")
        PERSON = "person", _("person")
        FACT = "fact", _("fact")  # of an app: the whole key of a reason

    kind = models.CharField(max_length=8, choices=Kind)
    # By the bytes: PostgreSQL may use such an index behind row-level security, and none of text search or trigrams.
    word = models.CharField(max_length=64, db_collation="C")
    target_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "word", "target_id"], name="one_row_per_word")]
        indexes = [models.Index(fields=["tenant", "kind", "target_id"], name="word_by_target")]

    def __str__(self) -> str:
        return self.word


class RecentChange(TenantOwned):
    """Something we changed and proved a moment ago, so that a lagging read does not bring the old state back.

    `state` is what we know of it now, {} for something that is gone. Rows past `expires_at` mean nothing.
    """

    class Kind(models.TextChoices):
        APP = "app", _("app")
        GRANT = "grant", _("grant")
        ASSIGNMENT = "assignment", _("assignment")
        EARLIER_GRANT = "earlier_grant", _("earlier grant")  # since when one was seen that we took out
        EARLIER_PERSON = "earlier_person", _("earlier person")  # in the bin, and their grants with them

    kind = models.CharField(max_length=16, choices=Kind)
    target_id = models.CharField(max_length=128)
    state = models.JSONField(default=dict)
    expires_at = models.DateTimeField()
    # Microsoft said otherwise meanwhile. It says each change once, so what it says is asked for when this row expires.
    contradicted = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "target_id"], name="one_recent_change")]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_id}"


class WithdrawnGrant(Copied):
    """A grant that Microsoft named and names no more, though nobody took it back here: see `directory.sync.withdrawn`.

    Ids, and no names of people: whose it was is told for as long as the copy knows them.
    """

    graph_id = models.CharField(max_length=128)
    client_id = models.UUIDField()
    app_name = models.CharField(max_length=256)
    principal_id = models.UUIDField(null=True)  # none where an administrator had given it for everyone
    scopes = ArrayField(models.CharField(max_length=256))
    gone_at = models.DateTimeField()  # when that was seen

    class Meta:
        indexes = [models.Index(fields=["tenant", "-gone_at", "-id"], name="withdrawn_by_time")]

    def __str__(self) -> str:
        return f"{self.app_name} {self.graph_id}"


class ConsentRules(TenantOwned):
    """Who may let apps in, as Microsoft's authorization policy says, and what people asked an administrator for.

    What was never read, or may not be, is null and not known: it says nothing about what is allowed.
    """

    own_policies = ArrayField(models.CharField(max_length=256), null=True)  # by which people may consent for themselves
    read_at = models.DateTimeField(null=True)
    requests = models.JSONField(null=True)  # [{"app_id", "name", "scopes"}], waiting for an administrator
    requests_read_at = models.DateTimeField(null=True)
    dates_until = models.DateTimeField(null=True)  # to here the audit log was read for who consented when

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_row_of_consent_rules")]

    def __str__(self) -> str:
        return f"{self.own_policies}"
