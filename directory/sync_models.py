"""How far each part of the copy has been read. `directory.sync` alone reads and writes these rows; pages do not."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import TenantOwned


class Progress(TenantOwned):
    """One part of the copy: the list that is being read, the link under which its changes go on, and its troubles.

    Written in the transaction that stores a page: whatever ends a process, the next one goes on after that page.
    """

    class Part(models.TextChoices):
        """The parts by themselves; the first four are kinds of `Collection` too."""

        APPS = "service_principals"
        PEOPLE = "people"
        GRANTS = "grants"
        ASSIGNMENTS = "assignments"
        DELETED_APPS = "deleted_apps"
        ROLES = "roles"
        AGENTS = "agents"
        PERMISSIONS = "permissions"  # what the tenant granted the portal
        USE = "use"  # when apps were last used
        ACTIVITY = "activity"  # when people were last active
        WORDS = "words"  # what the permissions of resources mean
        DERIVED = "derived"  # the columns computed from others, of all apps
        RECOVERY = "recovery"  # whether a recovery job of Microsoft's changed the directory in silence
        COUNTS = "counts"  # whether the copy agrees with Microsoft's own numbers and lists
        OWN_LISTS = "own_lists"  # grants from each app's own list, where the list of all leaves some out
        CONSENTS = "consents"  # when apps were consented to

    part = models.CharField(max_length=32)

    # A list being read, page by page.
    started_at = models.DateTimeField(null=True)
    named_since = models.DateTimeField(null=True)  # rows older than this the list has not named so far
    next_link = models.TextField(blank=True)
    seen = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(null=True)  # Graph's own number, from the first page
    unreadable = models.PositiveIntegerField(default=0)
    kept = ArrayField(models.CharField(max_length=128), default=list)  # rows that are there and cannot be read

    # What changed since.
    delta_link = models.TextField(blank=True)
    delta_at = models.DateTimeField(null=True)  # when that link was given
    done_at = models.DateTimeField(null=True)  # when the part was last read to its end
    due = models.CharField(max_length=32, blank=True)  # why it is to be read again in full; empty where it is not
    doubt = models.TextField(blank=True)  # why what was read cannot be all of it, in words

    # A part that cannot be read waits, longer each time, and holds nothing else up.
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "part"], name="one_progress_per_part")]

    def __str__(self) -> str:
        return self.part
