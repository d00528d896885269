"""A call is planned, carried out and explained under one name."""

from __future__ import annotations

from raijin.plan.runbook import _BY_HAND
from raijin.platforms import calls
from raijin.platforms.kubeadm import calls as kubeadm_calls


def test_a_name_belongs_to_one_handler() -> None:
    assert not set(calls.HANDLERS) & set(kubeadm_calls.HANDLERS)


def test_every_call_that_can_be_carried_out_has_words_for_hands() -> None:
    """What the engine can do and the runbook cannot explain would leave a person without a way."""
    known = {*calls.HANDLERS, *kubeadm_calls.HANDLERS}
    assert sorted(known - set(_BY_HAND)) == []
    assert sorted(set(_BY_HAND) - known) == []
