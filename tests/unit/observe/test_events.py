"""Events reach every sink, masked however deep the secret lies."""

from __future__ import annotations

from raijin.observe.events import Event, Events, Kind
from raijin.observe.masking import MASKER


def test_every_sink_gets_the_masked_event_in_order() -> None:
    MASKER.add("hidden-value")
    one: list[Event] = []
    two: list[Event] = []
    events = Events(one.append)
    events.add(two.append)
    data = {"text": "it is hidden-value", "deep": [{"x": ("hidden-value", 7)}, None, True], "n": 1.5}
    events.emit(Event(Kind.MESSAGE, "run", "step", "alpha", data, at=5.0))
    events.emit(Event(Kind.RUN_FINISHED, "run"))
    assert [event.kind for event in one] == [Kind.MESSAGE, Kind.RUN_FINISHED]
    assert one == two
    assert one[0].data == {"text": "it is ***", "deep": [{"x": ["***", 7]}, None, True], "n": 1.5}
    assert (one[0].run, one[0].step, one[0].host, one[0].at) == ("run", "step", "alpha", 5.0)
    assert data["text"] == "it is hidden-value"


def test_what_was_masked_once_is_handed_on_as_it_is() -> None:
    """An inner hub masks for all: the outer one need not look at each event again."""
    MASKER.add("a-long-secret-of-somebody")
    seen: list[Event] = []
    inner = Events(Events(seen.append).pass_on)
    inner.emit(Event(Kind.STEP_STARTED, "r", data={"note": "it is a-long-secret-of-somebody"}))
    assert [event.data for event in seen] == [{"note": "it is ***"}]
