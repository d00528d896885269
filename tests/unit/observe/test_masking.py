"""The mask. Law: no value that was revealed is in any text afterwards, nor a long word of a secret document."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from raijin.observe.masking import MASK, SHORTEST, SHORTEST_WORD, Masker

SECRETS = st.lists(st.text(min_size=SHORTEST, max_size=12).filter(lambda t: len(t.strip()) >= SHORTEST), max_size=5)


@given(secrets=SECRETS, words=st.lists(st.text(max_size=5), min_size=1, max_size=6))
def test_no_secret_is_left(secrets: list[str], words: list[str]) -> None:
    masker = Masker()
    for secret in secrets:
        masker.add(secret)
    text = "".join(word + secret for word, secret in zip(words, [*secrets, *[""] * len(words)], strict=False))
    masked = masker.mask(text)
    for secret in secrets:
        # The mask itself may complete a secret that is made of stars; nothing that was in the text may.
        assert secret not in masked.split(MASK)


def test_the_long_words_of_a_secret_document_are_hidden_alone_too() -> None:
    masker, part = Masker(), "S2V5LWRhdGE9" * 2
    assert len(part) >= SHORTEST_WORD
    masker.add(f"kind: Config\nusers:\n- user:\n    client-key-data: {part}\n")
    assert masker.mask(f"the host said {part}!") == "the host said ***!"


def test_a_secret_is_hidden_with_and_without_its_line_end() -> None:
    masker = Masker()
    masker.add("hunter2-of-old\n")
    assert masker.mask("it is hunter2-of-old.") == "it is ***."


def test_the_longest_comes_first() -> None:
    masker = Masker()
    for value in ("token", "token-and-more"):
        masker.add(value)
    assert masker.mask("token-and-more") == MASK


def test_what_is_too_short_would_tell_more_than_it_hides() -> None:
    masker = Masker()
    for value in ("", "a", "abc", "\n\n"):
        masker.add(value)
    assert masker.mask("abc a") == "abc a"


def test_blanks_are_no_secret() -> None:
    masker = Masker()
    masker.add(" " * 8)
    assert masker.mask("key:        value") == "key:        value"


def test_ordinary_lines_of_a_secret_document_stay_readable() -> None:
    masker = Masker()
    masker.add("apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    client-key-data: S2V5LWRhdGE=\n")
    assert masker.mask("the users: of kind: Config") == "the users: of kind: Config"


def test_many_threads_at_once() -> None:
    masker = Masker()

    def one(number: int) -> str:
        masker.add(f"secret-{number}-end")
        return masker.mask(f"a secret-{number}-end b")

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(300))) == {"a *** b"}


def test_ordinary_words_of_a_secret_document_stay_readable() -> None:
    """Else the reason of a failure would be hidden with the secret: kubeadm names checks, addresses and files."""
    masker = Masker()
    masker.add(
        "discovery:\n  token: abcdef.0123456789abcdef\n  endpoint: 192.0.2.100:8443\n  server: https://192.0.2.100:8443\n"
        "  ignore: SystemVerification\n  file: /etc/kubernetes/raijin/join.yaml\n"
    )
    text = (
        "SystemVerification: https://192.0.2.100:8443 in /etc/kubernetes/raijin/join.yaml with abcdef.0123456789abcdef"
    )
    assert masker.mask(text) == text.replace("abcdef.0123456789abcdef", "***")


@given(text=st.lists(st.sampled_from(["token-", "3", "42", " ", "x", "token"]), max_size=12).map("".join))
def test_many_secrets_are_hidden_as_few_are(text: str) -> None:
    many, one_by_one = Masker(), text
    values = [f"token-{number}" for number in range(100)]
    for value in values:
        many.add(value)
    for value in sorted(values, key=len, reverse=True):
        one_by_one = one_by_one.replace(value, MASK)
    assert many.mask(text) == one_by_one
