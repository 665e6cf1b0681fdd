"""Answers that regulators and firms ask for: lists with stock and place, sheets."""
