"""Why a request was not made or not changed. Nothing was changed in the directory by any of them."""

from django.utils.translation import gettext as _


class Refused(Exception):
    """A rule says no. The message is a sentence for people.

    Refused
      NothingToRevoke   there is nothing to do
      Protected         the target is protected from this
      NotPossible       the request is in a state, or too old, for what was asked
      NotApproved       this approval cannot be given: by this person, for these steps, or any more
    """


class NothingToRevoke(Refused):
    def __init__(self, text: str = "") -> None:
        super().__init__(text or _("There is nothing to revoke. Nothing was recorded."))


class Protected(Refused):
    """`reasons` says why, by the id of what is protected."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(" ".join(dict.fromkeys(reasons.values())))
        self.reasons = reasons


class NotPossible(Refused):
    pass


class NotApproved(Refused):
    pass
