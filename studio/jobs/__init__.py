"""Work of models that goes on in a process of its own: started, watched, stopped, and gone on with."""
