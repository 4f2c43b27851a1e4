"""Fine-tuning a family of seeds."""
