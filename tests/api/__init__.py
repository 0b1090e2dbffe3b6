"""The api with fakes at its ports, called in process or as a running server."""
