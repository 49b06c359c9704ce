"""Actor and learner as two processes: whole episodes go one way, weights the other, and what is lost is sent again."""
