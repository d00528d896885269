"""Carrying out a plan, durably: journalled, in parallel, resumable after a kill, cancellable between operations.

`durable` is the only module that knows DBOS; `runner` holds the policy; `programs` runs one program on one host.
"""
