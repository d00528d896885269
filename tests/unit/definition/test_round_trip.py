"""What is written reads back as the same."""

from __future__ import annotations

import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from raijin.definition import render
from raijin.definition.load import Definition, load
from raijin.definition.tree import read_trees

names = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
words = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,6}[A-Za-z0-9])?", fullmatch=True)
labels = st.dictionaries(words, words, max_size=3)
effects = st.sampled_from(["NoSchedule", "PreferNoSchedule", "NoExecute"])
taints = st.lists(
    st.one_of(
        st.builds(lambda k, v, e: f"{k}={v}:{e}", words, words, effects),
        st.fixed_dictionaries({"key": words, "effect": effects}, optional={"value": words}),
    ),
    max_size=2,
)
secrets = st.one_of(st.from_regex(r"env:[A-Z]{1,5}", fullmatch=True), st.text(st.characters(codec="utf-8"), min_size=1))
durations = st.integers(1, 9999).map(lambda seconds: f"{seconds}s")
ssh = st.fixed_dictionaries(
    {},
    optional={
        "user": words,
        "port": st.integers(1, 65535),
        "key": st.just("~/.ssh/id"),
        "password": secrets.filter(lambda text: text != "***" and not text.startswith(("env:", "file:")))
        | st.just("env:A"),
        "agent": st.booleans(),
        "connectTimeout": durations,
    },
)
hosts = st.fixed_dictionaries(
    {},
    optional={
        "ssh": ssh,
        "labels": labels,
        "taints": taints,
        "connection": st.sampled_from(["ssh", "LOCAL"]),
        "arch": st.sampled_from(["amd64", "aarch64"]),
        "alwaysOn": st.booleans(),
    },
)


@st.composite
def definitions(draw: st.DrawFn) -> list[dict[str, object]]:
    hosts_by_name = draw(st.dictionaries(names, hosts, min_size=1, max_size=5))
    site = {"kind": "Site", "hosts": [{"name": name, **host} for name, host in hosts_by_name.items()], "ssh": draw(ssh)}
    first, *others = hosts_by_name
    cluster: dict[str, object] = {
        "name": draw(names),
        "type": draw(st.sampled_from(["VANILLA", "kubeadm"])),
        "version": draw(st.sampled_from(["v1.34.2", "1.30.0"])),
        "nodeGroups": [
            {"name": "cp", "role": "control_plane", "hosts": [first], "labels": draw(labels), "taints": draw(taints)},
            {"name": "workers", "role": "WORKER", "hosts": others},
        ],
        "policy": {"maxUnavailable": draw(st.sampled_from([1, "25%"])), "drainTimeout": draw(durations)},
    }
    return [site, cluster]


def _dump(definition: Definition) -> str:
    documents = [*definition.sites, *definition.clusters]
    dumped = [d.model_dump(mode="json", exclude_unset=True, context={"reveal": True}) for d in documents]
    return "\n---\n".join(json.dumps(item) for item in dumped)


@settings(max_examples=150, deadline=None)
@given(definitions())
def test_load_of_dump_is_the_same(documents: list[dict[str, object]]) -> None:
    definition = load(io.StringIO("\n---\n".join(json.dumps(document) for document in documents)), {})
    again = load(io.StringIO(_dump(definition)), {})
    assert (again.sites, again.clusters) == (definition.sites, definition.clusters)


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_rendered_text_reads_back(text: str) -> None:
    for value in ({"k": text}, {"k": [text, {"x": text}]}, {"k": {"a": {"b": text}}}):
        for rendered in (render.block(value, 0), render.flow(value), render.flow(value, json_only=True)):
            trees, problems = read_trees(rendered, "t.yaml")
            assert problems == []
            assert trees[0].data == value
