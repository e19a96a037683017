"""Pages from the server: the frame, the design system, charts and sign-in that every service with pages shares."""
