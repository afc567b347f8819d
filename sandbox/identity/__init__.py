"""The identity half of the sandbox: sign-in, consent, tokens and sign-out, as Entra ID v2.0 serves them.

`sandbox.identity.routes.routes(world)` is the door. Nothing in here is imported by the portal: it meets these pages
over HTTP, exactly as it would meet Microsoft's.
"""
