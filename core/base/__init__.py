"""What every floor stands on: errors, settings, caches."""
