"""Embedded snippets and labelled texts."""
