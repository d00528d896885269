"""The command table: what exists and its one line of help. `--help` reads only this, so it imports no command."""

from __future__ import annotations

# command -> (module, attribute, help). A group's own table stands below, by the words
# that lead to it; a test compares both with the modules.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("raijin.cli.commands.init", "init", "Write a new definition, asking what it needs."),
    "check": ("raijin.cli.commands.check", "check", "Check a definition (files, a folder, or - for standard input)."),
    "plan": ("raijin.cli.commands.plan", "plan", "Show what apply would change, field by field. Changes nothing."),
    "apply": ("raijin.cli.commands.apply", "apply", "Make the cluster what the definition says."),
    "rehearse": ("raijin.cli.commands.rehearse", "rehearse", "Carry a plan out on simulated hosts, with faults."),
    "status": ("raijin.cli.commands.status", "status", "Show hosts, nodes and the last run."),
    "destroy": ("raijin.cli.commands.apply", "destroy", "End the cluster and put its hosts back as they were."),
    "full-install": ("raijin.cli.commands.full_install", "full_install", "Make this machine a one-node cluster."),
    "worker": ("raijin.cli.commands.worker", "worker", "Add, remove, list and prepare workers."),
    "cluster": ("raijin.cli.commands.cluster", "cluster", "Upgrade, back up, restore and look after a cluster."),
    "backup": ("raijin.cli.commands.backup", "backup", "List, verify and delete backups."),
    "facts": ("raijin.cli.commands.facts", "facts", "Show what is known about the hosts."),
    "kubeconfig": ("raijin.cli.commands.kubeconfig", "kubeconfig", "Write the cluster's kubeconfig, or merge it."),
    "run": ("raijin.cli.commands.run", "run", "List, show, resume and cancel runs."),
    "audit": ("raijin.cli.commands.audit", "audit", "List, verify and export the audit trail."),
    "serve": ("raijin.cli.commands.serve", "serve", "Serve the REST API, and carry out what it is asked for."),
    "user": ("raijin.cli.commands.user", "user", "Users of the server of this RAIJIN_HOME."),
    "token": ("raijin.cli.commands.token", "token", "Tokens with which programs use that server."),
    "login": ("raijin.cli.commands.login", "login", "Log in to a server, for commands with --server."),
    "artifacts": ("raijin.cli.commands.artifacts", "artifacts", "Lock, list and fetch binaries and images."),
    "bundle": ("raijin.cli.commands.bundle", "bundle", "Make, import and verify air-gap bundles."),
    "lab": ("raijin.cli.commands.lab", "lab", "Real Linux machines on this box, to try things on."),
    "schema": ("raijin.cli.commands.schema", "schema", "Print the JSON Schema of the definition."),
    "completion": ("raijin.cli.commands.completion", "completion", "Print the completion script of a shell."),
}

GROUPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "worker": {
        "add": ("raijin.cli.commands.worker", "add", "Add a worker to the definition and the cluster."),
        "remove": ("raijin.cli.commands.worker", "remove", "Drain a worker and take it out of both."),
        "list": ("raijin.cli.commands.worker", "list_workers", "List the workers, with their state if asked."),
        "prepare": ("raijin.cli.commands.worker", "prepare", "Prepare a host over SSH, without joining it."),
        "join-command": ("raijin.cli.commands.worker", "join_command", "Print a kubeadm join command."),
    },
    "cluster": {
        "status": ("raijin.cli.commands.health", "status", "Show the state of the cluster on one screen."),
        "health": ("raijin.cli.commands.health", "health", "Make every health check, and say what each found."),
        "upgrade": ("raijin.cli.commands.cluster", "upgrade", "Go to another version, node by node."),
        "etcd": ("raijin.cli.commands.etcd", "members", "Look after the members of etcd."),
        "adopt": ("raijin.cli.commands.adopt", "adopt", "Write a definition of a cluster that runs."),
        "logs": ("raijin.cli.commands.logs", "logs", "Show logs of hosts and pods, also without the API."),
        "collect": ("raijin.cli.commands.logs", "collect", "Put all that helps to find a fault into one file."),
        "reset": ("raijin.cli.commands.etcd", "reset", "Put hosts back as they were, also of a broken cluster."),
        "backup": ("raijin.cli.commands.cluster", "backup", "Take a snapshot and keep it, encrypted."),
        "restore": ("raijin.cli.commands.cluster", "restore", "Go on from a snapshot, also on new hosts."),
        "certificates": ("raijin.cli.commands.certificates", "certificates", "List and renew certificates."),
        "utilisation": ("raijin.cli.commands.capacity", "utilisation", "Show what nodes and pods use."),
        "capacity": ("raijin.cli.commands.capacity", "capacity", "Say whether there is room, and reckon it."),
    },
    "cluster certificates": {
        "list": (
            "raijin.cli.commands.certificates",
            "list_certificates",
            "List them with their authority and the days left.",
        ),
        "renew": ("raijin.cli.commands.certificates", "renew", "Renew all of them now, host by host."),
        "rotate-ca": (
            "raijin.cli.commands.certificates",
            "rotate_ca",
            "Replace the authorities of a cluster that runs.",
        ),
    },
    "cluster etcd": {
        "members": ("raijin.cli.commands.etcd", "members", "List the members: who leads, sizes, lag, alarms."),
        "defragment": ("raijin.cli.commands.etcd", "defragment", "Give back free room, member after member."),
        "replace": ("raijin.cli.commands.etcd", "replace", "Take a broken member out, and join its host anew."),
    },
    "backup": {
        "list": ("raijin.cli.commands.backup", "list_backups", "List the backups, and whether they were tried."),
        "verify": ("raijin.cli.commands.backup", "verify", "Restore one into a scratch etcd, and count."),
        "delete": ("raijin.cli.commands.backup", "delete", "Delete one from every target."),
        "key": ("raijin.cli.commands.backup", "key", "Print the key that backups are encrypted for."),
    },
    "run": {
        "list": ("raijin.cli.commands.run", "list_runs", "List the runs."),
        "show": ("raijin.cli.commands.run", "show", "Show a run: steps, timings, errors, events."),
        "resume": ("raijin.cli.commands.run", "resume", "Go on where a run was killed, failed or cancelled."),
        "cancel": ("raijin.cli.commands.run", "cancel", "Stop a run after the operations in hand."),
    },
    "user": {
        "add": ("raijin.cli.commands.user", "add", "Add a user with a password; the first is an administrator."),
        "list": ("raijin.cli.commands.user", "list_users", "List the users and their roles."),
        "remove": ("raijin.cli.commands.user", "remove", "Take a user away, with tokens and sessions."),
        "password": ("raijin.cli.commands.user", "password", "Give a user another password."),
        "roles": ("raijin.cli.commands.user", "change_roles", "Let a user have exactly these roles."),
    },
    "token": {
        "make": ("raijin.cli.commands.token", "make", "Make a token, and print it, this once."),
        "list": ("raijin.cli.commands.token", "list_tokens", "List the tokens and when they were used."),
        "revoke": ("raijin.cli.commands.token", "revoke", "Let a token be worth nothing from now on."),
    },
    "audit": {
        "list": ("raijin.cli.commands.audit", "list_entries", "List who did what, the newest first."),
        "verify": ("raijin.cli.commands.audit", "verify", "Compute the whole chain of hashes again."),
        "export": ("raijin.cli.commands.audit", "export", "Write it as lines of JSON, a table or a report."),
    },
    "artifacts": {
        "lock": ("raijin.cli.commands.artifacts", "lock", "Write the lock file from published checksums or a bundle."),
        "list": (
            "raijin.cli.commands.artifacts",
            "list_artifacts",
            "List what the definition needs, and what is here.",
        ),
        "fetch": ("raijin.cli.commands.artifacts", "fetch", "Fetch everything that the lock names into the cache."),
    },
    "bundle": {
        "create": ("raijin.cli.commands.bundle", "create", "Put everything that a cluster needs into one file."),
        "import": ("raijin.cli.commands.bundle", "import_", "Import a bundle into the cache."),
        "verify": ("raijin.cli.commands.bundle", "verify", "Read every byte of a bundle and compare."),
        "list": ("raijin.cli.commands.bundle", "list_bundles", "List the imported bundles."),
    },
    "lab": {
        "up": ("raijin.cli.commands.lab", "up", "Start lab machines (idempotent)."),
        "status": ("raijin.cli.commands.lab", "status", "Show the lab machines."),
        "off": ("raijin.cli.commands.lab", "off", "Stop one machine, in order or as a power failure would."),
        "on": ("raijin.cli.commands.lab", "on", "Start one stopped machine."),
        "down": ("raijin.cli.commands.lab", "down", "Stop them and leave nothing behind."),
    },
}

DEFAULTS = {"cluster certificates": "list"}
"""The command of a group that is meant when none is named."""
