"""HTTP in front of `app`: addresses, documents, statuses; nothing that the command line could not do as well."""
