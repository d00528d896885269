"""The definition as typed models: pydantic only, and nothing of the engine.

One file per idea; the descriptions of the fields are the reference manual. `raijin.definition` reads and edits files.
"""
