"""What a request has done once it is proved, told to whoever reads the record."""

from django.utils.translation import gettext_lazy as _

from revocation.models import RevocationRequest

Kind = RevocationRequest.Kind

DONE = {
    Kind.SIGN_OUT: _("{who} signed {target} out"),
    Kind.SIGN_OUT_SELF: _("{who} signed out everywhere"),
    Kind.CONTAIN_PEOPLE: _("{who} secured the account of {target}"),
    Kind.DISABLE_APP: _("{who} disabled {target}"),
    Kind.ENABLE_APP: _("{who} enabled {target}"),
    Kind.DELETE_APP: _("{who} deleted {target}"),
    Kind.RESTORE_APP: _("{who} restored {target}"),
    Kind.PURGE_APP: _("{who} deleted {target} for good"),
    Kind.KEEP_OUT: _("{who} keeps {target} out"),
}
