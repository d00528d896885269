"""The workload by Raijin: `raijin apply --yes -f DEFINITION`, except that the definition cannot say this work.

by_raijin.py DEFINITION.YAML          (RAIJIN_HOME from the environment)

Everything from the command line to the hosts is the product's own: the definition is read and checked, hosts are
connected, facts gathered, the program checked on every host, the plan built and printed, and when it is not empty,
members remembered and the durable engine run with its journal. Only the stages of the verb are replaced by the 25
tasks (raijin_stages.py); with them goes what the tasks do not need: the lock file of artifacts, kubeadm's preflight and
the documents of the cluster.
"""

from __future__ import annotations

import sys

from raijin.app.verbs import VERBS, Verb
from raijin.cli import main

if __name__ == "__main__":
    VERBS["apply"] = Verb("raijin_stages:drafts")
    sys.argv = ["raijin", "apply", "--yes", "-f", sys.argv[1]]
    main()
