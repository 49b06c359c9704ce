"""Learning from reward: replay buffers, actor and learner, online finetuning."""
