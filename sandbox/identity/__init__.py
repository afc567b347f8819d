"""The identity half of the sandbox: sign-in, consent, tokens and sign-out, as Entra ID v2.0 serves them.

`sandbox.identity.routes.routes(world)` is the door. Nothing in here is imported by the portal: it meets these pages
over HTTP, exactly as it would meet Microsoft's.

Where Microsoft's documents leave a question open, this is what was chosen:

- A sign-in counts when it is younger than the person's valid-from time, compared to the microsecond. Entra prints
  valid-from in whole seconds, and so does AADSTS50173 here.
- The OpenID scopes, `offline_access` among them, are asked for with the first consent to an app. Afterwards any grant
  implies them, so removing only `offline_access` from a grant ends no refresh token.
- `.default` asks for consent only where nothing is granted yet for that API.
- A guest's refresh tokens hang on the account at home: revoking the guest object changes nothing.
- Personal accounts are refused everywhere, in the words of the path they came by.
- An interactive sign-in satisfies every authentication context (`acrs`); there is no second factor.
- `max_age` brings `auth_time` along; no other optional claim comes unless the registration asks for it.
- `.default` for an API that the registration does not list is 650057, or 650056 where it lists nothing at all.
- Under a cloud's hosts the tenants of another cloud are not found (90002), not told to be elsewhere.
- A person at home has one Azure subscription, apps and guests have none.
"""
