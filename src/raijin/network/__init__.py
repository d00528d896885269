"""The networks that Raijin puts into and around clusters: container networks first."""
