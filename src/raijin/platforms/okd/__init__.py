"""OKD on machines that boot CentOS Stream CoreOS: ignition by `openshift-install`, the rest by the API (type OKD)."""
