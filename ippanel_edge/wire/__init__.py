"""What turns arguments into requests and replies into answers, without any I/O."""
