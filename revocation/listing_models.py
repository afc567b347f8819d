"""Rows beside requests and steps: a list between its preview and its confirmation, and who was told afterwards."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from directory.models import TenantOwned


class ListDraft(TenantOwned):
    """A resolved selection waiting for its confirmation. Read only through `revocation.listing.drafts`."""

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
    counts = models.JSONField(default=dict)
    rows = models.BinaryField()  # `Selection.packed()`
    digest = models.CharField(max_length=64)
    copy_complete_at = models.DateTimeField(null=True)  # how old the directory copy was
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # Set in the transaction that creates the request: a second click finds it and creates nothing.
    request = models.ForeignKey("revocation.RevocationRequest", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["tenant", "actor_id", "-created_at"], name="draft_by_actor")]

    def __str__(self) -> str:
        return f"{self.get_source_display()} ({self.created_at:%Y-%m-%d %H:%M})"


class Notice(TenantOwned):
    """One e-mail to one affected person. The row comes before the mail, so that nobody is told twice."""

    request = models.ForeignKey("revocation.RevocationRequest", on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    claimed_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)  # handed to the mail server
    fault = models.CharField(max_length=128, blank=True)  # what kind of error; never the address or the text

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "person_id"], name="one_notice_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} ({self.request_id})"
