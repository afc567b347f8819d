"""What grows, how long it is kept, and what takes it away.

`growth` names every model with the reason why it cannot grow for ever, `rules` delete, `running` goes over the tenants
in slices and writes down what went. Beat asks for it daily; `manage.py prune` does the same at once.
"""
