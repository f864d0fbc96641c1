"""The web page of the sandbox, the phone inbox: what each phone received and sent, and the controls of the sandbox."""
