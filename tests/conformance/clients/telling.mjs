// What every flow in JavaScript has: where the sandbox is, people who sign in, and a line for how a flow went.

import assert from "node:assert/strict";

export const stage = JSON.parse(process.env.STAGE);
export const CONTOSO = "11111111-1111-4111-8111-111111111111";
export const TAILSPIN = "33333333-3333-4333-8333-333333333333";
export const PORTAL = "c0c0c0c0-0000-4000-8000-000000000001";
export const COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
export const SECRET = "sandbox-portal-secret";
export const REDIRECT = "http://127.0.0.1:8000/accounts/entra/login/callback/";
export const HOST = new URL(stage.url).host;

async function post(path, body) {
  const answer = await fetch(stage.helper + path, { method: "POST", body });
  const said = await answer.text();
  if (!answer.ok) throw new Error(said);
  return said;
}

/** A person signs in at this address, in a browser: the values the application is told. */
export async function signIn(address, person) {
  const query = new URLSearchParams({ address, person });
  return Object.fromEntries(new URL(await post(`/sign-in?${query}`)).searchParams);
}

export const enterCode = (code, person) => post(`/enter-code?${new URLSearchParams({ code, person })}`);
export const control = (name, values = {}) => post(`/control/${name}`, JSON.stringify(values));
export const change = (what, values) => control("world", { tenant: CONTOSO, do: what, ...values });

/** The error of a promise that has to fail, known to say this. */
export async function refused(promise, saying) {
  const error = await promise.then(
    (value) => assert.fail(`it was let through: ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  assert.match(`${error.message} ${error.errorCode ?? ""} ${error.body ?? ""}`, saying);
  return error;
}

/** Run flows one after another, each in the world as it begins, and say how each went. */
export async function tell(flows) {
  for (const [flow, act] of Object.entries(flows)) {
    await control("reset");
    const began = performance.now();
    let why = "";
    try {
      await act();
    } catch (error) {
      why = `${error.name}: ${error.message}`;
    }
    console.log(JSON.stringify({ flow, why, seconds: (performance.now() - began) / 1000 }));
  }
}
