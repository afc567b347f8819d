"""The Microsoft Graph half of the sandbox: v1.0 and beta over the pretend directory, faithful on the wire.

`sandbox.graph_api.routes.routes(world)` is the door. `engine` takes a request apart and puts the answer together;
`access` says by Microsoft's table what opens a call, `shape` and the `*_shapes` by its metadata what an object looks
like, `bodies` what may be written; the modules under `resources/` say what each address does.
"""
