"""The pictures of an answer: the route and the timeline, drawn here alone; a page adds its style sheet and its table twin."""
