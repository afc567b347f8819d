"""What `accounts` announces is written down: every signal, so that none can vanish."""

from django.dispatch import Signal

from accounts import signals
from audit import receivers


def test_every_signal_of_accounts_has_an_event():
    announced = {name for name, value in vars(signals).items() if isinstance(value, Signal)}

    assert {name for name in announced if getattr(signals, name) not in receivers.EVENTS} == set()


def test_every_signal_is_listened_to():
    assert [signal for signal in receivers.EVENTS if not signal.has_listeners()] == []
