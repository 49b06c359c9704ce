"""HIL-SERL: soft actor-critic with a person's interventions, and its reward classifier."""
