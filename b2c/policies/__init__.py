"""Custom policies of Azure AD B2C as bytes: read, judged, written, compared. No models, no settings, no network.

https://learn.microsoft.com/azure/active-directory-b2c/custom-policy-overview
"""
