"""What must be on a host before Kubernetes can be: pinned, verified, and obtainable without the internet.

    catalogue, versions   what exists upstream: names, URLs, published checksum files, which version goes with which
    images                container image references and the lists that kubeadm and the CNI need
    needs                 a cluster's platform, version and architectures -> the list of what it needs
    checksums             reading the checksum files that upstreams publish
    lock                  raijin.lock.yaml: the sha256 of each need, beside the definition
    locking               filling the lock: from upstream's checksum files or from a bundle's builder
    cache, download       content-addressed files under RAIJIN_HOME; one file over HTTP, resumed and verified
    registry, tarball     one image from an OCI registry, as one deterministic tar
    bundle                the air-gap bundle; bundle_format: as a file; inventory: artifacts.yaml of a builder
    upstream              a session with mirror and upstream
    store                 `Artifacts.ensure(entry)`: cache -> bundles -> mirror -> upstream

Only `upstream` and what it uses load the HTTP client, and `store` loads `upstream` late: `plan` must stay quick.
"""
