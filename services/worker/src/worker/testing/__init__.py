"""Test peers: real child processes that speak the trainer's protocol. No part of the service uses them."""
