"""Every model of the portal, and why it does not grow for ever. A model that is missing here fails a test."""

# What a rule of `retention.rules` deletes, by the rule's name.
PRUNED = {
    "revocation.RevocationRequest": "requests",
    "revocation.RevocationStep": "requests",
    "revocation.Notice": "requests",
    "revocation.ListDraft": "lists",
    "revocation.ListUpload": "lists",
    "b2c.RefreshRule": "refresh rules",
    "b2c.GateCredential": "gate credentials",
    "b2c.GateCount": "gate counts",
    "b2c.PolicyText": "policy texts",
    "inbox.Report": "inbox",
    "inbox.Dealt": "inbox",
    "inbox.Letter": "inbox",
    "inbox.DayFigures": "daily figures",
    "directory.WithdrawnGrant": "withdrawn grants",
    "accounts.User": "accounts",
    "accounts.Membership": "accounts",
    "accounts.TokenCache": "tokens",
    "accounts.EndedSession": "sessions",
    "accounts.Bucket": "buckets",
    "sessions.Session": "sessions",
    "usersessions.UserSession": "sessions",
    "socialaccount.SocialAccount": "accounts",
    "inbox.MailChoice": "accounts",
    "accounts.SavedView": "accounts",
    "admin.LogEntry": "operator's log",
}

# What `manage.py archive_audit` moves into signed files: only the owner of the tables may.
ARCHIVED = {"audit.AuditEntry": "after AUDIT_KEEP_DAYS"}

# What is as large as the tenant's directory is; the copy follows it, and rows go with what they copy.
AS_THE_DIRECTORY = {
    "directory.AgentTie",
    "directory.AppPermission",
    "directory.AppRoleAssignment",
    "directory.InheritedGrant",
    "directory.PermissionDefinition",
    "directory.PermissionGrant",
    "directory.PermissionUse",
    "directory.Person",
    "directory.RecentChange",
    "directory.SearchWord",
    "directory.ServicePrincipal",
    "b2c.KeptPolicy",
}

# What cannot grow, and why.
BOUNDED = {
    "accounts.Tenant": "one row for each tenant; `manage.py offboard` takes it",
    "accounts.Duration": "one row for each figure and set of labels, all of them few",
    "accounts.Silence": "one row for each host of Microsoft's",
    "audit.ChainHead": "one row for each tenant",
    "audit.Label": "one row for each name of a person; entries refer to it for as long as they are anywhere",
    "audit.Redaction": "one row for each older entry that names an erased person",
    "audit.Segment": "one row for 50,000 archived entries",
    "b2c.GateSetting": "one row for each tenant",
    "directory.Collection": "one row for each part of a copy",
    "directory.ConsentRules": "one row for each tenant",
    "directory.Progress": "one row for each part of a copy",
    "inbox.Standing": "one row for each tenant",
    "revocation.Heartbeat": "one row for each thing that beats",
    "revocation.WriteQuota": "four rows for each tenant",
    "account.EmailAddress": "stays empty",
    "account.EmailConfirmation": "stays empty",
    "auth.Group": "unused",
    "auth.Permission": "as many as there are models",
    "contenttypes.ContentType": "as many as there are models",
    "socialaccount.SocialApp": "stays empty",
    "socialaccount.SocialToken": "stays empty",
}
