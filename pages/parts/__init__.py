"""What pages share, one file a part."""
