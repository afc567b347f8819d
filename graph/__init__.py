"""Microsoft Graph and the token endpoint over HTTP. No models: callers get frozen dataclasses and typed errors."""
