"""What the window reports by itself: the notification bar and the modules that post to it."""
