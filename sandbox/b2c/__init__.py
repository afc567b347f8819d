"""A pretend Azure AD B2C: custom policies read and carried out, a tenant with three apps, and the proof of what blocks.

Written from Microsoft's documents and what its users report, and from nothing of the portal's: the two read policies
independently, so that one checks the other. What no source says is *cannot tell*, see `engine.choices`.
"""
