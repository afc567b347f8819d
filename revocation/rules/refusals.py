"""Why a change was not begun. Nothing was changed in the directory by any of them."""

from django.utils.translation import gettext as _


class Refused(Exception):
    """A rule or a fact says no. `str()` is a sentence for the person who asked.

    Refused
      NothingToRevoke     there is nothing to do, or only what others decided is left
      Protected           the target is protected from this
      WrongConfirmation   what was typed to confirm is not the app's name
      Unreachable         Microsoft could not be asked first
      NotGranted          the tenant did not grant the portal what it needs
      NotPossible         the request is in a state, or too old, for what was asked
      NotApproved         this approval cannot be given: by this person, for these steps, or any more

    Attributes:
        request_id: Microsoft's id of the failed request, where one failed.
    """

    def __init__(self, text: str, *, request_id: str = "") -> None:
        super().__init__(text)
        self.request_id = request_id


class NothingToRevoke(Refused):
    def __init__(self, text: str = "") -> None:
        super().__init__(text or _("There is nothing to revoke. Nothing was recorded."))


class Protected(Refused):
    """`reasons` says why, by the id of what is protected."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(" ".join(dict.fromkeys(reasons.values())))
        self.reasons = reasons


class WrongConfirmation(Refused):
    pass


class Unreachable(Refused):
    pass


class NotGranted(Refused):
    pass


class NotPossible(Refused):
    pass


class NotApproved(Refused):
    pass
