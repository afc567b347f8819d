"""From a pasted list or a spreadsheet to the people it names: parse, resolve, keep as a draft.

Nothing that was written down is silently dropped: every line ends in a `Selection` as somebody to
sign out, or with the reason why not.
"""
