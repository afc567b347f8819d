"""The Microsoft Graph half of the sandbox: v1.0 and beta over the pretend directory, faithful on the wire.

`sandbox.graph_api.routes.routes(world)` is the door. `engine` takes a request apart and puts the answer together;
the modules under `resources/` say what each address does.
"""
