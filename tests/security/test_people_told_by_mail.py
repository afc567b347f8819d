"""What stands in a directory is somebody else's text: in a mail it is text, and no instruction to us."""

from revocation import notices


def test_a_name_cannot_pull_other_facts_into_the_mail():
    facts = {"name": "{reason}", "tenant": "{time}", "time": "2026-01-01 10:00", "reason": "Suspected insider"}

    text = notices._filled("Hello {name} of {tenant}, {unknown}", facts)

    assert text == "Hello {reason} of {time}, {unknown}"
