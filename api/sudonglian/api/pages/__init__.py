"""The pages: what a person sees of the store in a browser, drawn by the server, in Chinese and English."""
