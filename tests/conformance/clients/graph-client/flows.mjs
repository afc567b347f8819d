// The Graph client for JavaScript with azure-identity's credentials, against the sandbox's own address.

import assert from "node:assert/strict";
import { ClientSecretCredential, DeviceCodeCredential } from "@azure/identity";
import { BatchRequestContent, BatchResponseContent, Client, PageIterator } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from
  "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";
import {
  change, COMMAND_LINE, CONTOSO, control, enterCode, PORTAL, refused, SECRET, stage, tell,
} from "./telling.mjs";

const options = { authorityHost: stage.url, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };

function graph(credential, scopes = ["https://graph.microsoft.com/.default"]) {
  const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes });
  return Client.initWithMiddleware({ baseUrl: `${stage.url}/`, customHosts: new Set(["localhost"]), authProvider });
}

const portal = () => graph(new ClientSecretCredential(CONTOSO, PORTAL, SECRET, options));

await tell({
  "people counted, chosen and searched": async () => {
    const eventual = (path) => portal().api(path).header("ConsistencyLevel", "eventual").count(true);
    const all = await eventual("/users").select(["id", "displayName"]).top(999).get();
    assert.equal(all["@odata.count"], 12);
    assert.deepEqual(Object.keys(all.value[0]).sort(), ["displayName", "id"]);
    const found = await eventual("/users").search('"displayName:Adele"').get();
    assert.deepEqual(found.value.map((one) => one.displayName), ["Adele Vance"]);
  },
  "apps page by page": async () => {
    const client = portal();
    const seen = [];
    const first = await client.api("/servicePrincipals").select("id").top(5).get();
    await new PageIterator(client, first, (one) => seen.push(one.id) > 0).iterate();
    assert.ok(seen.length > 10);
    assert.equal(new Set(seen).size, seen.length);
  },
  "somebody who is not there": async () => {
    const error = await refused(portal().api("/users/nobody@contoso.example").get(), /./);
    assert.deepEqual([error.statusCode, error.code], [404, "Request_ResourceNotFound"]);
  },
  "a batch": async () => {
    // The client sends the path alone, and the batch's own address names the version.
    const ask = (id, path) => ({ id, request: new Request(`https://graph.microsoft.com${path}`) });
    const content = new BatchRequestContent([ask("1", "/users/adele@contoso.example"), ask("2", "/users/nobody")]);
    const answer = new BatchResponseContent(await portal().api("/$batch").post(await content.getContent()));
    const said = [answer.getResponseById("1"), answer.getResponseById("2")];
    assert.deepEqual(said.map((one) => one.status), [200, 404], await said[0].text());
  },
  "429 and Retry-After are waited out": async () => {
    const rule = { path: "/users", status: 429, code: "TooManyRequests", retry_after: 1, count: 1 };
    await control("faults", { rules: [rule] });
    const began = performance.now();
    assert.equal((await portal().api("/users").get()).value.length, 12);
    assert.ok(performance.now() - began >= 1000);
  },
  "a grant deleted": async () => {
    const client = portal();
    const path = "/users/adele@contoso.example/oauth2PermissionGrants";
    const [grant] = (await client.api(path).get()).value;
    await client.api(`/oauth2PermissionGrants/${grant.id}`).delete();
    assert.ok(!(await client.api(path).get()).value.some((one) => one.id === grant.id));
  },
  "a person's sessions revoked": async () => {
    const answer = await portal().api("/users/adele@contoso.example/revokeSignInSessions").post({});
    assert.equal(answer.value, true);
  },
  "an app deleted and restored": async () => {
    const client = portal();
    const [found] = (await client.api("/servicePrincipals").filter("displayName eq 'Mail Sidekick'").get()).value;
    await client.api(`/servicePrincipals/${found.id}`).delete();
    await client.api(`/directory/deletedItems/${found.id}/restore`).post({});
    assert.equal((await client.api(`/servicePrincipals/${found.id}`).get()).appId, found.appId);
  },
  "a person with a device code reads their profile": async () => {
    const credential = new DeviceCodeCredential({
      ...options,
      tenantId: CONTOSO,
      clientId: COMMAND_LINE,
      userPromptCallback: (told) => void enterCode(told.userCode, "Adele Vance"),
    });
    const me = await graph(credential, ["User.Read"]).api("/me").get();
    assert.equal(me.userPrincipalName, "adele@contoso.example");
  },
  "an app that was switched off": async () => {
    await change("disable_app", { app: PORTAL });
    await refused(portal().api("/users").get(), /7000112/);
  },
});
