"""Long work in processes of its own: the queue and its turn, how a job stands, cancelling. Nothing here knows what is worked on."""
