"""What `accounts` announces. `audit` listens; nothing here knows of it.

Every signal carries `tenant_id` (None for a tenant we do not know), `actor_id`, `actor_label` and `reason`. The last
ones also carry `target_id` and `target_label`: whose membership it is, or which tenant (`target_type` "tenant").
"""

from django.dispatch import Signal

signed_in = Signal()
sign_in_refused = Signal()
session_ended = Signal()
stepped_up = Signal()
membership_granted = Signal()
membership_revoked = Signal()
tenant_changed = Signal()  # by the operator; what it was and is now stands in `reason`
