"""Is the cluster well? What is looked at, what is made of it, and the wait until it is so.

To look talks to hosts and to the API (look.py); to judge is a pure function of what was seen, one for each check.
"""
