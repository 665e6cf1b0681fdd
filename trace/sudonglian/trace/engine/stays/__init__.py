"""Stays in places as arrays, who was where and when: whom one exposed party exposes, in generations or without limit."""
