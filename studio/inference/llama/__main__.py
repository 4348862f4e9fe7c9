"""`python -m studio.inference.llama`: started by the user's side, which closes the pipe to end it."""

from studio.inference.llama.process import main

if __name__ == "__main__":
    main()
