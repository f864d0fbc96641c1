"""What goes in and what comes back: attrs classes with the API's own names, one file for each section."""
