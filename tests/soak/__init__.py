"""The soak campaign: real trainings on real services, under attack, and a ledger of what was lost. See docs/soak.md."""
