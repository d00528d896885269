"""The one door to the product: what the CLI, the API and the dashboard may do, wired together here."""
