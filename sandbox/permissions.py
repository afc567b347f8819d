"""The permissions that the pretend Microsoft Graph offers, with the ids they have in every tenant."""

from __future__ import annotations

from sandbox.objects import AppRole, Scope, make_id

LOW_IMPACT = {"openid", "profile", "email", "offline_access", "User.Read"}

# Two lines each: id, value, who may consent; name and what it tells people.
_DELEGATED = """
37f7f235-527c-4136-accd-4a02d197296e openid user
    Sign users in | Lets the app know who you are when you sign in.
14dad69e-099b-42c9-810b-d002981feec1 profile user
    View users' basic profile | Lets the app see your name, picture and user name.
64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0 email user
    View users' email address | Lets the app read your primary email address.
7427e0e9-2fba-42fe-b0c0-848c9e6a8182 offline_access user
    Maintain access to data you have given it access to | Lets the app use what you allowed while you are away.
e1fe6dd8-ba31-4d61-89e7-88639da4683d User.Read user
    Sign in and read user profile | Lets you sign in to the app, and the app read your profile.
b340eb25-3456-403f-be2f-af7a0d370277 User.ReadBasic.All user
    Read all users' basic profiles | Lets the app read others' names and addresses.
a154be20-db9c-4678-8ab7-66f6cc099a59 User.Read.All admin
    Read all users' full profiles | Lets the app read everybody's full profile.
b4e74841-8e56-480b-be8b-910348b18b4c User.ReadWrite user
    Read and update user profile | Lets the app read and change your profile.
204e0828-b5ca-4ad8-b9f3-f32a958e7cc4 User.ReadWrite.All admin
    Read and write all users' full profiles | Lets the app read and change everybody's full profile.
fc30e98b-8810-4501-81f5-c20a3196387b User.RevokeSessions.All admin
    Revoke all sign in sessions for a user | Lets the app end people's sign-in sessions.
41ce6ca6-6826-4807-84f1-1c82854f7ee5 DelegatedPermissionGrant.ReadWrite.All admin
    Manage all delegated permission grants | Lets the app grant and withdraw what apps may do for people.
06da0dbc-49e2-44d2-8312-53f166ab848a Directory.Read.All admin
    Read directory data | Lets the app read your organisation's directory.
c5366453-9fb0-48a5-a156-24f0c49a4b84 Directory.ReadWrite.All admin
    Read and write directory data | Lets the app read and change your organisation's directory.
0e263e50-5827-48a4-b97c-d940288653c7 Directory.AccessAsUser.All admin
    Access the directory as you | Lets the app see and change in the directory what you can.
c79f8feb-a9db-4090-85f9-90d820caa0eb Application.Read.All admin
    Read applications | Lets the app read the applications of your organisation.
bdfbf15f-ee85-4955-8675-146e8e5296b5 Application.ReadWrite.All admin
    Read and write all applications | Lets the app create, change and delete applications.
84bccea3-f856-4a8a-967b-dbe0a3d53a64 AppRoleAssignment.ReadWrite.All admin
    Manage app permission grants and app role assignments | Lets the app grant application permissions.
e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20 AuditLog.Read.All admin
    Read audit log data | Lets the app read the audit log of your organisation.
bc024368-1153-4739-b217-4326f2e966d0 GroupMember.Read.All admin
    Read group memberships | Lets the app list groups and who is in them.
5f8c59db-677d-491f-a6b8-5f174b11ec1d Group.Read.All admin
    Read all groups | Lets the app list groups and read their contents.
4e46008b-f24c-477d-8fff-7bb4ec7aafe0 Group.ReadWrite.All admin
    Read and write all groups | Lets the app change groups and their contents.
4908d5b9-3fb2-4b1e-9336-1888b7937185 Organization.Read.All admin
    Read organization information | Lets the app read facts about your organisation.
741c54c3-0c1e-44a1-818b-3f97ab4e8c83 RoleManagement.Read.Directory admin
    Read directory RBAC settings | Lets the app read who holds which directory role.
d01b97e9-cbc0-49fe-810a-750afd5527a3 RoleManagement.ReadWrite.Directory admin
    Read and write directory RBAC settings | Lets the app give and take directory roles.
570282fd-fa5c-430d-a7fd-fc8dc98a9dca Mail.Read user
    Read user mail | Lets the app read your mail.
a4b8392a-d8d1-4954-a029-8e668a39a170 Mail.ReadBasic user
    Read user basic mail | Lets the app read your mail without its bodies and attachments.
024d486e-b451-40bb-833d-3e66d98c5c73 Mail.ReadWrite user
    Read and write access to user mail | Lets the app read, change and delete your mail. Does not include sending mail.
e383f46e-2787-4529-855e-0e479a3ffac0 Mail.Send user
    Send mail as a user | Lets the app send mail as you.
87f447af-9fa4-4c32-9dfa-4a57a73d18ce MailboxSettings.Read user
    Read user mailbox settings | Lets the app read your mailbox settings.
818c620a-27a9-40bd-a6a5-d96f7d610b4b MailboxSettings.ReadWrite user
    Read and write user mailbox settings | Lets the app change your mailbox settings.
465a38f9-76ea-45b9-9f34-9e8b0d4b0b42 Calendars.Read user
    Read user calendars | Lets the app read events in your calendars.
1ec239c2-d7c9-4623-a91a-a9775856bb36 Calendars.ReadWrite user
    Have full access to user calendars | Lets the app read, change and delete events in your calendars.
ff74d97f-43af-4b68-9f2a-b77ee6968c5d Contacts.Read user
    Read user contacts | Lets the app read your contacts.
d56682ec-c09e-4743-aaf4-1a3aac4caa21 Contacts.ReadWrite user
    Have full access to user contacts | Lets the app read, change and delete your contacts.
ba47897c-39ec-4d83-8086-ee8256fa737d People.Read user
    Read users' relevant people lists | Lets the app read a list of people relevant to you.
10465720-29dd-4523-a11a-6a75c743c9d9 Files.Read user
    Read user files | Lets the app read your files.
df85f4d6-205c-4ac5-a5ea-6bf408dba283 Files.Read.All user
    Read all files that user can access | Lets the app read all files you can open.
5c28f0bf-8a70-41f1-8ab2-9032436ddb65 Files.ReadWrite user
    Have full access to user files | Lets the app read, change and delete your files.
863451e7-0667-486c-a5d6-d135439485f0 Files.ReadWrite.All user
    Have full access to all files user can access | Lets the app read, change and delete all files you can open.
205e70e5-aba6-4c52-a976-6d2d46c48043 Sites.Read.All user
    Read items in all site collections | Lets the app read documents and lists in all sites for you.
89fe6a52-be36-487e-b7d8-d061c450a026 Sites.ReadWrite.All user
    Edit or delete items in all site collections | Lets the app change documents and lists in all sites for you.
5a54b8b3-347c-476d-8f8e-42d5c7424d29 Sites.FullControl.All admin
    Have full control of all site collections | Lets the app control all sites for you.
371361e4-b9e2-4a3f-8315-2a301a3b0a3d Notes.Read user
    Read user OneNote notebooks | Lets the app read your notebooks.
615e26af-c38a-4150-ae3e-c3b0d4cb1d6a Notes.ReadWrite user
    Read and write user OneNote notebooks | Lets the app read and change your notebooks.
f45671fb-e0fe-4b4b-be20-3d3ce43f1bcb Tasks.Read user
    Read user's tasks and task lists | Lets the app read your tasks.
2219042f-cab5-40cc-b0d2-16b1540b4c5f Tasks.ReadWrite user
    Create, read, update, and delete user's tasks and task lists | Lets the app change your tasks.
f501c180-9344-439a-bca0-6cbf209fd270 Chat.Read user
    Read user chat messages | Lets the app read your chats.
9ff7295e-131b-4d94-90e1-69fde507ac11 Chat.ReadWrite user
    Read and write user chat messages | Lets the app read your chats and write in them.
76bc735e-aecd-4a1d-8b4c-2b915deabb79 Presence.Read user
    Read user's presence information | Lets the app see whether you are available.
a65f2972-a4f8-4f5e-afd7-69ccb046d5dc OnlineMeetings.ReadWrite user
    Read and create user's online meetings | Lets the app create online meetings for you.
652390e4-393a-48de-9484-05f9b1212954 IMAP.AccessAsUser.All user
    Read and write access to mailboxes via IMAP | Lets the app read and change your mail through IMAP.
258f6531-6087-4cc4-bb90-092c5fb3ed3f SMTP.Send user
    Send emails from mailboxes using SMTP AUTH | Lets the app send mail as you through SMTP.
64733abd-851e-478a-bffb-e47a14b18235 SecurityEvents.Read.All admin
    Read your organization's security events | Lets the app read security events.
02e97553-ed7b-43d0-ab3c-f8bace0d040c Reports.Read.All admin
    Read all usage reports | Lets the app read usage reports.
572fea84-0151-49b2-9301-11cb16974376 Policy.Read.All admin
    Read your organization's policies | Lets the app read policies.
"""

# What the consent page calls a permission when somebody consents for themselves, where that is not its name.
_TO_THE_PERSON = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    "User.Read": "Sign you in and read your profile",
    "User.ReadWrite": "Read and update your profile",
    "Mail.Read": "Read your mail",
    "Mail.ReadBasic": "Read your basic mail",
    "Mail.ReadWrite": "Read and write access to your mail",
    "Mail.Send": "Send mail as you",
    "MailboxSettings.Read": "Read your mailbox settings",
    "MailboxSettings.ReadWrite": "Read and write to your mailbox settings",
    "Calendars.Read": "Read your calendars",
    "Calendars.ReadWrite": "Have full access to your calendars",
    "Contacts.Read": "Read your contacts",
    "Contacts.ReadWrite": "Have full access to your contacts",
    "People.Read": "Read your relevant people list",
    "Files.Read": "Read your files",
    "Files.Read.All": "Read all files that you have access to",
    "Files.ReadWrite": "Have full access to your files",
    "Files.ReadWrite.All": "Have full access to all files you have access to",
    "Notes.Read": "Read your OneNote notebooks",
    "Notes.ReadWrite": "Read and write to your OneNote notebooks",
    "Tasks.Read": "Read your tasks and task lists",
    "Tasks.ReadWrite": "Create, read, update and delete your tasks and task lists",
    "Chat.Read": "Read your chat messages",
    "Chat.ReadWrite": "Read and write your chat messages",
    "Presence.Read": "Read your presence information",
    "OnlineMeetings.ReadWrite": "Read and create your online meetings",
    "IMAP.AccessAsUser.All": "Read and write access to your mail via IMAP",
    "SMTP.Send": "Send emails from your mailbox using SMTP AUTH",
}

# Two lines each: id, value; name.
_APPLICATION = """
97235f07-e226-4f63-ace3-39588e11d3a1 User.ReadBasic.All
    Read all users' basic profiles
df021288-bdef-4463-88db-98f22de89214 User.Read.All
    Read all users' full profiles
741f803b-c850-494e-b5df-cde7c675a1ca User.ReadWrite.All
    Read and write all users' full profiles
77f3a031-c388-4f99-b373-dc68676a979e User.RevokeSessions.All
    Revoke all sign in sessions for a user
8e8e4742-1d95-4f68-9d56-6ee75648c72a DelegatedPermissionGrant.ReadWrite.All
    Manage all delegated permission grants
7ab1d382-f21e-4acd-a863-ba3e13f7da61 Directory.Read.All
    Read directory data
19dbc75e-c2e2-444c-a770-ec69d8559fc7 Directory.ReadWrite.All
    Read and write directory data
9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30 Application.Read.All
    Read all applications
1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9 Application.ReadWrite.All
    Read and write all applications
18a4783c-866b-4cc7-a460-3d5e5662c884 Application.ReadWrite.OwnedBy
    Manage apps that this app creates or owns
06b708a9-e830-4db3-a914-8e69da51d44f AppRoleAssignment.ReadWrite.All
    Manage app permission grants and app role assignments
b0afded3-3588-46d8-8b3d-9842eff778da AuditLog.Read.All
    Read all audit log data
1260ad83-98fb-4785-abbb-d6cc1806fd41 ConsentRequest.Read.All
    Read consent requests
98830695-27a2-44f7-8c18-0c3ebc9698f6 GroupMember.Read.All
    Read all group memberships
5b567255-7703-4780-807c-7be8301ae99b Group.Read.All
    Read all groups
498476ce-e0fe-48b0-b801-37ba7e2685c6 Organization.Read.All
    Read organization information
483bed4a-2ad3-4361-a73b-c83ccdbdc53c RoleManagement.Read.Directory
    Read all directory RBAC settings
9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8 RoleManagement.ReadWrite.Directory
    Read and write all directory RBAC settings
810c84a8-4a9e-49e6-bf7d-12d183f40d01 Mail.Read
    Read mail in all mailboxes
e2a3a72e-5f79-4c64-b1b1-878b674786c9 Mail.ReadWrite
    Read and write mail in all mailboxes
b633e1c5-b582-4048-a93e-9f11b44c7e96 Mail.Send
    Send mail as any user
798ee544-9d2d-430c-a058-570e29e34338 Calendars.Read
    Read calendars in all mailboxes
089fe4d0-434a-44c5-8827-41ba8a0b17f5 Contacts.Read
    Read contacts in all mailboxes
01d4889c-1287-42c6-ac1f-5d1e02578ef6 Files.Read.All
    Read files in all site collections
75359482-378d-4052-8f01-80520e7db3cd Files.ReadWrite.All
    Read and write files in all site collections
332a536c-c7ef-4017-ab91-336970924f0d Sites.Read.All
    Read items in all site collections
a82116e5-55eb-4c41-a434-62fe8a61c773 Sites.FullControl.All
    Have full control of all site collections
230c1aed-a721-4c5d-9cb4-a90514e508ef Reports.Read.All
    Read all usage reports
246dd0d5-5bd0-4def-940b-0421030a5b68 Policy.Read.All
    Read your organization's policies
79a677f7-b79d-40d0-a36a-3e6f8688dd7a Policy.ReadWrite.TrustFramework
    Read and write trust framework policies
fff194f1-7dce-4428-8301-1badb5518201 TrustFrameworkKeySet.Read.All
    Read trust framework key sets
"""

# Value; name. Microsoft's table gives these no ids, so they have ids of our own.
_OF_AGENTS = """
AgentIdentity.Read.All
    Read all agent identities
AgentIdentity.ReadWrite.All
    Read and write all agent identities
AgentIdentity.EnableDisable.All
    Enable and disable agent identities
AgentIdentity.DeleteRestore.All
    Delete and restore agent identities
AgentIdentityBlueprintPrincipal.Read.All
    Read all agent identity blueprint principals
AgentIdentityBlueprintPrincipal.EnableDisable.All
    Enable and disable agent identity blueprint principals
AgentIdentityBlueprintPrincipal.DeleteRestore.All
    Delete and restore agent identity blueprint principals
"""


def _entries(table: str) -> list[tuple[list[str], list[str]]]:
    lines = table.strip().splitlines()
    return [
        (ids.split(), [word.strip() for word in words.split(" | ")])
        for ids, words in zip(lines[::2], lines[1::2], strict=True)
    ]


def _scope(ids: list[str], words: list[str]) -> Scope:
    scope_id, value, consent = ids
    name, description = words
    return Scope(
        id=scope_id,
        value=value,
        admin_only=consent == "admin",
        name=name,
        description=f"{description} It acts for the signed-in person.",
        user_name=_TO_THE_PERSON.get(value, name),
        user_description=description,
        low_impact=value in LOW_IMPACT,
    )


def _role(ids: list[str], words: list[str]) -> AppRole:
    role_id, value = ids
    return AppRole(id=role_id, value=value, name=words[0], description=f"{words[0]}, without a signed-in user.")


GRAPH_SCOPES = [_scope(*entry) for entry in _entries(_DELEGATED)]
GRAPH_ROLES = [_role(*entry) for entry in _entries(_APPLICATION)]
GRAPH_ROLES += [_role([make_id("permission", value), value], words) for [value], words in _entries(_OF_AGENTS)]
