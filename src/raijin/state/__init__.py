"""What must survive a restart: runs and their journal, locks, who belongs to which cluster, secrets."""
