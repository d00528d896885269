"""What a server may be asked: clusters of its store, plans and runs. The API says it in HTTP, and adds nothing."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy.exc import SQLAlchemyError

from raijin import __version__
from raijin.app.background import Background
from raijin.app.changes import Change
from raijin.app.making import named_provider
from raijin.app.session import Session
from raijin.app.store import Store
from raijin.app.stored import ClusterEntry, StoredFile, etag_of
from raijin.app.unsupported import refuse, unsupported
from raijin.definition.edit import Edits
from raijin.engine.service import new_run_id
from raijin.errors import DeadlineExceeded, Locked, NotFound, PlanRefused, StateError, UsageError
from raijin.plan.codec import plan_from_json, plan_to_json
from raijin.state import database_url
from raijin.state.database import open_database
from raijin.state.locks import Locks
from raijin.state.plans import Plans
from raijin.state.runners import Runners
from raijin.state.runs import RunRecord, Runs, RunStatus

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

    from raijin.app.known import Known
    from raijin.app.measured import Measured
    from raijin.app.roles import Caller
    from raijin.app.status import ClusterStatus
    from raijin.definition.definition import Definition
    from raijin.engine.works import Works
    from raijin.machines.base import MachineProvider
    from raijin.observe.events import Event

CHECKED = ("INFRASTRUCTURE", "KUBERNETES", "APPLICATION", "SECURITY")
MEASURED = "PERFORMANCE"
"""Categories of checks that the seed names: by a look, and by what was collected."""
ASKING_SECONDS = 120.0
"""How long the targets of backups may take to say what they have."""
BACKUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


@dataclass
class Service:
    """folder: where the definitions lie. runs_jobs: whether this process carries runs out itself."""

    home: Path
    folder: Path
    runs_jobs: bool = True
    started: float = field(default_factory=time.time)

    @cached_property
    def database(self) -> Database:
        return open_database(self.home)

    @cached_property
    def store(self) -> Store:
        return Store(self.folder)

    @property
    def runs(self) -> Runs:
        return Runs(self.database)

    @cached_property
    def background(self) -> Background:
        if not self.runs_jobs:
            return Background(None)
        from raijin.app.jobs import Jobs  # noqa: PLC0415
        from raijin.app.schedules import Schedules  # noqa: PLC0415
        from raijin.engine.works import Works  # noqa: PLC0415  (DBOS: only where runs are carried out)

        jobs = Jobs(self)
        schedules = Schedules(self)
        return Background(Works(self.home, self.database, jobs.carry_out, schedules.due))

    @property
    def measured(self) -> Measured:
        from raijin.app.measured import Measured  # noqa: PLC0415

        return Measured(self)

    @property
    def known(self) -> Known:
        from raijin.app.known import Known  # noqa: PLC0415

        return Known(self)

    def start(self) -> None:
        """Open the state and begin to take runs. Raises StateError."""
        self.database  # noqa: B018  (what cannot be opened must end the start, not the first request)
        self.background.start()

    def stop(self) -> bool:
        """Returns whether nothing was in hand."""
        idle = self.background.stop()
        self.database.dispose()
        return idle

    def session(self, cluster: str) -> Session:
        """A session for a cluster of the store. Raises NotFound."""
        return self._opened(self.store.paths(cluster), cluster)

    def drafted(self, cluster: str, texts: Mapping[str, str]) -> Session:
        """A session with files that the store has not yet, by name. Raises DefinitionError, NotFound, Unsupported."""
        definition, paths = self.store.draft(cluster, texts)
        self._serve(definition, cluster)
        session = self._opened(paths, cluster)
        session.suppose(definition)
        return session

    def write(self, caller: Caller, texts: Mapping[str, str], matches: Mapping[str, str]) -> list[StoredFile]:
        """Several files of the store at once (see `Store.write_together`)."""
        kept = self.store.write_together(texts, matches)
        for item in kept:
            self.note(caller, "definition-written", item.name, item.etag)
        return kept

    def _opened(self, paths: tuple[Path, ...], cluster: str) -> Session:
        session = Session(self.home, paths, cluster)
        session.__dict__["database"] = self.database
        if self.background.works is not None:
            session.durable = self.background.works.durable
        return session

    # --- clusters -----------------------------------------------------------------------------------------------------

    def clusters(
        self, *, sees: Callable[[str], bool], after: str = "", limit: int = 100
    ) -> tuple[list[dict[str, Any]], str]:
        """By name, each with its newest run. Returns also the name to go on after, empty at the end."""
        found = [entry for entry in self.store.clusters() if entry.name > after and sees(entry.name)]
        page = found[:limit]
        newest = self.runs.newest([entry.name for entry in page])
        rows = [entry.to_json() | {"last_run": self.run_json(newest.get(entry.name))} for entry in page]
        return rows, page[-1].name if len(found) > limit else ""

    def cluster(self, name: str) -> tuple[dict[str, Any], StoredFile]:
        """The document and what is known of the cluster. Raises NotFound, DefinitionError."""
        stored, entry = self.store.cluster(name)
        session = self.session(name)
        written = session.definition.as_written(session.cluster)
        document = written.model_dump(mode="json", by_alias=True, exclude_unset=True)
        newest = self.runs.newest([name])
        hosts = [
            {"name": p.name, "role": p.role.value, "group": p.group.name, "address": str(p.host.address)}
            for p in session.definition.hosts_of(session.cluster)
        ]
        parts = [{"path": path, "reason": reason} for path, reason in self.unsupported(session.definition, name)]
        return (
            entry.to_json()
            | {"document": document, "hosts": hosts, "unsupported": parts, "etag": stored.etag}
            | {"last_run": self.run_json(newest.get(name))},
            stored,
        )

    def knows(self, name: str) -> bool:
        """Whether the store has a cluster of this name."""
        return self.store.contents().has(name)

    def provision(self, document: Mapping[str, Any], request: Mapping[str, Any]) -> RunRecord:
        """Take a cluster's document into the store, and make it so. Raises DefinitionError, Unsupported, Locked.

        Nothing is kept of a document that is wrong or cannot be served. The same document again is the same request.
        """
        text = yaml.safe_dump({"kind": "Cluster", **document}, sort_keys=False, allow_unicode=True)
        name = str(document.get("name", ""))
        path = self.store.folder / f"{name if re.fullmatch(r'[-a-z0-9]{1,63}', name) else 'cluster'}.yaml"
        definition = self.store.check(path, text)
        self._serve(definition, name)
        if self.knows(name):
            _, current = self.store.text(name)
            if yaml.safe_load(current) != yaml.safe_load(text):
                raise PlanRefused(
                    f"there is a cluster {name} already, and it is written otherwise",
                    remedy="change its definition, and apply it",
                )
        else:
            self.store.write(name, text, fresh=True)
        return self.ask(name, "apply", request)

    def scale(self, name: str, group: str, count: int, request: Mapping[str, Any], match: str | None) -> RunRecord:
        """Let a node group have so many machines, and make it so. Raises NotFound, PlanRefused, Locked."""
        return self._change(name, Change("scale", group=group, count=count), request, match)

    def upgrade(self, name: str, version: str, request: Mapping[str, Any], match: str | None) -> RunRecord:
        return self._change(name, Change("upgrade", version=version), request, match)

    def restore(self, name: str, backup: str, at: float | None, request: Mapping[str, Any]) -> RunRecord:
        """Go on from a backup that the cluster has. Raises NotFound, and what a target that cannot be asked raises."""
        from raijin.app.backups import known  # noqa: PLC0415

        self.idle(name)
        try:
            self.background.wait(known(self.session(name), _backup_name(backup), at), ASKING_SECONDS)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the targets of {name} have not said in {ASKING_SECONDS:.0f} s which backups they have",
                remedy="see `raijin backup list`",
            ) from error
        return self.ask(name, "restore", {**request, "backup": backup, "at": at})

    def _change(self, name: str, change: Change, request: Mapping[str, Any], match: str | None) -> RunRecord:
        """A run that plans with the change, and writes it when its plan stands: hosts may have reasons against it.

        What is wrong by the definitions alone is said at once.
        """
        self.store.unchanged(name, match)
        self.propose(self.session(name), change, match)
        return self.ask(name, "apply", {**request, **change.wish(match)})

    def propose(self, session: Session, change: Change, match: str | None = None) -> None:
        """Go on with a changed definition, which `session.keep` writes through the store.

        match: the etag of the cluster's file that the change was asked for at. Raises NotFound, PlanRefused,
        EditRefused, DefinitionError, Unsupported, PreconditionFailed.
        """
        edits = change.edits(self, session)
        if edits is None:
            return
        if edits.texts:  # else it stands there already: a runner may have died after it was written
            self.store.unchanged(session.cluster.name, match)
        session.propose(edits)
        self._serve(session.definition, session.cluster.name)
        session.keeper = self._keep

    def _keep(self, edits: Edits) -> None:
        """Write changed files through the store, which checks them with all others. Raises PreconditionFailed."""
        for path, text in edits.texts.items():
            self.store.write(path.stem, text, match=etag_of(edits.before(path)))

    def unsupported(self, definition: Definition, cluster: str) -> list[tuple[str, str]]:
        """Parts of a cluster that cannot be served yet, each with the reason."""
        wanted = definition.cluster(cluster)
        hosts = [placed.host for placed in definition.hosts_of(wanted)]
        return unsupported(wanted, definition.site(), hosts, maker=self.maker(definition), made=definition.made)

    def maker(self, definition: Definition) -> MachineProvider | None:
        """Who makes the machines that groups count."""
        return named_provider(definition.site(), self.home)

    def _serve(self, definition: Definition, cluster: str) -> None:
        """Raises Unsupported with all parts that cannot be served yet."""
        parts = self.unsupported(definition, cluster)
        refuse(parts)

    # --- plans and runs -----------------------------------------------------------------------------------------------

    def ask(self, cluster: str, verb: str, request: Mapping[str, Any]) -> RunRecord:
        """A run of this verb, which the next free runner carries out. Raises NotFound, Locked, UsageError."""
        works = self._works()
        run = self._note(cluster, verb, request)
        self.background.wait(works.enqueue(run))
        return self.runs.get(run)

    async def ask_here(self, cluster: str, verb: str, request: Mapping[str, Any]) -> None:
        """The same, from the loop of the engine itself."""
        await self._works().enqueue(self._note(cluster, verb, request))

    def _note(self, cluster: str, verb: str, request: Mapping[str, Any]) -> str:
        self.store.cluster(cluster)
        if digest := request.get("plan"):
            promised = plan_from_json(Plans(self.database).get(cluster, str(digest)), ours=True)
            if promised.verb != verb:
                raise UsageError(f"that plan is one to {promised.verb}, not to {verb}", remedy="plan again")
        if backup := request.get("backup"):
            _backup_name(str(backup))
        self.idle(cluster)
        run = new_run_id()
        self.runs.ask(run, cluster=cluster, verb=verb, request=dict(request))
        return run

    def idle(self, cluster: str) -> None:
        """Raises Locked when a run holds the cluster, or waits for it."""
        self.runs.nothing_waits(cluster)
        self.unlocked(cluster)

    def unlocked(self, cluster: str, *, run: str = "") -> None:
        """Raises Locked when another run than this one holds the cluster."""
        holder = Locks(self.database).held(f"cluster/{cluster}")
        if holder not in {None, run}:
            raise Locked(
                f"the run {holder} holds {cluster}", remedy=f"wait for it, or stop it with `raijin run cancel {holder}`"
            )

    def _works(self) -> Works:
        if self.background.works is None:
            raise StateError("this server takes no runs", remedy="ask one that does")
        return self.background.works

    def cancel(self, run: str) -> RunRecord:
        """Stop a run after the operations in hand; one that has not begun at once. Raises NotFound, PlanRefused."""
        from raijin.engine.service import Engine  # noqa: PLC0415
        from raijin.observe.events import Events  # noqa: PLC0415

        return Engine(self.home, self.database, {}, Events()).cancel(self.run(run).id)

    def resume(self, run: str) -> RunRecord:
        """Go on with a run that has ended, or whose process has died. Raises NotFound, PlanRefused, Locked."""
        record = self.run(run)
        if record.status is RunStatus.DONE or not record.plan:
            reason = "is done" if record.status is RunStatus.DONE else "has no plan"
            raise PlanRefused(f"the run {record.id} {reason}", remedy="ask for a new one")
        self.idle(record.cluster)
        self.store.cluster(record.cluster)
        works = self._works()
        self.runs.wish(record.id, {**(record.request or {}), "resume": record.attempt})
        self.background.wait(works.again(record.id, record.attempt))
        return self.runs.get(record.id)

    def run(self, run: str) -> RunRecord:
        """By its whole id: what is asked of a server is meant exactly. Raises NotFound."""
        record = self.runs.get(run) if re.fullmatch(r"[-0-9a-f]{8,64}", run) else None
        if record is None or record.id != run:
            raise NotFound(f"there is no run {run[:64]}", remedy="list the runs")
        return record

    def alive(self, record: RunRecord) -> bool:
        if record.status is not RunStatus.RUNNING:
            return not record.status.ended
        return Locks(self.database).held(f"cluster/{record.cluster}") == record.id

    def run_json(self, record: RunRecord | None) -> dict[str, Any] | None:
        """A run for people and programs: `interrupted` when the process that had it is gone."""
        if record is None:
            return None
        state = str(record.status)
        if record.status is RunStatus.RUNNING and not self.alive(record):
            state = "interrupted"
        request = dict(record.request or {})
        return {
            "id": record.id, "cluster": record.cluster, "verb": record.verb, "state": state, "attempt": record.attempt,
            "created": record.created, "finished": record.finished, "error": record.error,
            "cancel_requested": record.cancel, "requested_by": request.pop("who", ""), "request": request,
            "changed": bool(record.plan),
        }  # fmt: skip

    def run_details(self, run: str) -> dict[str, Any]:
        record = self.run(run)
        steps = [asdict(step) for step in self.runs.steps(record.id)]
        done = sum(step["state"] in {"done", "failed", "skipped", "cancelled"} for step in steps)
        plan = json.loads(record.plan) if record.plan else {}
        planned = {step["id"]: step for step in plan.get("steps", ())}
        for step in steps:
            known = planned.get(step["step"], {})
            step |= {
                "title": known.get("title", step["stage"]), "needs": list(known.get("needs", ())),
                "estimate": float(known.get("estimate", 0)),
            }  # fmt: skip
        left = sum(step["estimate"] for step in steps if step["state"] == "waiting")
        summary = self.run_json(record) or {}
        return summary | {
            "steps": steps, "done": done, "total": len(steps), "plan_digest": plan.get("digest", ""),
            "estimate_left": left, "notes": plan.get("notes", []),
        }  # fmt: skip

    def run_list(self, *, cluster: str | None, limit: int, before: str) -> tuple[list[dict[str, Any]], str]:
        """The newest first. Returns also the id to go on before, empty at the end."""
        found = self.runs.history(cluster=cluster, limit=limit + 1, before=before)
        rows = [row for record in found[:limit] if (row := self.run_json(record)) is not None]
        return rows, found[limit - 1].id if len(found) > limit else ""

    def run_plan(self, run: str) -> dict[str, Any]:
        record = self.run(run)
        if not record.plan:
            raise NotFound(f"the run {run} has no plan", remedy="it has not begun, or there was nothing to do")
        found: dict[str, Any] = json.loads(record.plan)
        return found

    def events_after(self, after: int) -> list[tuple[int, Event]]:
        """Of all runs, a thousand at most."""
        return self.runs.events_after(after)

    def last_event(self) -> int:
        return self.runs.last_event()

    def events(self, run: str, *, after: int, limit: int) -> list[tuple[int, Event]]:
        return self.runs.events(self.run(run).id, after=after, limit=limit)

    async def drift(self, name: str) -> None:
        """Plan, and let the trail say what has moved away from the definition. On the loop of the engine."""
        from raijin.app import changed  # noqa: PLC0415
        from raijin.app.auditing import note  # noqa: PLC0415
        from raijin.app.running import plan  # noqa: PLC0415
        from raijin.state.looks import DRIFT, Looks  # noqa: PLC0415

        session = self.session(name)
        session.actor = ("schedule", "schedule", "")
        planned = (await plan(session, "apply")).plan
        if not planned.empty:
            Plans(self.database).keep(name, planned.digest, plan_to_json(planned))
        steps = [f"{step.title} on {step.target}" for step in planned.steps[:20]]
        detail = {"steps": len(planned.steps), "first": steps}
        note(session, "drift", "none" if planned.empty else "found", plan=planned.digest, detail=detail)
        Looks(self.database).keep(name, DRIFT, {"steps": len(planned.steps), "plan": planned.digest})
        if planned.empty:
            changed.followed(session, planned)
        else:
            changed.record(session, planned)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def status(self, name: str) -> ClusterStatus:
        from raijin.app.status import status_of  # noqa: PLC0415

        return await self.background.result(status_of(self.session(name)))

    async def validate(
        self, name: str, suite: str, categories: Sequence[str], checks: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What is well with a cluster and what is not, by categories and checks (default: all).

        PERFORMANCE is looked at in the suite COMPREHENSIVE, or when it is named.
        """
        from raijin.app.health import health_of  # noqa: PLC0415

        wanted = list(categories) or [*CHECKED, *([MEASURED] if suite == "COMPREHENSIVE" else [])]
        names = [category for category in wanted if category in CHECKED]
        report: dict[str, Any] = {"cluster": name, "healthy": True, "verdict": "nothing was looked at", "findings": []}
        if names:
            asked = names if categories or suite == "QUICK" else ()
            found = await self.background.result(health_of(self.session(name), checks, asked))
            if not categories and not checks:
                self.known.health(name, found)
            report = found.to_json()
        if MEASURED in wanted:
            report = await self.measured.judged(name, report)
        return report | {"suite": suite, "skipped": []}

    def note(self, caller: Caller, action: str, target: str, result: str = "done", run: str = "") -> None:
        """An entry of the audit trail for something that is no run."""
        from raijin.state.audit import Audit, Entry  # noqa: PLC0415

        entry = Entry(caller.name, "api", action, target, result, caller.address, run)
        Audit(self.database, self.home).append(entry)

    async def facts(self, name: str, hosts: Sequence[str]) -> dict[str, Any]:
        """The facts of hosts of the cluster (default: of all), and why some could not be had. Raises NotFound."""
        from raijin.app.inventory import inventory  # noqa: PLC0415

        session = self.session(name)
        known = [placed.name for placed in session.definition.hosts_of(session.cluster)]
        if strange := [host for host in hosts if host not in known]:
            raise NotFound(f"{name} has no host {', '.join(strange)}", remedy=f"its hosts are {', '.join(known)}")
        return (await self.background.result(inventory(session, hosts or known))).to_json()

    async def backups(self, name: str) -> dict[str, Any]:
        from raijin.app.backups import listing  # noqa: PLC0415

        return (await self.background.result(listing(self.session(name)))).to_json()

    async def overview(self, name: str) -> dict[str, Any]:
        from raijin.app.overview import overview_of  # noqa: PLC0415

        return (await self.background.result(overview_of(self.session(name)))).to_json()

    async def workers(self, name: str, *, with_status: bool) -> dict[str, Any]:
        from raijin.app.workers import list_workers  # noqa: PLC0415

        return (await self.background.result(list_workers(self.session(name), with_status=with_status))).to_json()

    async def etcd(self, name: str) -> dict[str, Any]:
        """Raises Unsupported where Raijin looks after no etcd, KubernetesError where none answers."""
        from raijin.app.etcd import members  # noqa: PLC0415

        return (await self.background.result(members(self.session(name)))).to_json()

    async def delete_backup(self, name: str, backup: str) -> list[str]:
        """From every target. Returns which had it. Raises NotFound."""
        from raijin.app.backups import delete  # noqa: PLC0415

        return await self.background.result(delete(self.session(name), _backup_name(backup)))

    async def verify(self, name: str, backup: str) -> dict[str, Any]:
        """Try a backup in a scratch etcd of this machine, and count what is in it. Raises what trying raises."""
        from raijin.app.backups import try_out  # noqa: PLC0415

        return (await self.background.result(try_out(self.session(name), _backup_name(backup)))).to_json()

    def versions(self, name: str) -> dict[str, Any]:
        """The release that the definition says, and those that are at hand, the newest first."""
        from raijin.app.upgrading import held  # noqa: PLC0415

        session = self.session(name)
        return {"version": session.cluster.version, "held": [str(v) for v in sorted(held(session), reverse=True)]}

    async def certificates(self, name: str) -> dict[str, Any]:
        """Raises Unsupported for platforms whose certificates Raijin does not look after."""
        from raijin.app.certificates import listing  # noqa: PLC0415

        found = await self.background.result(listing(self.session(name)))
        self.known.certificates(name, found)
        return found.to_json()

    def artifacts(self, name: str) -> list[dict[str, Any]]:
        from raijin.app.provision import listing  # noqa: PLC0415

        return [row.to_json() for row in listing(self.session(name), ())]

    async def kubeconfig(self, name: str) -> str:
        """The administrator's. Raises NotFound where the cluster was not made yet."""
        from raijin.app.credentials import kubeconfig_of  # noqa: PLC0415

        return await self.background.result(kubeconfig_of(self.session(name)))

    def check(self, name: str, text: str) -> dict[str, Any]:
        """What a definition's text would be in the store. Raises DefinitionError with all faults."""
        from raijin.app.checking import Checked  # noqa: PLC0415

        return Checked(self.store.check(self.store.place(name), text)).to_json()

    def check_together(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The same for several files, by name, that may need each other."""
        from raijin.app.checking import together  # noqa: PLC0415

        return together(
            self.store.check_together({self.store.place(name): text for name, text in texts.items()}).values()
        )

    def hosts(
        self, *, sees: Callable[[str], bool], cluster: str | None, free: bool, after: str, limit: int
    ) -> tuple[list[dict[str, Any]], str]:
        """Hosts of all Sites by definition and name. Returns also what to go on after, empty at the end."""
        rows: list[dict[str, Any]] = []
        for row in self.store.contents().hosts:
            holder = row["cluster"]
            wanted = (not cluster or holder == cluster) and (not free or not holder)
            if row["key"] > after and wanted and (not holder or sees(holder)):
                rows.append(row)
                if len(rows) > limit:
                    break
        return rows[:limit], rows[limit - 1]["key"] if len(rows) > limit else ""

    def about(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "started": self.started,
            "state": "postgresql" if database_url() else "sqlite",
            "runners": self.runners(),
        }

    def numbers(self) -> dict[str, Mapping[Any, float]]:
        """What is to be counted of the state now, by metric and label, or labels."""
        from raijin.state.audit import Audit  # noqa: PLC0415

        entries, incidents = Audit(self.database, self.home).count()
        lives = Counter("yes" if runner["alive"] else "no" for runner in self.runners())
        return {
            "raijin_runs": dict(self.runs.counts()),
            "raijin_runners": {word: float(lives[word]) for word in ("yes", "no")},
            "raijin_clusters": {kind: float(n) for kind, n in Counter(c.type for c in self.store.clusters()).items()},
            "raijin_audit_entries": {"all": entries, "incident": incidents},
            **self.measured.numbers(),
            **self.known.numbers(),
        }

    def faults(self) -> list[str]:
        """Why it cannot serve now."""
        try:
            living = [runner for runner in self.runners() if runner["alive"]]
        except SQLAlchemyError as error:
            return [f"the state cannot be read: {type(error).__name__}"]
        return [] if living else ["no runner is alive"]

    def runners(self) -> list[dict[str, Any]]:
        return [
            {"id": r.id, "started": r.started, "expires": r.expires, "alive": not r.dead, "process": r.owner.pid}
            for r in Runners(self.database).all()
        ]


def _backup_name(text: str) -> str:
    """It ends in a path: raises UsageError for what is no name."""
    if not BACKUP.fullmatch(text):
        raise UsageError("that is no name of a backup", remedy="take an id of the list of backups, or `latest`")
    return text


__all__ = ["ClusterEntry", "Service"]
