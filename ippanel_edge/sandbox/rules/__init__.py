"""The rules of the endpoints, a module for each section of the API. The app finds every `@serves` in here itself."""
