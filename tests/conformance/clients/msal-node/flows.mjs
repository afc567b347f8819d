// MSAL for Node against the sandbox's own address.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from "@azure/msal-node";
import {
  change, COMMAND_LINE, CONTOSO, control, enterCode, HOST, PORTAL, REDIRECT, refused, SECRET, signIn, stage, TAILSPIN, tell,
} from "./telling.mjs";

const DEFAULT = ["https://graph.microsoft.com/.default"];
const CAE = { clientCapabilities: ["CP1"] };

function app(authority, credential = { clientSecret: SECRET }, more = {}) {
  const auth = { clientId: PORTAL, authority: `${stage.url}/${authority}`, knownAuthorities: [HOST] };
  return new ConfidentialClientApplication({ auth: { ...auth, ...credential, ...more } });
}

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

async function started(client, scopes = ["User.Read", "offline_access"]) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const request = { scopes, redirectUri: REDIRECT, state: "s", nonce: "n" };
  const more = { codeChallenge: challenge, codeChallengeMethod: "S256", responseMode: "query" };
  const answer = await signIn(await client.getAuthCodeUrl({ ...request, ...more }), "Adele Vance");
  assert.equal(answer.state, "s");
  return { payload: { ...request, code: answer.code, codeVerifier: verifier }, answer };
}

async function signedIn(client, scopes) {
  const { payload, answer } = await started(client, scopes);
  return client.acquireTokenByCode(payload, answer);
}

await tell({
  "an app with a secret": async () => {
    const found = await app(CONTOSO).acquireTokenByClientCredential({ scopes: DEFAULT });
    assert.ok(claims(found.accessToken).roles.includes("User.RevokeSessions.All"));
  },
  "an app with a certificate": async () => {
    const certificates = [stage.certificate];
    await change("registration", { app: PORTAL, certificates });
    const thumbprintSha256 = createHash("sha256").update(new X509Certificate(stage.certificate).raw).digest("hex");
    const clientCertificate = { thumbprintSha256, privateKey: stage.key };
    const found = await app(CONTOSO, { clientCertificate }).acquireTokenByClientCredential({ scopes: DEFAULT });
    assert.equal(claims(found.accessToken).appidacr, "2");
  },
  "a certificate that is not registered": async () => {
    const clientCertificate = { thumbprintSha256: "ab".repeat(32), privateKey: stage.key };
    const asked = app(CONTOSO, { clientCertificate }).acquireTokenByClientCredential({ scopes: DEFAULT });
    await refused(asked, /700027/);
  },
  "wrong secret": async () => {
    const asked = app(CONTOSO, { clientSecret: "wrong" }).acquireTokenByClientCredential({ scopes: DEFAULT });
    await refused(asked, /7000215/);
  },
  "a tenant without consent": async () => {
    await refused(app(TAILSPIN).acquireTokenByClientCredential({ scopes: DEFAULT }), /7000229/);
  },
  "an API that no tenant has": async () => {
    const asked = app(CONTOSO).acquireTokenByClientCredential({ scopes: ["https://nobody.example/.default"] });
    await refused(asked, /500011/);
  },
  "a person with a code and PKCE, then silently": async () => {
    const client = app("organizations");
    const found = await signedIn(client);
    assert.equal(found.account.username, "adele@contoso.example");
    assert.equal(found.idTokenClaims.tid, CONTOSO);
    const again = await client.acquireTokenSilent({ scopes: ["User.Read"], account: found.account, forceRefresh: true });
    assert.notEqual(again.accessToken, found.accessToken);
  },
  "a code used twice": async () => {
    const client = app("organizations");
    const { payload, answer } = await started(client);
    await client.acquireTokenByCode(payload, answer);
    await refused(client.acquireTokenByCode(payload, answer), /54005/);
  },
  "the wrong verifier": async () => {
    const client = app("organizations");
    const { payload, answer } = await started(client);
    await refused(client.acquireTokenByCode({ ...payload, codeVerifier: "w".repeat(64) }, answer), /501481/);
  },
  "signed out everywhere": async () => {
    const client = app("organizations");
    const { account } = await signedIn(client);
    await change("revoke_sessions", { user: "adele@contoso.example" });
    const asked = client.acquireTokenSilent({ scopes: ["User.Read"], account, forceRefresh: true });
    const error = await refused(asked, /50173/);
    assert.equal(error.name, "InteractionRequiredAuthError");
  },
  "consent withdrawn": async () => {
    const client = app("organizations");
    const { account } = await signedIn(client);
    await change("withdraw", { app: PORTAL });
    await refused(client.acquireTokenSilent({ scopes: ["User.Read"], account, forceRefresh: true }), /65001/);
  },
  "the app switched off": async () => {
    const client = app("organizations");
    const { account } = await signedIn(client);
    await change("disable_app", { app: PORTAL });
    await refused(client.acquireTokenSilent({ scopes: ["User.Read"], account, forceRefresh: true }), /7000112/);
  },
  "a token that can be challenged lasts a day": async () => {
    const found = await signedIn(app("organizations", undefined, CAE));
    assert.deepEqual(claims(found.accessToken).xms_cc, ["CP1"]);
    assert.ok(found.expiresOn - Date.now() > 20 * 3600 * 1000);
  },
  "a registration for one tenant, at organizations": async () => {
    const client = app(CONTOSO);
    await signedIn(client);
    await change("registration", { app: PORTAL, multi_tenant: false });
    const elsewhere = app("organizations");
    const payload = { scopes: ["User.Read"], redirectUri: REDIRECT, code: "1.x" };
    await refused(elsewhere.acquireTokenByCode({ ...payload, state: "s" }, { code: "1.x", state: "s" }), /50194/);
    await signedIn(client);
  },
  "tokens of Graph that cannot be read": async () => {
    await control("identity", { opaque_graph_tokens: true });
    const found = await app(CONTOSO).acquireTokenByClientCredential({ scopes: DEFAULT });
    assert.ok(!found.accessToken.includes("."));
  },
  "an API calls another for the person who called it": async () => {
    const found = await signedIn(app("organizations"), [`${PORTAL}/.default`, "offline_access"]);
    const asked = { oboAssertion: found.accessToken, scopes: ["User.Read"] };
    const handedOn = await app(CONTOSO).acquireTokenOnBehalfOf(asked);
    assert.equal(claims(handedOn.accessToken).upn, "adele@contoso.example");
  },
  "a device code": async () => {
    const auth = { clientId: COMMAND_LINE, authority: `${stage.url}/organizations`, knownAuthorities: [HOST] };
    const found = await new PublicClientApplication({ auth }).acquireTokenByDeviceCode({
      scopes: ["User.Read"],
      deviceCodeCallback: (told) => void enterCode(told.userCode, "Adele Vance"),
    });
    assert.equal(found.account.username, "adele@contoso.example");
  },
});
