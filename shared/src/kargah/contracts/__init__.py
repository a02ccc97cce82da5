"""Wire models: what services, clients and messages say to each other."""
