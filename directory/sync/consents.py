"""Reads who may let apps in: the policy in force. `read` is called at the end of a reading of the directory."""

import logging

from django.utils import timezone

from accounts.models import Tenant
from directory.features import CONSENT_POLICY, switched_off
from directory.models import ConsentRules
from graph.client import GraphClient
from graph.errors import GraphError

logger = logging.getLogger(__name__)


def read(tenant: Tenant, client: GraphClient) -> None:
    """Bring what is known of the consent policy up to date. What may not be read is not known."""
    rules, _made = ConsentRules.objects.get_or_create(tenant=tenant)
    if switched_off(tenant, CONSENT_POLICY.key):
        ConsentRules.objects.filter(pk=rules.pk).update(own_policies=None, read_at=None)
        return
    try:
        policies = sorted(client.own_consent_policies())
    except GraphError as error:
        logger.info("The consent policy of %s could not be read: %s", tenant.pk, error)
        return
    ConsentRules.objects.filter(pk=rules.pk).update(own_policies=policies, read_at=timezone.now())
