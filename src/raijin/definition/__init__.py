"""Definition files: reading with positions, checking across documents, editing in place, JSON Schema.

`load` is the door: text -> tree with marks -> models -> checks -> `Definition`. The models themselves are in
`raijin.model` and know nothing of files.
"""
