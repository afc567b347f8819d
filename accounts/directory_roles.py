"""Names of Microsoft's built-in directory roles, by template id, the same in every tenant.

https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import TextChoices


class DirectoryRole(TextChoices):
    """A built-in role, by template id. The name is Microsoft's own and is not translated."""

    GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10", "Global Administrator"
    PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = (
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "Privileged Authentication Administrator",
    )
    AUTHENTICATION_ADMINISTRATOR = "c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator"
    AUTHENTICATION_POLICY_ADMINISTRATOR = "0526716b-113d-4c15-b2c8-68e3c22b9f80", "Authentication Policy Administrator"
    APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"
    CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"
    APPLICATION_DEVELOPER = "cf1c38e5-3621-4004-a7cb-879624dced7c", "Application Developer"
    USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"
    HELPDESK_ADMINISTRATOR = "729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"
    PASSWORD_ADMINISTRATOR = "966707d0-3269-4727-9be2-8c3a10f19b9d", "Password Administrator"
    SECURITY_ADMINISTRATOR = "194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"
    SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"
    SECURITY_OPERATOR = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "Security Operator"
    EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"
    SHAREPOINT_ADMINISTRATOR = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"
    TEAMS_ADMINISTRATOR = "69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator"
    CONDITIONAL_ACCESS_ADMINISTRATOR = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator"
    HYBRID_IDENTITY_ADMINISTRATOR = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", "Hybrid Identity Administrator"
    GROUPS_ADMINISTRATOR = "fdd7a751-b60b-444a-984c-02652fe8fa1c", "Groups Administrator"
    DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"
    DIRECTORY_WRITERS = "9360feb5-f418-4baa-8175-e2a00bac4301", "Directory Writers"
    GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"
    REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader"
    BILLING_ADMINISTRATOR = "b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator"
    SERVICE_SUPPORT_ADMINISTRATOR = "f023fd81-a637-4b56-95fd-791ac0226033", "Service Support Administrator"
    INTUNE_ADMINISTRATOR = "3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator"
    GUEST_INVITER = "95e79109-95c0-4d8e-aee3-d01accf2d47b", "Guest Inviter"
    USAGE_SUMMARY_REPORTS_READER = "75934031-6c7e-415a-99d7-48dbd49e875e", "Usage Summary Reports Reader"
    USER_EXPERIENCE_SUCCESS_MANAGER = "27460883-1df1-4691-b032-3b79643e5e63", "User Experience Success Manager"
    GUEST_USER = "10dae51f-b6af-4016-8d66-8c2a99b929b3", "Guest User"
    MESSAGE_CENTER_READER = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", "Message Center Reader"
    COMPLIANCE_ADMINISTRATOR = "17315797-102d-40b4-93e0-432062caca18", "Compliance Administrator"


# Marks a plain user in tokens and templates: nothing to tell anybody about.
PLAIN_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"


def role_names(template_ids: Iterable[UUID]) -> list[str]:
    """The roles in words, by name; one that is not built in is called by its id."""
    names = dict(DirectoryRole.choices)
    named = {str(template_id) for template_id in template_ids} - {PLAIN_USER}
    return sorted(names.get(template_id, template_id) for template_id in named)
