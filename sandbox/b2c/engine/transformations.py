"""Claims transformations: those of the starter pack and the common ones. Of others it is not known what comes out.

https://learn.microsoft.com/azure/active-directory-b2c/claimstransformations
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sandbox.b2c.engine import assertions
from sandbox.b2c.engine.claims import RESOLVER, resolved
from sandbox.b2c.engine.running import Running
from sandbox.b2c.engine.values import Unknown, moment, of_default, written
from sandbox.b2c.reading.definitions import Transformation

Out = dict[str, Any]
# Documented ones that compute and never fail a journey. What they compute is not followed here.
HARMLESS = frozenset(
    "generatejson getclaimfromjson getsingleitemfromjson getlocalizedstringstransformation hash lookupvalue"
    " getmappedvaluefromlocalizedcollection stringreplace stringsplit stringjoin stringsubstring"
    " getsingleitemfromstringcollection parsedomain convertstringtophonenumberclaim convertphonenumberclaimtostring"
    " getnationalnumberandcountrycodefromphonenumberstring convertnumbertostringclaim adjustnumber"
    " converttobase64string convertdatetodatetimeclaim convertdatetimetodateclaim createotpsecret"
    " getissuersfromuseridentitycollectiontransformation removeuseridentityfromcollectionbyissuer builduri"
    " setclaimsifregexmatch setclaimsifstringsmatch setclaimsifstringsareequal isTermsOfUseConsentRequired"
    " getagegroupandconsentprovided getagegroupconsentprovidedandrequiresconsent guidandrandomgenerator"
    " additemtouseridentitycollection createuseridentity formatlocalizedstring stringcollectioncontainsclaim"
    " copyclaimifpredicatematch comparebooleanclaimtovalue".lower().split()
)


def transform(run: Running, transformation_id: str) -> None:
    """Carry out one transformation on the claims.

    Raises:
        Refused: it is an assertion, and fails.
        Untellable, Unlinked: it, or a claim of it, is declared nowhere.
    """
    run.step()
    one = run.policy.transformation(transformation_id)
    for _, claim in (*one.inputs, *one.outputs):
        run.type_of(claim)
    method = one.method.lower()
    if assertion := ASSERTIONS.get(method):
        assertion(run, one)
        return
    made = METHODS[method](run, one) if method in METHODS else _not_followed(run, one)
    for part, claim in one.outputs:
        key = next((name for name in made if name.lower() == part.lower()), None)
        value = made[key] if key else Unknown(f"what {one.method} puts into {claim}")
        run.put(claim, value)


def _not_followed(run: Running, one: Transformation) -> Out:
    if one.method.lower() not in HARMLESS:
        question = f"whether {one.id} fails: the method {one.method} is not one that is followed here"
        assertions.undecided(run, f"{one.id} method", question)
    return {part: Unknown(f"what {one.method} puts into {claim}") for part, claim in one.outputs}


def _input(run: Running, one: Transformation, name: str) -> Any:
    return next((run.get(claim) for claim in one.claims(name)), None)


def _unknown(*values: Any) -> Unknown | None:
    return next((value for value in values if isinstance(value, Unknown)), None)


# --- texts -----------------------------------------------------------------------------------------


def _create_text(run: Running, one: Transformation) -> Out:
    value = one.parameter("value") or ""
    return {"createdClaim": resolved(run, value) if RESOLVER.search(value) else value}


def _random(run: Running, one: Transformation) -> Out:
    if (one.parameter("randomGeneratorType") or "").upper() == "GUID":
        return {"outputClaim": str(uuid.uuid4())}
    return {"outputClaim": Unknown("a random text")}


def _format(run: Running, one: Transformation) -> Out:
    values = [run.get(claim) for _, claim in one.inputs]
    pattern = (one.parameter("stringFormat") or "").replace("{RelyingPartyTenantId}", run.policy.tenant)
    if unknown := _unknown(*values):
        return {"outputClaim": unknown}
    if RESOLVER.search(pattern):
        return {"outputClaim": Unknown(f"what {pattern} becomes")}
    for number, value in enumerate(values):
        pattern = pattern.replace(f"{{{number}}}", "" if value is None else str(value))
    return {"outputClaim": pattern}


def _change_case(run: Running, one: Transformation) -> Out:
    value = _input(run, one, "inputClaim1")
    upper = (one.parameter("toCase") or "").upper() == "UPPER"
    if isinstance(value, str):
        value = value.upper() if upper else value.lower()
    return {"outputClaim": value}


def _copy(run: Running, one: Transformation) -> Out:
    return {"outputClaim": _input(run, one, "inputClaim")}


def _null(run: Running, one: Transformation) -> Out:
    return {part: None for part, _ in one.outputs}


def _contains(run: Running, one: Transformation) -> Out:
    value, wanted = _input(run, one, "inputClaim"), one.parameter("contains") or ""
    if isinstance(value, Unknown):
        return {"outputClaim": value}
    found = str(value or "")
    if (one.parameter("ignoreCase") or "").lower() == "true":
        found, wanted = found.lower(), wanted.lower()
    return {"outputClaim": wanted in found}


def _compare(run: Running, one: Transformation) -> Out:
    first, second = _input(run, one, "inputClaim1"), _input(run, one, "inputClaim2")
    return _compared(one, first, second)


def _compare_to_value(run: Running, one: Transformation) -> Out:
    return _compared(one, _input(run, one, "inputClaim1"), one.parameter("compareTo"))


def _compared(one: Transformation, first: Any, second: Any) -> Out:
    if unknown := _unknown(first, second):
        return {"outputClaim": unknown}
    if first is None or second is None:
        return {"outputClaim": Unknown(f"what {one.id} says of a claim without a value")}
    ignoring = "ordinalIgnoreCase" if (one.parameter("ignoreCase") or "").lower() == "true" else ""
    same = assertions.equal(str(first), str(second), ignoring)
    operator = (one.parameter("operator") or "").upper()
    if operator not in ("EQUAL", "NOT EQUAL"):
        return {"outputClaim": Unknown(f"what {one.id} compares with the operator {operator!r}")}
    return {"outputClaim": same == (operator == "EQUAL")}


# --- truths ----------------------------------------------------------------------------------------


def _exists(run: Running, one: Transformation) -> Out:
    return {"outputClaim": run.exists(next(iter(one.claims("inputClaim")), ""))}


def _both(run: Running, one: Transformation) -> Out:
    return _joined(run, one, all)


def _any(run: Running, one: Transformation) -> Out:
    return _joined(run, one, any)


def _joined(run: Running, one: Transformation, join: Callable[[list[bool]], bool]) -> Out:
    values = [_input(run, one, name) for name in ("inputClaim1", "inputClaim2")]
    if unknown := _unknown(*values):
        return {"outputClaim": unknown}
    if not all(isinstance(value, bool) for value in values):
        return {"outputClaim": Unknown(f"what {one.id} makes of a claim without a value")}
    return {"outputClaim": join(values)}


def _not(run: Running, one: Transformation) -> Out:
    value = _input(run, one, "inputClaim")
    if isinstance(value, bool):
        return {"outputClaim": not value}
    return {"outputClaim": value or Unknown(f"what {one.id} makes of a claim without a value")}


# --- dates -----------------------------------------------------------------------------------------


def _now(run: Running, one: Transformation) -> Out:
    return {"currentDateTime": written(run.request.now)}


def _compare_dates(run: Running, one: Transformation) -> Out:
    """The time span is added to the first date before the two are compared."""
    first, second = _input(run, one, "firstDateTime"), _input(run, one, "secondDateTime")
    if unknown := _unknown(first, second):
        return {"result": unknown}
    first_date, second_date = moment(first), moment(second)
    span = one.parameter("timeSpanInSeconds") or one.parameter("timeSpanInMinutes") or "0"
    operator = (one.parameter("operator") or "").lower()
    if first_date is None or second_date is None or not span.lstrip("-").isdigit():
        return {"result": Unknown(f"what {one.id} says of a date without a value")}
    unit = "minutes" if one.parameter("timeSpanInSeconds") is None else "seconds"
    return {"result": _ordered(first_date + timedelta(**{unit: int(span)}), second_date, operator)}


def _ordered(first: datetime, second: datetime, operator: str) -> Any:
    if operator == "earlier than":
        return first < second
    if operator == "later than":
        return first > second
    return first == second if operator == "same" else Unknown(f"what the operator {operator!r} compares")


# --- lists and identities --------------------------------------------------------------------------


def _add_item(run: Running, one: Transformation) -> Out:
    item, items = _input(run, one, "item"), _input(run, one, "collection")
    if unknown := _unknown(item, items):
        return {"collection": unknown}
    held = list(items) if isinstance(items, list) else []
    return {"collection": held if item is None or item in held else [*held, item]}


def _list_contains(run: Running, one: Transformation) -> Out:
    items, wanted = _input(run, one, "inputClaim"), one.parameter("item") or ""
    if isinstance(items, Unknown):
        return {"outputClaim": items}
    if (one.parameter("ignoreCase") or "").lower() == "true":
        return {"outputClaim": wanted.lower() in [str(item).lower() for item in items or []]}
    return {"outputClaim": wanted in (items or [])}


def _alternative_id(run: Running, one: Transformation) -> Out:
    key, provider = _input(run, one, "key"), _input(run, one, "identityProvider")
    if unknown := _unknown(key, provider):
        return {"alternativeSecurityId": unknown}
    if not key or not provider:
        return {"alternativeSecurityId": None}
    return {"alternativeSecurityId": alternative_id(str(key), str(provider))}


def alternative_id(key: str, provider: str) -> str:
    """How the directory names an account by its identity at another provider."""
    return f'{{"type":6,"identityProvider":"{provider}","key":"{base64.b64encode(key.encode()).decode()}"}}'


def _default_value(run: Running, one: Transformation) -> Out:
    return {part: of_default(one.parameter("value") or "", run.type_of(claim)) for part, claim in one.outputs}


ASSERTIONS: dict[str, Callable[[Running, Transformation], None]] = {
    "assertdatetimeisgreaterthan": assertions.later,
    "assertbooleanclaimisequaltovalue": assertions.truth,
    "assertstringclaimsareequal": assertions.same_text,
}
METHODS: dict[str, Callable[[Running, Transformation], Out]] = {
    "additemtostringcollection": _add_item,
    "andclaims": _both,
    "changecase": _change_case,
    "compareclaims": _compare,
    "compareclaimtovalue": _compare_to_value,
    "copyclaim": _copy,
    "createalternativesecurityid": _alternative_id,
    "createrandomstring": _random,
    "createstringclaim": _create_text,
    "createbooleanclaim": _default_value,
    "datetimecomparison": _compare_dates,
    "doesclaimexist": _exists,
    "formatstringclaim": _format,
    "formatstringmultipleclaims": _format,
    "getcurrentdatetime": _now,
    "notclaims": _not,
    "nullclaim": _null,
    "orclaims": _any,
    "stringcontains": _contains,
    "stringcollectioncontains": _list_contains,
}
