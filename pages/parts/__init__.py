"""What pages share, one file per part."""
