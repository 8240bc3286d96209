"""What a Dockerfile means: stages, what each step runs in, uses, reads and runs again on."""
