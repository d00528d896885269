"""The dashboard as files: what `make dashboard` built from the TypeScript in `web/`. The API serves them."""
