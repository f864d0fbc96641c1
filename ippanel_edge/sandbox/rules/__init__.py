"""The rules of the endpoints, one module per section of the API; `app` collects every `@serves` function."""
