"""What readers of a run are told, in the words of the client they use."""
