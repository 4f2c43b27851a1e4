"""The engine's speed against an older commit's, in turn on one machine."""
