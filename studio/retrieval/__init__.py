"""What is looked up: the training examples behind a reply, passages of documents, examples near a question."""
